import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { link, open, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { OWNER_ONLY_FILE, syncFolder } from '../content/folders.js';
import { Problem } from '../errors/index.js';

/** A data key, encrypted under the master key `keyId`. It is in the database; destroying it destroys the content. */
export interface WrappedKey {
  readonly keyId: string;
  readonly wrapped: Buffer;
}

/**
 * What has the master keys. A file today; it could be a key management service, so wrap and unwrap may take a network round
 * trip.
 */
export interface KeyRing {
  /** Id of the master key that new data keys are wrapped with: 1 to 230 characters of printable ASCII. */
  readonly currentKeyId: string;

  /** Whether it contains the master key of this id. */
  has(keyId: string): boolean;

  /** Encrypts a data key under the current master key. Only the same `context` unwraps it again. */
  wrap(key: Buffer, context: string): Promise<WrappedKey>;

  /**
   * Decrypts a data key that any master key of the ring has wrapped.
   * @throws Problem `content-damaged` when the wrapped key is not what was wrapped in this context.
   * @throws Error when the ring lacks the master key: it was removed too early.
   */
  unwrap(wrapped: WrappedKey, context: string): Promise<Buffer>;

  /**
   * Keyed hash, 32 bytes: HMAC-SHA-256 under a key of its own. The key never rotates, so that equal data stay equal, and
   * differs by `purpose`, so that hashes for one purpose reveal nothing about another's.
   */
  digest(purpose: string, data: string | Buffer): Buffer;
}

/** The context that a message's data key is wrapped in: a key copied to another message or municipality is useless. */
export function dataKeyContext(messageId: string, municipality: string): string {
  return JSON.stringify(['content', municipality, messageId]);
}

const KEY_SIZE = 32;
const NONCE_SIZE = 12;
const TAG_SIZE = 16;
const WRAPPED_SIZE = NONCE_SIZE + KEY_SIZE + TAG_SIZE;

/** The header of a container has room for 230, enough for the ARN of a cloud key. */
const keyIdShape = z.string().regex(/^[\x21-\x7e]{1,230}$/, 'a key id is 1 to 230 characters of printable ASCII');

const keyShape = z
  .base64('must be base64')
  .transform((text) => Buffer.from(text, 'base64'))
  .refine((key) => key.length === KEY_SIZE, `must be ${KEY_SIZE} bytes in base64`);

/** The key file. `keys` has the master keys by id; `digestKey` is for keyed hashes and must never change. */
const keyFileShape = z
  .strictObject({ current: keyIdShape, keys: z.record(keyIdShape, keyShape), digestKey: keyShape })
  .refine(({ current, keys }) => Object.hasOwn(keys, current), '"current" must be one of "keys"');

type KeyFile = z.infer<typeof keyFileShape>;

/**
 * Reads a key file: JSON `{ "current": id, "keys": { id: base64 of 32 bytes }, "digestKey": base64 of 32 bytes }`.
 * To rotate, add a key, name it in `current` and restart; remove the old one when nothing is wrapped with it any more.
 * @throws Error with a sentence for the operator when the file is missing, readable by others or malformed. It never quotes
 *   the file.
 */
export async function loadKeyRing(path: string): Promise<KeyRing> {
  return new FileKeyRing(parseKeyFile(path, await readPrivately(path)));
}

/**
 * Creates a key file durably, with one fresh master key and mode 0600. When several processes try at once, one succeeds and
 * the others fail; none ever sees half a file.
 * @throws Error with code `EEXIST` when there is a file already: it is never overwritten.
 */
export async function createKeyFile(path: string): Promise<void> {
  const id = `master-${randomBytes(4).toString('hex')}`;
  const file = { current: id, keys: { [id]: freshKey() }, digestKey: freshKey() };
  const draft = `${path}.${randomBytes(8).toString('hex')}.part`;
  try {
    await writeDurably(draft, `${JSON.stringify(file, undefined, 2)}\n`);
    await link(draft, path); // unlike rename, it does not replace a file
  } finally {
    await rm(draft, { force: true });
  }
  await syncFolder(dirname(resolve(path)));
}

class FileKeyRing implements KeyRing {
  readonly currentKeyId: string;
  readonly #keys: ReadonlyMap<string, Buffer>;
  readonly #digestKey: Buffer;
  readonly #keysOfPurposes = new Map<string, Buffer>();

  constructor(file: KeyFile) {
    this.currentKeyId = file.current;
    this.#keys = new Map(Object.entries(file.keys));
    this.#digestKey = file.digestKey;
  }

  has(keyId: string): boolean {
    return this.#keys.has(keyId);
  }

  // The nonce is random. NIST SP 800-38D 8.3 allows 2^32 of them under one key: 1000 messages a minute for 8000 years.
  async wrap(key: Buffer, context: string): Promise<WrappedKey> {
    const nonce = randomBytes(NONCE_SIZE);
    const cipher = createCipheriv('aes-256-gcm', this.#masterKey(this.currentKeyId), nonce);
    cipher.setAAD(Buffer.from(context));
    const encrypted = Buffer.concat([cipher.update(key), cipher.final()]);
    return { keyId: this.currentKeyId, wrapped: Buffer.concat([nonce, encrypted, cipher.getAuthTag()]) };
  }

  async unwrap({ keyId, wrapped }: WrappedKey, context: string): Promise<Buffer> {
    const masterKey = this.#masterKey(keyId);
    if (wrapped.length !== WRAPPED_SIZE) throw damagedKey();
    const nonce = wrapped.subarray(0, NONCE_SIZE);
    const decipher = createDecipheriv('aes-256-gcm', masterKey, nonce, { authTagLength: TAG_SIZE });
    decipher.setAAD(Buffer.from(context));
    decipher.setAuthTag(wrapped.subarray(-TAG_SIZE));
    const key = decipher.update(wrapped.subarray(NONCE_SIZE, -TAG_SIZE));
    try {
      decipher.final();
    } catch (cause) {
      throw damagedKey(cause);
    }
    return key;
  }

  digest(purpose: string, data: string | Buffer): Buffer {
    const key = this.#keysOfPurposes.get(purpose) ?? createHmac('sha256', this.#digestKey).update(purpose).digest();
    this.#keysOfPurposes.set(purpose, key);
    return createHmac('sha256', key).update(data).digest();
  }

  #masterKey(keyId: string): Buffer {
    const key = this.#keys.get(keyId);
    if (key === undefined) throw new Error(`The key file does not contain the master key ${keyId}.`);
    return key;
  }
}

function damagedKey(cause?: unknown): Problem {
  return new Problem('content-damaged', 'The wrapped key of the message fails verification.', { cause });
}

function freshKey(): string {
  return randomBytes(KEY_SIZE).toString('base64');
}

async function writeDurably(path: string, text: string): Promise<void> {
  const handle = await open(path, 'wx', OWNER_ONLY_FILE);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function readPrivately(path: string): Promise<string> {
  const handle = await open(path, 'r');
  try {
    const { mode } = await handle.stat();
    if ((mode & 0o077) !== 0) {
      const octal = (mode & 0o777).toString(8);
      throw new Error(`The key file ${path} is readable by others (mode ${octal}): chmod 600.`);
    }
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

function parseKeyFile(path: string, text: string): KeyFile {
  const result = keyFileShape.safeParse(parseJson(path, text));
  if (result.success) return result.data;
  const faults = result.error.issues.map((issue) => [...issue.path, issue.message].join(': '));
  throw new Error(`The key file ${path} is not usable: ${faults.join('; ')}.`);
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Without the cause: the parser's message quotes the text, which is keys.
    throw new Error(`The key file ${path} is not JSON.`);
  }
}
