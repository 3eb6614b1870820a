import { describe, expect, it } from 'vitest';
import { UniqueNames } from '../src/zip/unique-names.js';

describe('UniqueNames', () => {
  it('numbers a name that is taken, ignoring case, before the extension', () => {
    const unique = new UniqueNames(['note.txt']);
    const given = ['a.txt', 'A.TXT', 'a.txt', 'a (2).txt', 'a', 'bilag/a.txt', 'NOTE.txt'];
    const names = given.map((name) => unique.take(name));
    expect(names).toEqual(['a.txt', 'A (2).TXT', 'a (3).txt', 'a (2) (2).txt', 'a', 'bilag/a.txt', 'NOTE (2).txt']);
  });
});
