import fc from 'fast-check';
import { expect, it } from 'vitest';
import { nameFiles } from '../../../shared/src/zip/index.js';
import { FolderNames, MAX_FILE } from '../src/zip-downloads/name-folders.js';

const LETTER_AT = new Date('2026-02-21T12:00:00Z');
const OF_A_CITIZEN = { senderIdType: 'CPR', senderId: '4101019999' };
const folder = (subject: string, senderName = 'Bo Ålund', letterAt = LETTER_AT, isTraining = false) =>
  new FolderNames().take({ ...OF_A_CITIZEN, subject, senderName, letterAt, isTraining });

it.each([
  ['Samvær i ferien', 'Bo Ålund', '2026-02-21 Bo Ålund - Samvær i ferien'],
  ['', '', '2026-02-21 ukendt afsender - uden emne'],
  ['Vedr. 410101-9999 og 4101019999', 'Bo', '2026-02-21 Bo - Vedr. 410101-xxxx og 410101-xxxx'],
  ['Fødsel', 'Bo 410101-9999', '2026-02-21 Bo 410101-xxxx - Fødsel'],
  ['slut . .', 'A\u030A', '2026-02-21 Å - slut'],
  ['a\u0000b\tc\u202Ed', 'x/y\\z:', '2026-02-21 x_y_z_ - a_b_cd'],
  ['e'.repeat(300), 'Kontoret for sager af enhver art', `2026-02-21 Kontoret for sager af en - ${'e'.repeat(26)}`],
])('the folder of %j from %j is %j', (subject, sender, name) => {
  expect(folder(subject, sender)).toBe(name);
});

it('of an authority without a name has its CVR number', () => {
  const authority = { senderName: '', senderIdType: 'CVR', senderId: '11111111' };
  const taken = new FolderNames().take({ ...authority, subject: 'x', letterAt: LETTER_AT, isTraining: false });
  expect(taken).toBe('2026-02-21 CVR 11111111 - x');
});

it('is named by the day in Denmark', () => {
  expect(folder('x', 'Bo', new Date('2026-02-20T23:30:00Z'))).toBe('2026-02-21 Bo - x');
});

it('of a letter of a training municipality is marked', () => {
  expect(folder('x', 'Bo', LETTER_AT, true)).toBe('2026-02-21 ØVELSE Bo - x');
});

const RESERVED = /^(con|prn|aux|nul|(com|lpt)[\d¹²³]|conin\$|conout\$) *(\.|$)/i;
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({
    unit: fc.constantFrom('a', 'A', 'å', 'A\u030A', 'Å', '.', ' ', '/', '\\', ':', '\u0000', '\u200B', 'ß', '😀'),
    maxLength: 90,
  }),
  fc.constantFrom('con', 'NUL.txt', 'aux .', '..', 'com¹.pdf'),
);
/** As file systems that ignore case and normal form compare. */
const compared = (name: string) => name.normalize('NFD').toUpperCase().toLowerCase().normalize('NFC');

it('whatever senders and files are called: paths are short, unique, and safe on any system', { tags: 'long' }, () => {
  const letters = fc.array(fc.record({ subject: text, senderName: text, files: fc.array(text, { maxLength: 4 }) }), {
    maxLength: 6,
  });
  fc.assert(
    fc.property(letters, (all) => {
      const folders = new FolderNames();
      const paths = all.flatMap(({ subject, senderName, files }) => {
        const name = folders.take({ ...OF_A_CITIZEN, subject, senderName, letterAt: LETTER_AT, isTraining: true });
        const documents = ['main', 'additional', 'technical'].map((role) => ({
          role,
          files: files.map((fileName) => ({ fileName })),
        }));
        return nameFiles({ documents } as never, MAX_FILE).map((file) => `${name}/${file.name}`);
      });
      expect(new Set(paths.map(compared)).size).toBe(paths.length);
      for (const path of paths) {
        expect(path.length).toBeLessThanOrEqual(160);
        for (const part of path.split('/')) {
          expect(part).toMatch(/^[^<>:"\\|?*\p{Cc}\p{Bidi_Control}]+$/u);
          expect(part).not.toMatch(/^[. ]|[. ]$/);
          expect(part).not.toMatch(RESERVED);
          expect(part).toBe(part.normalize('NFC'));
          expect(Buffer.byteLength(part)).toBeLessThanOrEqual(255);
          expect(part).not.toMatch(/\p{Surrogate}/u);
        }
      }
    }),
    { numRuns: 300 },
  );
});
