import { randomBytes } from 'node:crypto';
import { type FileHandle, link, open, realpath, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { OWNER_ONLY_FILE, syncFolder } from '../content/folders.js';
import { announce } from '../crash-points/index.js';

export const KEY_SIZE = 32;

/** The header of a container has room for 230, enough for the ARN of a cloud key. */
const keyIdShape = z.string().regex(/^[\x21-\x7e]{1,230}$/, 'a key id is 1 to 230 characters of printable ASCII');

const keyShape = z
  .base64('must be base64')
  .transform((text) => Buffer.from(text, 'base64'))
  .refine((key) => key.length === KEY_SIZE, `must be ${KEY_SIZE} bytes in base64`);

/** `keys` has the master keys by id; `digestKey` is for keyed hashes and must never change. */
const masterKeysShape = z
  .strictObject({ current: keyIdShape, keys: z.record(keyIdShape, keyShape), digestKey: keyShape })
  .refine(({ current, keys }) => Object.hasOwn(keys, current), '"current" must be one of "keys"');

/** What a key file has: JSON `{ "current": id, "keys": { id: base64 of 32 bytes }, "digestKey": base64 of 32 bytes }`. */
export type MasterKeys = z.infer<typeof masterKeysShape>;

/** @throws Error with a sentence that begins with `name` and never quotes the text, which is keys */
export function parseMasterKeys(name: string, text: string): MasterKeys {
  const result = masterKeysShape.safeParse(parseJson(name, text));
  if (result.success) return result.data;
  const faults = result.error.issues.map((issue) => [...issue.path, issue.message].join(': '));
  throw new Error(`${name} is not usable: ${faults.join('; ')}.`);
}

/** @throws Error when the file is missing, readable by others or malformed */
export async function readKeyFile(path: string): Promise<MasterKeys> {
  return (await readPrivately(path)).content;
}

/**
 * Creates a key file durably, with one fresh master key and mode 0600. When several processes try at once, one succeeds and
 * the others fail; none ever sees half a file.
 * @throws Error with code `EEXIST` when there is a file already: it is never overwritten.
 */
export async function createKeyFile(path: string): Promise<void> {
  const id = freshId();
  const content = { current: id, keys: { [id]: freshKey() }, digestKey: freshKey() };
  const draft = `${path}.${randomBytes(8).toString('hex')}.part`;
  try {
    await writeDurably(await open(draft, 'wx', OWNER_ONLY_FILE), content);
    await link(draft, path); // unlike rename, it does not replace a file
  } finally {
    await rm(draft, { force: true });
  }
  await syncFolder(dirname(resolve(path)));
}

/** Adds a fresh master key to a key file, which is not the current one. @returns its id */
export async function addMasterKey(path: string): Promise<string> {
  const id = freshId();
  await changeKeyFile(path, ({ keys, ...rest }) => ({ ...rest, keys: { ...keys, [id]: freshKey() } }));
  return id;
}

/** New data keys are wrapped with this master key from then on, by processes that start then. @throws Error when the file lacks it */
export function makeMasterKeyCurrent(path: string, id: string): Promise<void> {
  return changeKeyFile(path, (before) => {
    requireMasterKey(before, id);
    return { ...before, current: id };
  });
}

/** @throws Error when the file lacks the key, or it is the current one */
export function removeMasterKey(path: string, id: string): Promise<void> {
  return changeKeyFile(path, (before) => {
    requireMasterKey(before, id);
    if (before.current === id) throw new Error(`${id} is the current master key. Make another one current first.`);
    const { [id]: _removed, ...keys } = before.keys;
    return { ...before, keys };
  });
}

function requireMasterKey({ keys }: MasterKeys, id: string): void {
  if (Object.hasOwn(keys, id)) return;
  throw new Error(`The key file has no master key ${id}. It has ${Object.keys(keys).join(', ')}.`);
}

/**
 * Replaces a key file durably: whoever reads it, also after a crash, gets all of the old one or of the new one. Owner and mode stay,
 * so that the services may still read what root has changed. The new file is the lock, as only one can create it.
 * @throws Error with a sentence when somebody else changes it, or its folder may not be written; then nothing has changed
 */
async function changeKeyFile(given: string, change: (before: MasterKeys) => MasterKeys): Promise<void> {
  const path = await realpath(given); // a symbolic link stays one
  const draft = `${path}.lock`;
  const handle = await open(draft, 'wx', OWNER_ONLY_FILE).catch((error) => explainDraft(draft, error));
  try {
    const { content, uid, gid, mode } = await readPrivately(path);
    const after = change(content);
    const mine = await handle.stat();
    if (mine.uid !== uid || mine.gid !== gid) await handle.chown(uid, gid);
    await handle.chmod(mode);
    await writeDurably(handle, after);
    announce('key-file-written');
    await rename(draft, path);
  } catch (error) {
    await handle.close(); // harmless when it is closed
    await rm(draft);
    throw error;
  }
  await syncFolder(dirname(path));
}

const NOT_WRITABLE = ['EACCES', 'EPERM', 'EROFS'];

function explainDraft(draft: string, error: NodeJS.ErrnoException): never {
  if (error.code === 'EEXIST')
    throw new Error(
      `${draft} is there: the key file is just being changed, or somebody who did was killed. If nobody does, remove ${draft} and run this again.`,
    );
  if (NOT_WRITABLE.includes(error.code ?? ''))
    throw new Error(`This user may not write to ${dirname(draft)}, so the key file stays as it is.`);
  throw error;
}

const freshId = () => `master-${randomBytes(4).toString('hex')}`;
const freshKey = () => randomBytes(KEY_SIZE);

/** Closes the file, whatever happens. */
async function writeDurably(handle: FileHandle, { current, keys, digestKey }: MasterKeys): Promise<void> {
  const inBase64 = Object.fromEntries(Object.entries(keys).map(([id, key]) => [id, key.toString('base64')]));
  const file = { current, keys: inBase64, digestKey: digestKey.toString('base64') };
  try {
    await handle.writeFile(`${JSON.stringify(file, undefined, 2)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

interface PrivateFile {
  readonly content: MasterKeys;
  readonly uid: number;
  readonly gid: number;
  /** Bits of the owner only. */
  readonly mode: number;
}

async function readPrivately(path: string): Promise<PrivateFile> {
  const handle = await open(path, 'r');
  try {
    const { uid, gid, mode } = await handle.stat();
    if ((mode & (isMounted(uid) ? 0o037 : 0o077)) !== 0) {
      const octal = (mode & 0o777).toString(8);
      throw new Error(`The key file ${path} is readable by others (mode ${octal}): chmod 600.`);
    }
    const content = parseMasterKeys(`The key file ${path}`, await handle.readFile('utf8'));
    return { content, uid, gid, mode: mode & 0o777 };
  } finally {
    await handle.close();
  }
}

/** Kubernetes gives a secret as a file of root, which only a group of the process may read. */
const isMounted = (uid: number) => uid === 0 && process.getuid?.() !== 0;

function parseJson(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Without the cause: the parser's message quotes the text, which is keys.
    throw new Error(`${name} is not JSON.`);
  }
}
