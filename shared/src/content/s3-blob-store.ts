/**
 * Blobs as objects of S3: `<prefix>/<name>`. Beside them are `<prefix>/indbakke`, which marks the store (marked.ts), and
 * `<prefix>/check`, which is written to see that it can be.
 *
 * A blob of less than a part is one PUT, and until then only in memory. A larger one is an upload in parts, which is listed as
 * unfinished until it is completed or aborted. Nothing is overwritten: names are random, and both have
 * If-None-Match where the server knows it.
 */

import {
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandOutput,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  type MultipartUpload,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { S3Settings } from '../config/index.js';
import { announce } from '../crash-points/index.js';
import { isBlobName, newBlobName, requireBlobName } from './blob-name.js';
import type { BlobEntry, BlobReader, BlobWriter, ByteRange } from './blob-store.js';
import type { ContentPlace } from './place.js';
import { createS3Client } from './s3-client.js';
import { explain, faultAtStart, type S3Place } from './s3-faults.js';
import { abortUpload, type S3Object, sizeOfObject } from './s3-object.js';
import { openS3Reader } from './s3-reader.js';
import { S3BlobWriter, type Shared } from './s3-writer.js';

const URL_FORM = /^s3:\/\/([a-z0-9][a-z0-9.-]+[a-z0-9])\/([A-Za-z0-9](?:[\w.!*'()/-]*[\w.!*'()-])?)\/*$/;
const MARK = 'indbakke';
const CHECK = 'check';

/**
 * Opens the blob store that `s3://bucket/prefix` names, and proves that the key may do there what is needed.
 *
 * @throws Error with a sentence for the operator when it may not. While S3 is away it is opened nevertheless: readiness tells that.
 */
export async function openS3BlobStore(url: string, settings: S3Settings): Promise<ContentPlace> {
  const [, bucket, prefix] = URL_FORM.exec(url) ?? [];
  if (bucket === undefined || prefix === undefined)
    throw new Error("a place in S3 is s3://bucket/prefix, without a key, of letters, digits and -_.!*'()");
  const { AWS_ENDPOINT_URL_S3: endpoint, AWS_REGION: region } = settings;
  const host = endpoint ? new URL(endpoint).host : `S3 in ${region}`;
  const store = new S3BlobStore(createS3Client(settings), { bucket, prefix, host });
  await store.prove();
  return store;
}

class S3BlobStore implements ContentPlace {
  readonly isFolder = false;
  readonly #client: S3Client;
  readonly #place: S3Place;
  readonly #shared: Shared = { freeParts: [], ahead: 0, knowsConditions: true };
  /** An object store is no mount, which may go: once is enough, until a check finds otherwise. */
  #isMarked = false;

  constructor(client: S3Client, place: S3Place) {
    this.#client = client;
    this.#place = place;
  }

  create(): Promise<BlobWriter> {
    return this.#begin(newBlobName());
  }

  async createAs(name: string): Promise<BlobWriter> {
    await this.discard(name); // who moved it was killed
    return this.#begin(name);
  }

  async #begin(name: string): Promise<BlobWriter> {
    return new S3BlobWriter(this.#client, this.#blob(name), name, this.#shared);
  }

  async open(name: string, range: ByteRange): Promise<BlobReader | undefined> {
    return openS3Reader(this.#client, this.#blob(name), range);
  }

  // In this order: an upload that is completed meanwhile has become the object, which then goes.
  async remove(name: string): Promise<void> {
    await this.discard(name);
    await this.#client.send(new DeleteObjectCommand(this.#blob(name)));
    announce('content-removed');
    announce('removal-synced'); // S3 answers when it is
  }

  /** An upload may be left although the blob is finished: when the answer to its beginning was lost, and it was begun again. */
  async discard(name: string): Promise<void> {
    const blob = this.#blob(name);
    for await (const { Key, UploadId } of this.#uploads(blob.Key)) {
      if (Key === blob.Key) await abortUpload(this.#client, blob, UploadId as string);
    }
  }

  async *list(): AsyncGenerator<BlobEntry> {
    for await (const { Key = '', Size = 0, LastModified } of this.#objects()) {
      const name = this.#nameOf(Key);
      if (name) yield { name, size: Size, modifiedAt: LastModified as Date, finished: true };
    }
    for await (const { Key = '', Initiated } of this.#uploads(this.#object('').Key)) {
      const name = this.#nameOf(Key);
      if (name) yield { name, size: 0, modifiedAt: Initiated as Date, finished: false };
    }
  }

  async free(): Promise<undefined> {}

  async check(): Promise<void> {
    try {
      await this.#put(CHECK);
      this.#isMarked = await this.#hasMark();
    } catch (error) {
      explain(error);
    }
  }

  async isMarked(): Promise<boolean> {
    this.#isMarked ||= await this.#hasMark().catch(explain);
    return this.#isMarked;
  }

  async mark(): Promise<void> {
    await this.#put(MARK);
    this.#isMarked = true;
  }

  /** @throws Error, a sentence for the operator */
  async prove(): Promise<void> {
    const { Bucket, Key: Prefix } = this.#object('');
    const steps: Readonly<Record<string, () => Promise<unknown>>> = {
      'list objects (s3:ListBucket)': () => this.#client.send(new ListObjectsV2Command({ Bucket, Prefix, MaxKeys: 1 })),
      'list uploads (s3:ListBucketMultipartUploads)': () =>
        this.#client.send(new ListMultipartUploadsCommand({ Bucket, Prefix, MaxUploads: 1 })),
      'write (s3:PutObject)': () => this.#put(CHECK),
      'read (s3:GetObject)': () => sizeOfObject(this.#client, this.#object(CHECK)),
      'remove (s3:DeleteObject)': () => this.#client.send(new DeleteObjectCommand(this.#object(CHECK))),
    };
    for (const [action, step] of Object.entries(steps)) {
      try {
        await step();
      } catch (cause) {
        const sentence = faultAtStart(cause, this.#place, action);
        if (sentence) throw new Error(sentence, { cause });
        return; // it is away
      }
    }
  }

  async #hasMark(): Promise<boolean> {
    return (await sizeOfObject(this.#client, this.#object(MARK))) !== undefined;
  }

  async *#objects(): AsyncGenerator<NonNullable<ListObjectsV2CommandOutput['Contents']>[number]> {
    const { Bucket, Key: Prefix } = this.#object('');
    let page: ListObjectsV2CommandOutput | undefined;
    do {
      const ContinuationToken = page?.NextContinuationToken;
      page = await this.#client.send(new ListObjectsV2Command({ Bucket, Prefix, ContinuationToken }));
      yield* page.Contents ?? [];
    } while (page.IsTruncated);
  }

  async *#uploads(Prefix: string): AsyncGenerator<MultipartUpload> {
    const { Bucket } = this.#object('');
    let page: ListMultipartUploadsCommandOutput | undefined;
    do {
      const after = { KeyMarker: page?.NextKeyMarker, UploadIdMarker: page?.NextUploadIdMarker };
      page = await this.#client.send(new ListMultipartUploadsCommand({ Bucket, Prefix, ...after }));
      yield* page.Uploads ?? [];
    } while (page.IsTruncated);
  }

  async #put(name: string): Promise<void> {
    await this.#client.send(new PutObjectCommand({ ...this.#object(name), Body: Buffer.from('Indbakke') }));
  }

  /** Of a blob; only checked names reach S3. */
  #blob(name: string): S3Object {
    requireBlobName(name);
    return this.#object(name);
  }

  #object(name: string): S3Object {
    return { Bucket: this.#place.bucket, Key: `${this.#place.prefix}/${name}` };
  }

  /** Undefined when the key is not that of a blob. */
  #nameOf(key: string): string | undefined {
    const name = key.slice(this.#object('').Key.length);
    return isBlobName(name) ? name : undefined;
  }
}
