import { randomBytes } from 'node:crypto';
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createKeyFile, dataKeyContext, type KeyRing, loadKeyRing } from '../../src/keys/index.js';
import { temporaryFolder } from '../content/support.js';

const DAMAGED = { name: 'Problem', code: 'content-damaged' };

describe('a key ring', () => {
  it('unwraps the key that it wrapped', async () => {
    const keys = await freshKeyRing();
    const key = randomBytes(32);
    const wrapped = await keys.wrap(key, 'context');
    expect(wrapped.keyId).toBe(keys.currentKeyId);
    expect(wrapped.wrapped.includes(key)).toBe(false);
    expect(await keys.unwrap(wrapped, 'context')).toEqual(key);
  });

  it('never wraps the same way twice', async () => {
    const keys = await freshKeyRing();
    const key = randomBytes(32);
    const [first, second] = [await keys.wrap(key, 'context'), await keys.wrap(key, 'context')];
    expect(first.wrapped).not.toEqual(second.wrapped);
  });

  it('unwraps in no other context', async () => {
    const keys = await freshKeyRing();
    const wrapped = await keys.wrap(randomBytes(32), dataKeyContext('message', '29189846'));
    for (const other of [dataKeyContext('other', '29189846'), dataKeyContext('message', '29189579'), '']) {
      await expect(keys.unwrap(wrapped, other)).rejects.toMatchObject(DAMAGED);
    }
  });

  it('unwraps nothing that was changed in any byte, cut or lengthened', async () => {
    const keys = await freshKeyRing();
    const { keyId, wrapped } = await keys.wrap(randomBytes(32), 'context');
    for (let at = 0; at < wrapped.length; at += 1) {
      const changed = Buffer.from(wrapped);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      await expect(keys.unwrap({ keyId, wrapped: changed }, 'context')).rejects.toMatchObject(DAMAGED);
    }
    for (const other of [wrapped.subarray(0, -1), Buffer.concat([wrapped, wrapped]), Buffer.alloc(0)]) {
      await expect(keys.unwrap({ keyId, wrapped: other }, 'context')).rejects.toMatchObject(DAMAGED);
    }
  });

  it('unwraps under an old key after a rotation, and wraps under the new one', async () => {
    const path = join(await temporaryFolder(), 'keys.json');
    const old = keyFile({ current: 'old', keys: ['old'] });
    const rotated = { ...old, current: 'new', keys: { ...old.keys, new: randomKey() } };
    const before = await ringOf(path, old);
    const key = randomBytes(32);
    const wrappedBefore = await before.wrap(key, 'context');
    const after = await ringOf(path, rotated);
    expect(await after.unwrap(wrappedBefore, 'context')).toEqual(key);
    expect((await after.wrap(key, 'context')).keyId).toBe('new');
    expect(after.digest('purpose', 'data')).toEqual(before.digest('purpose', 'data'));
  });

  it('names the master key that it lacks', async () => {
    const path = join(await temporaryFolder(), 'keys.json');
    const wrapped = await (await ringOf(path, keyFile({ current: 'old', keys: ['old'] }))).wrap(
      randomBytes(32),
      'context',
    );
    const without = await ringOf(path, keyFile({ current: 'new', keys: ['new'] }));
    await expect(without.unwrap(wrapped, 'context')).rejects.toThrow('does not contain the master key old.');
  });

  it('contexts of different messages and municipalities are never equal', () => {
    expect(dataKeyContext('a","b', 'c')).not.toBe(dataKeyContext('b', 'c","a'));
    expect(dataKeyContext('ab', 'c')).not.toBe(dataKeyContext('b', 'ca'));
  });
});

describe('a keyed hash', () => {
  it('is the same for the same purpose and data, as text or bytes', async () => {
    const keys = await freshKeyRing();
    expect(keys.digest('fingerprint', 'rødgrød')).toHaveLength(32);
    expect(keys.digest('fingerprint', 'rødgrød')).toEqual(keys.digest('fingerprint', Buffer.from('rødgrød')));
  });

  it('differs by data, by purpose, and by where one ends and the other begins', async () => {
    const keys = await freshKeyRing();
    const digests = [
      keys.digest('ab', 'c'),
      keys.digest('ab', 'd'),
      keys.digest('a', 'c'),
      keys.digest('a', 'bc'),
      keys.digest('', 'abc'),
      keys.digest('', 'c'),
    ];
    expect(new Set(digests.map((digest) => digest.toString('hex'))).size).toBe(digests.length);
  });

  it('differs from key file to key file', async () => {
    const [first, second] = [await freshKeyRing(), await freshKeyRing()];
    expect(first.digest('purpose', 'data')).not.toEqual(second.digest('purpose', 'data'));
  });
});

