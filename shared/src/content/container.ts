/**
 * The container: the sealed files of one message in one blob. Numbers are big-endian.
 *
 *     header | file | file | …       back to back; the file rows keep each file's offset and size
 *
 * Header, 256 bytes:
 *
 *       0    8   "INDBAKKE"
 *       8    1   version: 1
 *       9    1   length of the key id: 1 to 230
 *      10  230   key id in ASCII, then zeros
 *     240   16   tag
 *
 * The key id names the master key that was current when sealing began. It is for people who find the blob; what counts is
 * the wrapped key in the database, which may have been rewrapped since. A file is read without the header, unless it is the first
 * one: so another version must be told by the row.
 *
 * File: its bytes in segments of 65536, only the last one shorter (0 to 65536; an empty file is one empty segment):
 *
 *       0    n   ciphertext of the segment's n bytes
 *       n   16   tag
 *
 * All tags are of AES-256-GCM under the container's data key, and so is the ciphertext:
 *
 *     nonce             4 bytes file index, 8 bytes segment index
 *     associated data   the nonce, 1 byte last-flag (1 on the last segment of a file), the message id in UTF-8
 *     header            file index ffffffff, segment 0, last-flag 0, an empty text, bytes 0-239 added to the data
 *
 * So a tag covers the place of its segment: a segment that was changed, cut, moved, left out or taken from another message
 * fails verification, and each segment can be verified without the others.
 *
 * The nonce need not be random: GCM requires that no nonce is used twice under one key (NIST SP 800-38D 8.2.1). Each
 * container has its own data key, each attempt its own container, and within it the sealer uses each file index once and
 * counts segments up.
 */

import { createCipheriv, createDecipheriv } from 'node:crypto';
import { Problem } from '../errors/index.js';

/** Bytes of a file in each segment except its last. */
export const SEGMENT_SIZE = 65_536;

const TAG_SIZE = 16;

/** Bytes that a full segment takes in the container. */
export const SEALED_SEGMENT_SIZE = SEGMENT_SIZE + TAG_SIZE;

/** Bytes of the header; the first file begins here. */
export const HEADER_SIZE = 256;

/** Bytes of the key that a container is sealed with. */
export const DATA_KEY_SIZE = 32;

/** File indexes run from 0 to this; the one above it is the header's. */
export const MAX_FILE_INDEX = 0xff_ff_ff_fe;

/** The place of a segment in its container. */
export interface SegmentPlace {
  readonly file: number;
  readonly segment: number;
  readonly last: boolean;
}

/** Index of the last segment of a file of `size` bytes. */
export function lastSegmentOf(size: number): number {
  return Math.max(0, Math.ceil(size / SEGMENT_SIZE) - 1);
}

/** Bytes that a text of `size` bytes takes once sealed as one segment. */
export function sealedSizeOfSegment(size: number): number {
  return size + TAG_SIZE;
}

/** Bytes that a file of `size` bytes takes in the container. */
export function sealedSizeOfFile(size: number): number {
  return size + (lastSegmentOf(size) + 1) * TAG_SIZE;
}

const MAGIC = Buffer.from('INDBAKKE');
const VERSION = 1;
const KEY_ID_AT = 10;
const HEADER_TAG_AT = HEADER_SIZE - TAG_SIZE;
const HEADER_PLACE: SegmentPlace = { file: MAX_FILE_INDEX + 1, segment: 0, last: false };
const NOTHING = Buffer.alloc(0);

const NONCE_SIZE = 12;
const LAST_FLAG_AT = NONCE_SIZE;
const MESSAGE_ID_AT = LAST_FLAG_AT + 1;

/** Seals and opens the parts of one message's container. */
export class ContainerCipher {
  readonly #dataKey: Buffer;
  /** Associated data, beginning with the nonce; only the place changes from segment to segment. */
  readonly #associated: Buffer;
  readonly #nonce: Buffer;

