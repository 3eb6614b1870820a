import {
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { announce } from '../crash-points/index.js';
import type { BlobWriter } from './blob-store.js';
import { isNotImplemented } from './s3-faults.js';
import { abortUpload, type S3Object, sizeOfObject } from './s3-object.js';

// S3 takes no smaller parts, except for the last.
const PART_SIZE = 5 * 2 ** 20;
const NOTHING = Buffer.alloc(0);

/** So many uploads of a store collect their next part while one is under way: 40 MiB. Others wait, and hold one part only. */
const MOST_AHEAD = 8;

/** Parts that are kept for the next ones: allocating 5 MiB for each blob costs more in collecting garbage than sending it. 40 MiB. */
const MOST_FREE = 8;

/** What the writers of a store share. */
export interface Shared {
  /** Memory for parts. What is in it was sealed, so it need not be wiped. */
  readonly freeParts: Buffer[];
  /** Uploads that collect while a part is under way. */
  ahead: number;
  /** Whether the server knows If-None-Match: until it says otherwise. */
  knowsConditions: boolean;
}

/**
 * Writes a blob to S3: less than a part in one PUT, else in parts of 5 MiB, one after the other. lib-storage is not used: it pulls
 * from a stream, holds four parts, and leaves a failed call without a word on whether it was done.
 */
export class S3BlobWriter implements BlobWriter {
  readonly name: string;
  readonly #client: S3Client;
  readonly #object: S3Object;
  readonly #shared: Shared;
  #part: Buffer | undefined;
  #partLength = 0;
  #size = 0;
  #uploadId: string | undefined;
  readonly #parts: CompletedPart[] = [];
  /** The part under way. It never rejects: a failure is kept for the next call. */
  #sending: Promise<void> | undefined;
  #failure: unknown;
  /** `asked`: S3 was asked to finish the blob, and may have. */
  #state: 'writing' | 'asked' | 'committed' = 'writing';

  constructor(client: S3Client, object: S3Object, name: string, shared: Shared) {
    this.name = name;
    this.#client = client;
    this.#object = object;
    this.#shared = shared;
  }

  async write(...pieces: readonly Buffer[]): Promise<void> {
    for (const piece of pieces) {
      for (let rest = piece; rest.length > 0; ) {
        // Only now, so that a blob of one part needs no upload in parts.
        if (this.#partLength === PART_SIZE) await this.#beginPart();
        const taken = rest.subarray(0, PART_SIZE - this.#partLength);
        this.#collect(taken);
        rest = rest.subarray(taken.length);
      }
    }
  }

  async commit(): Promise<string> {
    announce('content-written');
    if (this.#uploadId !== undefined) {
      await this.#beginPart();
      await this.#sent();
      announce('content-synced');
    }
    this.#state = 'asked';
    await this.#finish().catch((error: unknown) => this.#resolve(error));
    this.#part = undefined;
    this.#state = 'committed';
    announce('folder-synced');
    return this.name;
  }

  async abort(): Promise<void> {
    if (this.#state === 'committed') return;
    await this.#sending;
    this.#part = undefined;
    if (this.#uploadId !== undefined) await abortUpload(this.#client, this.#object, this.#uploadId);
    if (this.#state === 'asked') await this.#client.send(new DeleteObjectCommand(this.#object));
  }

  #collect(bytes: Buffer): void {
    this.#part ??= this.#shared.freeParts.pop() ?? Buffer.allocUnsafeSlow(PART_SIZE);
    bytes.copy(this.#part, this.#partLength);
    this.#partLength += bytes.length;
    this.#size += bytes.length;
  }

  /** Sends what is collected as a part. Resolves when the next one may be collected. */
  async #beginPart(): Promise<void> {
    await this.#sent();
    this.#uploadId ??= await this.#beginUpload();
    this.#sending = this.#send(this.#collected());
    this.#part = undefined;
    this.#partLength = 0;
    if (this.#shared.ahead >= MOST_AHEAD) return this.#sent();
    this.#shared.ahead += 1;
    void this.#sending.then(() => {
      this.#shared.ahead -= 1;
    });
  }

  async #beginUpload(): Promise<string> {
    const { UploadId } = await this.#client.send(new CreateMultipartUploadCommand(this.#object));
    if (!UploadId) throw new Error('S3 gave no id for an upload in parts.');
    return UploadId;
  }

  async #send(Body: Buffer): Promise<void> {
    try {
      const part = { UploadId: this.#uploadId, PartNumber: this.#parts.length + 1 };
      const { ETag } = await this.#client.send(new UploadPartCommand({ ...this.#object, ...part, Body }));
      this.#parts.push({ ETag, PartNumber: part.PartNumber });
      this.#free(Body);
    } catch (error) {
      this.#failure ??= error;
    }
  }

  #collected(): Buffer {
    return this.#part?.subarray(0, this.#partLength) ?? NOTHING;
  }

  /** Of a call that has succeeded: else the client may still read it. */
  #free({ buffer }: Buffer): void {
    const { freeParts } = this.#shared;
    if (buffer.byteLength === PART_SIZE && freeParts.length < MOST_FREE) freeParts.push(Buffer.from(buffer));
  }

  async #sent(): Promise<void> {
    await this.#sending;
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #finish(): Promise<void> {
    const once = { ...this.#object, ...(this.#shared.knowsConditions && { IfNoneMatch: '*' }) };
    try {
      if (this.#uploadId === undefined) {
        const Body = this.#collected();
        await this.#client.send(new PutObjectCommand({ ...once, Body }));
        this.#free(Body);
      } else {
        const upload = { UploadId: this.#uploadId, MultipartUpload: { Parts: this.#parts } };
        await this.#client.send(new CompleteMultipartUploadCommand({ ...once, ...upload }));
      }
    } catch (error) {
      if (!('IfNoneMatch' in once) || !isNotImplemented(error)) throw error;
      this.#shared.knowsConditions = false;
      await this.#finish();
    }
  }

  /**
   * A lost answer: the blob is there, or the repeated call is refused because it is. Nobody else has its name, so it is ours, and S3
   * shows only whole objects.
   */
  async #resolve(error: unknown): Promise<void> {
    const size = await sizeOfObject(this.#client, this.#object).catch(() => undefined);
    if (size !== this.#size) throw error;
  }
}