describe('a key file', () => {
  it('is created for its owner only, and leaves no other file', async () => {
    const folder = await temporaryFolder();
    await createKeyFile(join(folder, 'keys.json'));
    expect((await stat(join(folder, 'keys.json'))).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['keys.json']);
  });

  it('is never overwritten', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'keys.json');
    await createKeyFile(path);
    const before = await readFile(path, 'utf8');
    await expect(createKeyFile(path)).rejects.toMatchObject({ code: 'EEXIST' });
    expect(await readFile(path, 'utf8')).toBe(before);
    expect(await readdir(folder)).toEqual(['keys.json']);
  });

  it('is created by exactly one of several processes at once', async () => {
    const path = join(await temporaryFolder(), 'keys.json');
    const outcomes = await Promise.allSettled([1, 2, 3, 4].map(() => createKeyFile(path)));
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
    await expect(loadKeyRing(path)).resolves.toBeDefined();
  });

  it.each([0o640, 0o604, 0o620, 0o601])('is refused when others may use it (mode %o)', async (mode) => {
    const path = join(await temporaryFolder(), 'keys.json');
    await createKeyFile(path);
    await chmod(path, mode);
    await expect(loadKeyRing(path)).rejects.toThrow(/is readable by others \(mode 6\d\d\): chmod 600\./);
  });

  it('may be read-only', async () => {
    const path = join(await temporaryFolder(), 'keys.json');
    await createKeyFile(path);
    await chmod(path, 0o400);
    await expect(loadKeyRing(path)).resolves.toBeDefined();
  });

  it.each([
    ['text that is not JSON', 'c2VjcmV0', 'is not JSON.'],
    ['an empty file', '', 'is not JSON.'],
    ['a current key that is missing', keyFile({ current: 'other', keys: ['a'] }), '"current" must be one of "keys"'],
    ['a short key', { ...keyFile({ current: 'a', keys: [] }), keys: { a: 'c2VjcmV0' } }, 'keys: a: must be 32 bytes'],
    [
      'a key that is not base64',
      { ...keyFile({ current: 'a', keys: [] }), keys: { a: 'secret!' } },
      'keys: a: must be base64',
    ],
    ['no digest key', { current: 'a', keys: { a: randomKey() } }, 'digestKey: '],
    ['a key id with spaces', keyFile({ current: 'a', keys: ['a', 'b c'] }), 'keys: b c: '],
    ['an unknown field', { ...keyFile({ current: 'a', keys: ['a'] }), digestkey: 'x' }, 'digestkey'],
  ])('is refused for %s, in a sentence that quotes no key', async (_fault, content, sentence) => {
    const path = join(await temporaryFolder(), 'keys.json');
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content), { mode: 0o600 });
    const error = await loadKeyRing(path).catch((reason: unknown) => reason as Error);
    expect(error).toBeInstanceOf(Error);
    expect(String(error)).toContain(sentence);
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toMatch(/c2VjcmV0|secret/);
  });

  it('is refused when it is missing', async () => {
    await expect(loadKeyRing(join(await temporaryFolder(), 'keys.json'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

interface KeyFile {
  readonly current: string;
  readonly keys: Record<string, string>;
  readonly digestKey: string;
}

const DIGEST_KEY = randomKey();

function keyFile({ current, keys }: { current: string; keys: readonly string[] }): KeyFile {
  return { current, keys: Object.fromEntries(keys.map((id) => [id, randomKey()])), digestKey: DIGEST_KEY };
}

function randomKey(): string {
  return randomBytes(32).toString('base64');
}

async function ringOf(path: string, file: KeyFile): Promise<KeyRing> {
  await writeFile(path, JSON.stringify(file), { mode: 0o600 });
  return loadKeyRing(path);
}

async function freshKeyRing(): Promise<KeyRing> {
  const path = join(await temporaryFolder(), 'keys.json');
  await createKeyFile(path);
  return loadKeyRing(path);
}
