import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { Problem } from '../errors/index.js';
import { KEY_SIZE, type MasterKeys, parseMasterKeys, readKeyFile } from './key-file.js';

/** A data key, encrypted under the master key `keyId`. It is in the database; destroying it destroys the content. */
export interface WrappedKey {
  readonly keyId: string;
  readonly wrapped: Buffer;
}

/**
 * What has the master keys, and the only thing that the rest knows of them. A file or a setting today; it could be a key
 * management service, so wrap and unwrap may take a network round trip.
 */
export interface KeyRing {
  /** Id of the master key that new data keys are wrapped with: 1 to 230 characters of printable ASCII. */
  readonly currentKeyId: string;

  /** Ids of the master keys that it can unwrap with. */
  readonly keyIds: ReadonlySet<string>;

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

/** The context that the secret of a webhook is wrapped in. */
export function webhookSecretContext(webhookId: string, municipality: string): string {
  return JSON.stringify(['webhook', municipality, webhookId]);
}

const NONCE_SIZE = 12;
const TAG_SIZE = 16;
const WRAPPED_SIZE = NONCE_SIZE + KEY_SIZE + TAG_SIZE;

/** Where the master keys are: in one of the two. */
export interface KeySource {
  /** Path of a key file. */
  readonly KEY_FILE?: string | undefined;
  /** What would be in it. */
  readonly KEYS?: string | undefined;
}

/** @throws Error with a sentence for the operator, which never quotes a key; that of a file as {@link loadKeyRing} */
export async function openKeyRing({ KEY_FILE, KEYS }: KeySource): Promise<KeyRing> {
  return KEY_FILE ? loadKeyRing(KEY_FILE) : new MasterKeyRing(parseMasterKeys('The value of KEYS', KEYS ?? ''));
}

/**
 * Reads a key file.
 * @throws Error with a sentence for the operator when the file is missing, readable by others or malformed. It never quotes
 *   the file.
 */
export async function loadKeyRing(path: string): Promise<KeyRing> {
  return new MasterKeyRing(await readKeyFile(path));
}

class MasterKeyRing implements KeyRing {
  readonly currentKeyId: string;
  readonly keyIds: ReadonlySet<string>;
  readonly #keys: ReadonlyMap<string, Buffer>;
  readonly #digestKey: Buffer;
  readonly #keysOfPurposes = new Map<string, Buffer>();

  constructor({ current, keys, digestKey }: MasterKeys) {
    this.currentKeyId = current;
    this.keyIds = new Set(Object.keys(keys));
    this.#keys = new Map(Object.entries(keys));
    this.#digestKey = digestKey;
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
    if (key === undefined) throw new Error(`The key ring does not contain the master key ${keyId}.`);
    return key;
  }
}

function damagedKey(cause?: unknown): Problem {
  return new Problem('content-damaged', 'The wrapped key of the message fails verification.', { cause });
}
