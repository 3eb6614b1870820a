import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtemp, readdir, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import {
  type BlobStore,
  type ByteRange,
  containerInMemory,
  createSealer,
  type FileSealer,
  HashingThread,
  openFileBlobStore,
  openSealedFile,
  type SealedContainer,
  type SealedFile,
  type SealedFileRequest,
} from '../../src/content/index.js';
import { CRASH_POINT_CHANNEL, type CrashPointMessage } from '../../src/crash-points/index.js';
import { createKeyFile, dataKeyContext, type KeyRing, loadKeyRing } from '../../src/keys/index.js';

export const MESSAGE_ID = '0198f3a2-6c1e-7d35-9f64-2b1f0c7a9e11';
export const MUNICIPALITY = '29189846';

/** A folder for one test, removed after it. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'indbakke-content-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** What a sealer needs, except the message. */
export interface Setting {
  readonly folder: string;
  readonly blobs: BlobStore;
  readonly keys: KeyRing;
  readonly hashingThread: HashingThread;
}

/** An empty store and keys, gone after the test. */
export async function setting(): Promise<Setting> {
  const folder = await temporaryFolder();
  const keyFile = join(await temporaryFolder(), 'keys.json');
  await createKeyFile(keyFile);
  const hashingThread = new HashingThread();
  return { folder, blobs: await openFileBlobStore(folder), keys: await loadKeyRing(keyFile), hashingThread };
}

/** Pseudo-random bytes, different in every segment. */
export function bytes(size: number, seed = 1): Buffer {
  const result = Buffer.alloc(size);
  let state = seed;
  for (let at = 0; at < size; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    result[at] = state >>> 24;
  }
  return result;
}

/** Writes `content` in pieces of the given sizes, in turn, all from one buffer that is wiped after each. */
export async function writeInPieces(file: FileSealer, content: Buffer, pieceSizes: readonly number[]): Promise<void> {
  const reused = Buffer.alloc(Math.max(...pieceSizes));
  for (let at = 0, piece = 0; at < content.length; piece += 1) {
    const size = Math.min(pieceSizes[piece % pieceSizes.length] ?? 1, content.length - at);
    content.copy(reused, 0, at, at + size);
    await file.write(reused.subarray(0, size));
    reused.fill(0);
    at += size;
  }
}

/** Writes `content` from the buffers that the sealer lends, as a decoder does. */
export async function writeLent(file: FileSealer, content: Buffer): Promise<void> {
  let inFlight: Promise<void> | undefined;
  for (let at = 0; at < content.length; ) {
    const lent = file.lend(4);
    const size = Math.min(lent.length - 4, content.length - at);
    content.copy(lent, 0, at, at + lent.length);
    await inFlight;
    inFlight = file.write(lent.subarray(0, size));
    inFlight?.catch(() => {}); // awaited later
    at += size;
  }
  await inFlight;
}

export interface SealedMessage {
  readonly messageId: string;
  readonly container: SealedContainer;
  readonly files: readonly SealedFile[];
  readonly dataKey: Buffer;
}

export async function sealMessage(
  { blobs, keys, hashingThread }: Setting,
  contents: readonly Buffer[],
  {
    messageId = MESSAGE_ID,
    pieceSizes = [196_608],
    smallBytes = 0,
  }: { messageId?: string; pieceSizes?: readonly number[]; smallBytes?: number } = {},
): Promise<SealedMessage> {
  const sealer = createSealer({ blobs, keys, hashingThread, messageId, smallBytes });
  const files: SealedFile[] = [];
  for (const [index, content] of contents.entries()) {
    const file = sealer.openFile(index);
    await writeInPieces(file, content, pieceSizes);
    files.push(await file.end());
  }
  const container = await sealer.commit({ municipality: MUNICIPALITY });
  if (container === undefined) throw new Error('There was no file to seal.');
  const dataKey = await keys.unwrap(container.wrappedKey, dataKeyContext(messageId, MUNICIPALITY));
  return { messageId, container, files, dataKey };
}

export function fileOf(message: SealedMessage, index: number): SealedFile {
  const file = message.files[index];
  if (file === undefined) throw new Error(`There is no file ${index}.`);
  return file;
}

export async function readFile(
  blobs: BlobStore,
  message: SealedMessage,
  file: Pick<SealedFile, 'index' | 'offset' | 'size'>,
  range?: ByteRange,
): Promise<Buffer> {
  const request = requestOf(blobs, message, file);
  return buffer(openSealedFile(range === undefined ? request : { ...request, range }));
}

/** `blobs` with some methods replaced. */
export function alteredStore(blobs: BlobStore, changes: Partial<BlobStore>): BlobStore {
  return {
    create: () => blobs.create(),
    open: (name, range) => blobs.open(name, range),
    remove: (name) => blobs.remove(name),
    discard: (name) => blobs.discard(name),
    list: () => blobs.list(),
    free: () => blobs.free(),
    check: () => blobs.check(),
    ...changes,
  };
}

/** Path of a finished blob in the store's folder. */
export function pathOf(folder: string, name: string): string {
  return join(folder, name.slice(0, 2), name);
}

export async function entriesOf<T>(entries: AsyncIterable<T>): Promise<T[]> {
  const result: T[] = [];
  for await (const entry of entries) result.push(entry);
  return result;
}

/** Every file below a folder, at any depth, relative to it. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length));
}

/** Calls `onCrashPoint` at each crash point that `work` reaches. */
export async function duringCrashPoints(
  onCrashPoint: (point: string) => void,
  work: () => Promise<unknown>,
): Promise<void> {
  const listener = (message: unknown) => onCrashPoint((message as CrashPointMessage).point);
  subscribe(CRASH_POINT_CHANNEL, listener);
  try {
    await work();
  } finally {
    unsubscribe(CRASH_POINT_CHANNEL, listener);
  }
}

/** What this process has open below `folder`; on systems other than Linux, nothing. */
export async function openBelow(folder: string): Promise<string[]> {
  if (process.platform !== 'linux') return [];
  const handles = await readdir('/proc/self/fd');
  const targets = await Promise.all(handles.map((handle) => readlink(`/proc/self/fd/${handle}`).catch(() => '')));
  return targets.filter((target) => target.startsWith(folder));
}

export function requestOf(
  blobs: BlobStore,
  { messageId, dataKey, container: { place } }: SealedMessage,
  file: SealedFileRequest['file'],
): SealedFileRequest {
  const openContainer: SealedFileRequest['openContainer'] =
    'bytes' in place ? containerInMemory(place.bytes) : (range) => blobs.open(place.blobName, range);
  return { openContainer, dataKey, messageId, file };
}

/** The name of a container in the store. */
export function blobNameOf(container: SealedContainer | undefined): string {
  if (!container || 'bytes' in container.place) throw new Error('There is no container in the store.');
  return container.place.blobName;
}
