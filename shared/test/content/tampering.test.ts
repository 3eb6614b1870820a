import { createCipheriv, createDecipheriv } from 'node:crypto';
import { readFile as readBlob, truncate, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { openSealedFile } from '../../src/content/index.js';
import {
  blobNameOf,
  bytes,
  fileOf,
  MESSAGE_ID,
  pathOf,
  readFile,
  requestOf,
  type SealedMessage,
  type Setting,
  sealMessage,
  setting,
} from './support.js';

const SEGMENT = 65_536;
const SEALED_SEGMENT = SEGMENT + 16;
const HEADER = 256;
const DAMAGED = { name: 'Problem', code: 'content-damaged' };

describe('tampering is detected', () => {
  it('with a flipped bit in each part of the container', async () => {
    const { here, message, path, stored } = await threeFiles();
    const parts = {
      'first byte of the header': 0,
      'version in the header': 8,
      'length of the key id': 9,
      'key id': 10,
      'zeros after the key id': 239,
      'tag of the header': 255,
      'first byte of a segment': HEADER,
      'last byte of a segment': HEADER + SEGMENT - 1,
      'first byte of a tag': HEADER + SEGMENT,
      'last byte of a tag': HEADER + SEALED_SEGMENT - 1,
      'a middle segment': HEADER + SEALED_SEGMENT + 100,
      'the last segment': HEADER + 2 * SEALED_SEGMENT,
      'the last tag': fileOf(message, 1).offset - 1,
    };
    for (const [part, at] of Object.entries(parts)) {
      const changed = Buffer.from(stored);
      changed.writeUInt8(changed.readUInt8(at) ^ 0x10, at);
      await writeFile(path, changed);
      await expect(readFile(here.blobs, message, fileOf(message, 0)), part).rejects.toMatchObject(DAMAGED);
    }
    await writeFile(path, stored);
    await expect(readFile(here.blobs, message, fileOf(message, 0))).resolves.toBeDefined();
  });

  it('with two segments of a file swapped', async () => {
    const { here, message, path, stored } = await threeFiles();
    await writeFile(path, swapped(stored, HEADER, HEADER + SEALED_SEGMENT));
    await expect(readFile(here.blobs, message, fileOf(message, 0))).rejects.toMatchObject(DAMAGED);
  });

  it('with two files swapped', async () => {
    const { here, message, path, stored } = await threeFiles();
    const [one, other] = [fileOf(message, 0), fileOf(message, 1)];
    expect(one.size).toBe(other.size);
    await writeFile(path, swapped(stored, one.offset, other.offset));
    await expect(readFile(here.blobs, message, one, { start: 0, end: 10 })).rejects.toMatchObject(DAMAGED);
    await writeFile(path, stored);
    await expect(readFile(here.blobs, message, { ...one, offset: other.offset })).rejects.toMatchObject(DAMAGED);
    await expect(readFile(here.blobs, message, { ...one, index: 1 })).rejects.toMatchObject(DAMAGED);
  });

  it('with a container cut between segments, within one, or within the header', async () => {
    const { here, message, path } = await threeFiles();
    const last = fileOf(message, 2);
    for (const size of [message.container.size - 1, last.offset + SEALED_SEGMENT, last.offset, 100, 0]) {
      await truncate(path, size);
      await expect(readFile(here.blobs, message, last)).rejects.toMatchObject({
        ...DAMAGED,
        detail: 'The container is shorter than it was.',
      });
    }
  });

  it('with the last segment removed, even when the size in the row is changed to match', async () => {
    const { here, message } = await threeFiles();
    for (const size of [SEGMENT, 2 * SEGMENT, 2 * SEGMENT + 99, 2 * SEGMENT + 101]) {
      await expect(readFile(here.blobs, message, { ...fileOf(message, 0), size })).rejects.toMatchObject(DAMAGED);
    }
  });

  it('with a container of another message, or part of one', async () => {
    const { here, message, path, stored } = await threeFiles();
    const other = await sealMessage(here, [bytes(2 * SEGMENT + 100, 9)], { messageId: 'other' });
    const foreign = await readBlob(pathOf(here.folder, blobNameOf(other.container)));
    await writeFile(path, foreign);
    await expect(readFile(here.blobs, message, fileOf(message, 0))).rejects.toMatchObject(DAMAGED);
    await writeFile(path, Buffer.concat([stored.subarray(0, HEADER), foreign.subarray(HEADER)]));
    await expect(readFile(here.blobs, message, fileOf(message, 0))).rejects.toMatchObject(DAMAGED);
  });

  it('with another message id or key', async () => {
    const { here, message } = await threeFiles();
    const file = fileOf(message, 0);
    await expect(readFile(here.blobs, { ...message, messageId: 'other' }, file)).rejects.toMatchObject(DAMAGED);
    await expect(readFile(here.blobs, { ...message, dataKey: bytes(32) }, file)).rejects.toMatchObject(DAMAGED);
  });

  it('before any byte of the segment is delivered, and after the intact ones before it', async () => {
    const { here, message, path, stored } = await threeFiles();
    const changed = Buffer.from(stored);
    const lastByteOfSecondSegment = HEADER + SEALED_SEGMENT + SEGMENT - 1;
    changed.writeUInt8(changed.readUInt8(lastByteOfSecondSegment) ^ 1, lastByteOfSecondSegment);
    await writeFile(path, changed);
    const request = requestOf(here.blobs, message, fileOf(message, 0));
    let received = 0;
    const reading = async () => {
      for await (const chunk of openSealedFile(request)) received += (chunk as Buffer).length;
    };
    await expect(reading()).rejects.toMatchObject({ ...DAMAGED, detail: 'Segment 1 of file 0 fails verification.' });
    expect(received).toBeLessThanOrEqual(SEGMENT);
    await expect(readFile(here.blobs, message, fileOf(message, 0), { start: 0, end: SEGMENT })).resolves.toHaveLength(
      SEGMENT,
    );
  });
});

describe('the layout', () => {
  it('is the documented one, byte for byte', async () => {
    const { here, message, stored } = await threeFiles();
    const keyId = here.keys.currentKeyId;
    const start = Buffer.concat([Buffer.from('INDBAKKE'), Buffer.from([1, keyId.length]), Buffer.from(keyId, 'ascii')]);
    expect(stored.subarray(0, 240)).toEqual(Buffer.concat([start, Buffer.alloc(240 - start.length)]));
    expect(
      unsealed(message, stored.subarray(240, HEADER), 'ffffffff', '0000000000000000', '00', stored.subarray(0, 240)),
    ).toHaveLength(0);
    const last = stored.subarray(HEADER + 2 * SEALED_SEGMENT, fileOf(message, 1).offset);
    const middle = stored.subarray(HEADER + SEALED_SEGMENT, HEADER + 2 * SEALED_SEGMENT);
    const content = bytes(2 * SEGMENT + 100, 1);
    expect(unsealed(message, middle, '00000000', '0000000000000001', '00')).toEqual(
      content.subarray(SEGMENT, 2 * SEGMENT),
    );
    expect(unsealed(message, last, '00000000', '0000000000000002', '01')).toEqual(content.subarray(2 * SEGMENT));
    expect(fileOf(message, 0).offset).toBe(HEADER);
    expect(message.container.size).toBe(stored.length);
  });

  it('of a later version is distinguished from damage', async () => {
    const { here, message, path, stored } = await threeFiles();
    const header = Buffer.from(stored.subarray(0, 240));
    header.writeUInt8(2, 8);
    const { nonce, associated } = place(message, 'ffffffff', '0000000000000000', '00', header);
    const cipher = createCipheriv('aes-256-gcm', message.dataKey, nonce).setAAD(associated);
    cipher.final();
    await writeFile(path, Buffer.concat([header, cipher.getAuthTag(), stored.subarray(HEADER)]));
    await expect(readFile(here.blobs, message, fileOf(message, 0))).rejects.toThrow(
      'The container is of version 2; this release reads 1.',
    );
  });
});

async function threeFiles(): Promise<{ here: Setting; message: SealedMessage; path: string; stored: Buffer }> {
  const here = await setting();
  const size = 2 * SEGMENT + 100;
  const message = await sealMessage(here, [bytes(size, 1), bytes(size, 2), bytes(size, 3)]);
  const path = pathOf(here.folder, blobNameOf(message.container));
  return { here, message, path, stored: await readBlob(path) };
}

function swapped(stored: Buffer, one: number, other: number): Buffer {
  const result = Buffer.from(stored);
  stored.copy(result, one, other, other + SEALED_SEGMENT);
  stored.copy(result, other, one, one + SEALED_SEGMENT);
  return result;
}

/** Nonce and associated data as described in container.ts. */
function place(message: SealedMessage, file: string, segment: string, last: string, added: Buffer = Buffer.alloc(0)) {
  const nonce = Buffer.from(file + segment, 'hex');
  expect(message.messageId).toBe(MESSAGE_ID);
  return { nonce, associated: Buffer.concat([nonce, Buffer.from(last, 'hex'), Buffer.from(MESSAGE_ID), added]) };
}

function unsealed(message: SealedMessage, sealed: Buffer, file: string, segment: string, last: string, added?: Buffer) {
  const { nonce, associated } = place(message, file, segment, last, added);
  const decipher = createDecipheriv('aes-256-gcm', message.dataKey, nonce, { authTagLength: 16 }).setAAD(associated);
  decipher.setAuthTag(sealed.subarray(-16));
  return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
}