  /** @param dataKey 32 bytes; for sealing, fresh ones that no other container uses. */
  constructor(dataKey: Buffer, messageId: string) {
    this.#dataKey = dataKey;
    this.#associated = Buffer.concat([Buffer.alloc(MESSAGE_ID_AT), Buffer.from(messageId)]);
    this.#nonce = this.#associated.subarray(0, NONCE_SIZE);
  }

  /** Seals `plain` (up to 65536 bytes) and returns its part of the container: 16 bytes more, in two pieces. */
  sealSegment(plain: Buffer, place: SegmentPlace): [ciphertext: Buffer, tag: Buffer] {
    return this.#seal(plain, this.#associatedWith(place));
  }

  /**
   * Returns the bytes of a segment, in a new buffer.
   * @throws Problem `content-damaged` unless it is this message's segment, of this place, unchanged.
   */
  openSegment(sealed: Buffer, place: SegmentPlace): Buffer {
    try {
      return this.#open(sealed, this.#associatedWith(place));
    } catch (cause) {
      throw damaged(`Segment ${place.segment} of file ${place.file} fails verification.`, cause);
    }
  }

  /** The header, 256 bytes. */
  sealHeader(keyId: string): Buffer {
    const header = Buffer.alloc(HEADER_SIZE);
    MAGIC.copy(header);
    header.writeUInt8(VERSION, MAGIC.length);
    header.writeUInt8(keyId.length, KEY_ID_AT - 1);
    header.write(keyId, KEY_ID_AT, HEADER_TAG_AT - KEY_ID_AT, 'ascii');
    const [, tag] = this.#seal(NOTHING, this.#associatedWithHeader(header));
    tag.copy(header, HEADER_TAG_AT);
    return header;
  }

  /** @throws Problem `content-damaged` unless it is the header of this message's container, unchanged. */
  verifyHeader(header: Buffer): void {
    try {
      this.#open(header.subarray(HEADER_TAG_AT), this.#associatedWithHeader(header));
    } catch (cause) {
      throw damaged('The header of the container fails verification.', cause);
    }
    // It is verified, so another version comes from a later release and is not damage.
    const version = header.readUInt8(MAGIC.length);
    if (version !== VERSION) throw new Error(`The container is of version ${version}; this release reads ${VERSION}.`);
  }

  #seal(plain: Buffer, associated: Buffer): [ciphertext: Buffer, tag: Buffer] {
    const cipher = createCipheriv('aes-256-gcm', this.#dataKey, this.#nonce);
    cipher.setAAD(associated);
    const ciphertext = cipher.update(plain);
    cipher.final();
    return [ciphertext, cipher.getAuthTag()];
  }

  #open(sealed: Buffer, associated: Buffer): Buffer {
    // Without authTagLength node would accept a tag cut to 4 bytes.
    const decipher = createDecipheriv('aes-256-gcm', this.#dataKey, this.#nonce, { authTagLength: TAG_SIZE });
    decipher.setAAD(associated);
    decipher.setAuthTag(sealed.subarray(-TAG_SIZE));
    const plain = decipher.update(sealed.subarray(0, -TAG_SIZE));
    decipher.final();
    return plain;
  }

  #associatedWith(place: SegmentPlace): Buffer {
    this.#associated.writeUInt32BE(place.file, 0);
    this.#associated.writeBigUInt64BE(BigInt(place.segment), 4);
    this.#associated.writeUInt8(place.last ? 1 : 0, LAST_FLAG_AT);
    return this.#associated;
  }

  #associatedWithHeader(header: Buffer): Buffer {
    return Buffer.concat([this.#associatedWith(HEADER_PLACE), header.subarray(0, HEADER_TAG_AT)]);
  }
}

/** The stored content is not what was sealed. `detail` contains indexes only. */
export function damaged(detail: string, cause?: unknown): Problem {
  return new Problem('content-damaged', detail, { cause });
}
