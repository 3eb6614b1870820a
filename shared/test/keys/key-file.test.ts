import { randomBytes } from 'node:crypto';
import { chmod, chown, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  addMasterKey,
  createKeyFile,
  loadKeyRing,
  makeMasterKeyCurrent,
  openKeyRing,
  removeMasterKey,
} from '../../src/keys/index.js';
import { temporaryFolder } from '../content/support.js';

interface Content {
  readonly current: string;
  readonly keys: Record<string, string>;
  readonly digestKey: string;
}

const NOBODY = 65_534;

let folder: string;
let path: string;
const content = async () => JSON.parse(await readFile(path, 'utf8')) as Content;

beforeEach(async () => {
  folder = await temporaryFolder();
  path = join(folder, 'keys.json');
  await createKeyFile(path);
});

describe('a rotation of the key file', () => {
  it('adds a master key that is not current, makes it current, and removes the old one', async () => {
    const before = await content();
    const data = randomBytes(32);
    const wrapped = await (await loadKeyRing(path)).wrap(data, 'context');

    const id = await addMasterKey(path);
    const added = await content();
    expect(added).toEqual({ ...before, keys: { ...before.keys, [id]: expect.stringMatching(/^[A-Za-z0-9+/]{43}=$/) } });

    await makeMasterKeyCurrent(path, id);
    expect(await content()).toEqual({ ...added, current: id });
    const keys = await loadKeyRing(path);
    expect(await keys.unwrap(wrapped, 'context')).toEqual(data);
    expect((await keys.wrap(data, 'context')).keyId).toBe(id);

    await removeMasterKey(path, before.current);
    expect(await content()).toEqual({ ...before, current: id, keys: { [id]: added.keys[id] } });
    expect(await readdir(folder)).toEqual(['keys.json']);
  });

  it('never makes a key current that the file lacks, and never removes the current one', async () => {
    const { current } = await content();
    const before = await readFile(path);
    await expect(makeMasterKeyCurrent(path, 'other')).rejects.toThrow(
      `The key file has no master key other. It has ${current}.`,
    );
    await expect(removeMasterKey(path, 'other')).rejects.toThrow('has no master key other');
    await expect(removeMasterKey(path, current)).rejects.toThrow(`${current} is the current master key.`);
    expect(await readFile(path)).toEqual(before);
    expect(await readdir(folder)).toEqual(['keys.json']);
  });

  it('by several at once loses no key: each is in the file, or was refused', async () => {
    const first = (await content()).current;
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => addMasterKey(path)));
    const added = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    expect(added.length).toBeGreaterThan(0);
    expect(Object.keys((await content()).keys).toSorted()).toEqual([first, ...added].toSorted());
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason.message).toContain('the key file is just being changed');
    }
    expect(await readdir(folder)).toEqual(['keys.json']);
  });

  it('is refused after one that was killed half way, until what it left is removed', async () => {
    const before = await readFile(path);
    await writeFile(`${path}.lock`, before.subarray(0, 50), { mode: 0o600 });
    await expect(addMasterKey(path)).rejects.toThrow(`If nobody does, remove ${path}.lock and run this again.`);
    expect(await readFile(path)).toEqual(before);
    await rm(`${path}.lock`);
    await addMasterKey(path);
    expect(Object.keys((await content()).keys)).toHaveLength(2);
  });

  it('leaves a file that is malformed as it is', async () => {
    await writeFile(path, '{"current":', { mode: 0o600 });
    await expect(addMasterKey(path)).rejects.toThrow('is not JSON.');
    expect(await readFile(path, 'utf8')).toBe('{"current":');
    expect(await readdir(folder)).toEqual(['keys.json']);
  });

  it.each([0o600, 0o400])(
    'keeps mode %o and the owner, so that services may read what root has changed',
    async (mode) => {
      await chmod(path, mode);
      if (process.getuid?.() === 0) await chown(path, NOBODY, NOBODY);
      const before = await stat(path);
      await addMasterKey(path);
      const { mode: after, uid, gid } = await stat(path);
      expect([after & 0o777, uid, gid]).toEqual([mode, before.uid, before.gid]);
    },
  );

  it('says that the folder may not be written, and changes nothing', async () => {
    const before = await readFile(path);
    await chmod(folder, 0o555);
    if (process.getuid?.() === 0) await chown(path, NOBODY, NOBODY);
    await asOrdinaryUser(() =>
      expect(addMasterKey(path)).rejects.toThrow(
        `This user may not write to ${folder}, so the key file stays as it is.`,
      ),
    );
    expect(await readFile(path)).toEqual(before);
  });

  it('through a symbolic link changes the file that it names', async () => {
    const link = join(folder, 'link.json');
    await symlink('keys.json', link);
    const id = await addMasterKey(link);
    expect(await readlink(link)).toBe('keys.json');
    expect((await content()).keys).toHaveProperty(id);
  });
});

describe('keys from a setting', () => {
  it('are those of a file with the same content', async () => {
    const ofFile = await openKeyRing({ KEY_FILE: path });
    const ofSetting = await openKeyRing({ KEYS: await readFile(path, 'utf8') });
    const data = randomBytes(32);
    expect(await ofSetting.unwrap(await ofFile.wrap(data, 'context'), 'context')).toEqual(data);
    expect(ofSetting.digest('purpose', 'data')).toEqual(ofFile.digest('purpose', 'data'));
    expect(ofSetting.keyIds).toEqual(new Set([(await content()).current]));
  });

  it.each([
    ['c2VjcmV0', 'The value of KEYS is not JSON.'],
    ['{"current":"a","keys":{"a":"c2VjcmV0"}}', 'The value of KEYS is not usable: keys: a: must be 32 bytes'],
  ])('are refused in a sentence that quotes no key', async (KEYS, sentence) => {
    const error = await openKeyRing({ KEYS }).catch((reason: unknown) => reason as Error);
    expect(String(error)).toContain(sentence);
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('c2VjcmV0');
  });
});

/** Root may write everywhere. */
async function asOrdinaryUser(work: () => Promise<unknown>): Promise<void> {
  const isRoot = process.getuid?.() === 0;
  if (isRoot) process.seteuid?.(NOBODY);
  try {
    await work();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}
