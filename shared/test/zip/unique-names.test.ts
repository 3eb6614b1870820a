import { describe, expect, it } from 'vitest';
import { UniqueNames } from '../../src/zip/unique-names.js';

describe('UniqueNames', () => {
  it('numbers a name that is taken, before the extension, ignoring case and normal form', () => {
    const unique = new UniqueNames(['note.txt']);
    const given = ['a.txt', 'A.TXT', 'a.txt', 'a (2).txt', 'a', 'bilag/a.txt', 'NOTE.txt', 'Å', 'A\u030A', 'ß', 'SS'];
    const names = given.map((name) => unique.take(name));
    expect(names.slice(0, 7)).toEqual([
      ...['a.txt', 'A (2).TXT', 'a (3).txt', 'a (2) (2).txt', 'a', 'bilag/a.txt', 'NOTE (2).txt'],
    ]);
    expect(names.slice(7)).toEqual(['Å', 'A\u030A (2)', 'ß', 'SS (2)']);
  });
});
