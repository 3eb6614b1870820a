import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { safeFileName } from '../../src/inbox/index.js';

describe('safeFileName', () => {
  it.each([
    ['brev.pdf', 'brev.pdf'],
    ['Ansøgning om støtte.docx', 'Ansøgning om støtte.docx'],
    ['A\u030Al.txt', 'Ål.txt'], // one letter, however it is encoded
    ['../../etc/passwd', '_.._etc_passwd'],
    ['..\\..\\x', '_.._x'],
    ['a/b\\c:d*e?f"g<h>i|j', 'a_b_c_d_e_f_g_h_i_j'],
    ['line\r\nbreak.txt', 'line_break.txt'],
    ['nul\0byte.txt', 'nul_byte.txt'],
    ['exe\u202Efdp.pdf', 'exe_fdp.pdf'],
    ['hidden\u200B.txt', 'hidden_.txt'],
    ['.htaccess', 'htaccess'],
    ['trailing. . ', 'trailing'],
    ['con', '_con'],
    ['Con.txt', '_Con.txt'],
    ['LPT1', '_LPT1'],
    ['control.txt', 'control.txt'],
    ['', 'fil'],
    ['   ', 'fil'],
    ['...', 'fil'],
    ['///', '_'],
  ])('%j is %j', (given, safe) => {
    expect(safeFileName(given)).toBe(safe);
  });

  it('cuts a long name but keeps its extension, and never cuts a character in half', () => {
    expect(safeFileName(`${'a'.repeat(500)}.pdf`)).toBe(`${'a'.repeat(96)}.pdf`);
    expect(safeFileName('😀'.repeat(300))).toBe('😀'.repeat(50));
    expect(encodeURIComponent(safeFileName(`${'a'.repeat(94)}😀.jpeg`))).toMatch(/^a+.*jpeg$/); // throws for half a character
  });

  it('is safe on any system, whatever the name', () => {
    const nasty = fc.constantFrom(
      '/',
      '\\',
      '..',
      '.',
      ' ',
      '\0',
      '\r\n',
      '\u202E',
      ':',
      'con',
      'æ',
      '😀',
      'x'.repeat(60),
      '.pdf',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(nasty, fc.string({ unit: 'binary' })), { maxLength: 8 }), (pieces) => {
        const name = safeFileName(pieces.join(''));
        expect(name).toMatch(/^[^<>:"/\\|?*\p{Cc}\p{Cf}]{1,100}$/u);
        expect(name).not.toMatch(/^[. ]|[. ]$/);
        expect(name).not.toMatch(/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i);
        expect(safeFileName(name)).toBe(name);
      }),
    );
  });
});
