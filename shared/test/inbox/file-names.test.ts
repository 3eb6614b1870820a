import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { comparableName, safeFileName } from '../../src/inbox/index.js';

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
    ['.htaccess', 'htaccess'],
    ['trailing. . ', 'trailing'],
    ['con', '_con'],
    ['Con.txt', '_Con.txt'],
    ['LPT1', '_LPT1'],
    ['control.txt', 'control.txt'],
    ['con .pdf', '_con .pdf'],
    ['NUL.tar.gz', '_NUL.tar.gz'],
    ['com0', '_com0'],
    ['COM\u00b9', '_COM\u00b9'],
    ['lpt\u00b2.txt', '_lpt\u00b2.txt'],
    ['Lpt\u00b3  .txt', '_Lpt\u00b3  .txt'],
    ['CONIN$', '_CONIN$'],
    ['conout$.log', '_conout$.log'],
    ['com10', 'com10'],
    ['con-1.txt', 'con-1.txt'],
    [`con${' '.repeat(300)}x.pdf`, '_con.pdf'],
    ['', 'fil'],
    ['   ', 'fil'],
    ['...', 'fil'],
    ['///', '_'],
  ])('%j is %j', (given, safe) => {
    expect(safeFileName(given)).toBe(safe);
  });

  it.each([
    ['a right-to-left override', 'exe\u202Efdp.pdf', 'exefdp.pdf'],
    ['a left-to-right isolate', '\u2066brev\u2069.pdf', 'brev.pdf'],
    ['an Arabic letter mark', 'a\u061C.txt', 'a.txt'],
    ['a zero-width space', 'hidden\u200B.txt', 'hidden.txt'],
    ['a soft hyphen', 'under\u00ADretning.pdf', 'underretning.pdf'],
    ['a byte order mark', '\uFEFFbrev.pdf', 'brev.pdf'],
    ['tags', 'a\u{E0065}\u{E0078}\u{E0065}.txt', 'a.txt'],
    ['a Hangul filler', '\u3164\uFFA0', 'fil'],
    ['an annotation', 'a\uFFF9b\uFFFA.txt', 'ab.txt'],
    ['a joiner between letters that compose', 'e\u034F\u0301.txt', 'é.txt'],
    ['joiners alone', '\u200D\u200C', 'fil'],
    ['a joiner at the end', 'brev. \u200D', 'brev'],
    ['a variation selector at the start', '\uFE0F.pdf', 'pdf'],
  ])('without %s', (_what, given, safe) => {
    expect(safeFileName(given)).toBe(safe);
  });

  it.each([
    ['Persian', 'می\u200Cخواهم.pdf'],
    ['Hindi', 'क्\u200Dष.pdf'],
    ['a family', '👩\u200D👧.png'],
    ['a red heart', 'jeg \u2764\uFE0F dig.png'],
    ['Arabic', 'تقرير.pdf'],
    ['Hebrew', 'מכתב.pdf'],
  ])('%s keeps its joiners and letters', (_what, name) => {
    expect(safeFileName(name)).toBe(name);
  });

  it.each([
    ['Georgian', 'ქ', 78], // three bytes each, and .pdf
    ['Thai', 'ก', 78],
    ['Chinese', '漢', 78],
    ['Gothic', '𐌰', 48], // four bytes and two units each
    ['Danish', 'å', 96],
  ])('a long name in %s has at most 240 bytes', (_what, letter, count) => {
    expect(safeFileName(`${letter.repeat(300)}.pdf`)).toBe(`${letter.repeat(count)}.pdf`);
  });

  it.each([
    ['a letter of marks', 'x\u0323\u0302', 32],
    ['a family of four', '👩\u200D👩\u200D👧\u200D👦', 8],
    ['a flag', '🇩🇰', 24],
    ['a Hindi syllable', 'षि', 39],
  ])('%s is not cut in half', (_what, letter, count) => {
    expect(safeFileName(`${letter.repeat(200)}.pdf`)).toBe(`${letter.repeat(count)}.pdf`);
  });

  it('a letter with more marks than fit keeps some', () => {
    expect(safeFileName(`x${'\u0301'.repeat(900)}.pdf`)).toBe(`x${'\u0301'.repeat(95)}.pdf`);
  });

  it('cuts a long name but keeps its extension, and never cuts a character in half', () => {
    expect(safeFileName(`${'a'.repeat(500)}.pdf`)).toBe(`${'a'.repeat(96)}.pdf`);
    expect(safeFileName('😀'.repeat(300))).toBe('😀'.repeat(50));
    expect(encodeURIComponent(safeFileName(`${'a'.repeat(94)}😀.jpeg`))).toMatch(/^a+.*jpeg$/); // throws for half a character
  });

  it('is safe on any system, whatever the name', { tags: 'long' }, () => {
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
      'lpt¹',
      'CONIN$',
      '\u200D',
      '\uFE0F',
      '\u0301',
      'e\u034F',
      '漢',
      'æ',
      '😀',
      'x'.repeat(60),
      '.pdf',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(nasty, fc.string({ unit: 'binary' })), { maxLength: 8 }), (pieces) => {
        const name = safeFileName(pieces.join(''));
        expect(name).toMatch(/^[^<>:"/\\|?*\p{Cc}\p{Bidi_Control}\u200B\u2060\uFEFF]{1,101}$/u);
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(241);
        expect(name.normalize('NFC')).toBe(name);
        expect(name).not.toMatch(/^[. ]|[. ]$/);
        expect(name).not.toMatch(/^(con|prn|aux|nul|com[\d¹²³]|lpt[\d¹²³]|conin\$|conout\$) *(\.|$)/i);
        expect(safeFileName(name)).toBe(name);
      }),
    );
  });
});

describe('comparableName', () => {
  it.each([
    ['case', 'BREV.pdf', 'brev.PDF'],
    ['full case folding', 'Straße.txt', 'STRASSE.TXT'],
    ['a final sigma', 'ΟΔΟΣ', 'οδος'],
    ['the Kelvin sign', '\u212A.txt', 'k.txt'],
    ['normal form', 'A\u030A.txt', 'Å.txt'],
    ['invisible characters', 'a\u200Db.txt', 'ab.txt'],
  ])('is the same for names that differ in %s', (_what, one, other) => {
    expect(comparableName(one)).toBe(comparableName(other));
  });

  it('differs for names that look different', () => {
    expect(comparableName('a.txt')).not.toBe(comparableName('å.txt'));
  });
});
