/**
 * Moves content from one place to another while everything runs, with the names that it has. Services know both places meanwhile
 * (BLOB_URL_OTHER), so each blob may be in one, the other or both.
 *
 * What is deleted does not come back: a copy is finished only while the row that names it is locked, so either the deletion comes
 * first, and the copy is given up unfinished; or it comes after, and its removal reaches both places.
 */

import { createHash } from 'node:crypto';
import type { BlobReader, BlobWriter, ContentPlace } from '../content/index.js';
import { announce } from '../crash-points/index.js';
import { Problem } from '../errors/index.js';
import { WHAT_NAMES_CONTENT } from '../inbox/index.js';
import type { withMaintenance } from '../store/index.js';

type Connection = Parameters<Parameters<typeof withMaintenance>[1]>[0];

export interface Move {
  readonly from: ContentPlace;
  readonly to: ContentPlace;
}

/** What has become of the blobs that were in the old place. */
export interface Moved {
  moved: number;
  bytes: number;
  /** Deleted meanwhile. */
  gone: number;
  /** Without a row: left where they were, for the sweep of orphans. */
  unnamed: number;
  /** Left too: `name: why`. */
  readonly failed: string[];
}

export interface MoveOptions {
  /** Asked before each blob; false stops. */
  readonly mayGoOn?: () => boolean;
  /** After each blob. */
  readonly onProgress?: (soFar: Moved) => void;
}

const PIECE = 2 ** 20;

/**
 * Moves the blobs that rows name, one after the other on each connection. What it leaves, the next call finds; it may be killed at any
 * time.
 *
 * @param connections of the owner of the tables, past row-level security
 */
export function moveContent(connections: readonly Connection[], move: Move, options?: MoveOptions): Promise<Moved> {
  const movers = connections.map((connection) => (name: string) => moveNamed(connection, move, name));
  return moveAll(movers, move, options);
}

/** Moves all blobs, of a place from which nothing is ever removed, as a ledger is. */
export function moveLedger(move: Move, options?: MoveOptions): Promise<Moved> {
  return moveAll([(name) => moveOne(move, name, (writer) => writer.commit())], move, options);
}

type Fate = { readonly bytes: number } | 'gone' | 'unnamed';

async function moveAll(
  movers: readonly ((name: string) => Promise<Fate>)[],
  { from }: Move,
  { mayGoOn = () => true, onProgress = () => {} }: MoveOptions = {},
): Promise<Moved> {
  const moved: Moved = { moved: 0, bytes: 0, gone: 0, unnamed: 0, failed: [] };
  const entries = from.list()[Symbol.asyncIterator]();
  const work = async (mover: (name: string) => Promise<Fate>) => {
    for (;;) {
      const { value: entry, done } = await entries.next();
      if (done || !mayGoOn()) return;
      if (!entry.finished) continue;
      try {
        count(moved, await mover(entry.name));
      } catch (error) {
        moved.failed.push(`${entry.name}: ${reasonOf(error)}`);
      }
      onProgress(moved);
    }
  };
  await Promise.all(movers.map(work));
  return moved;
}

function count(moved: Moved, fate: Fate): void {
  if (fate === 'gone') moved.gone += 1;
  else if (fate === 'unnamed') moved.unnamed += 1;
  else {
    moved.moved += 1;
    moved.bytes += fate.bytes;
  }
}

async function moveNamed(connection: Connection, move: Move, name: string): Promise<Fate> {
  const { rows } = await connection.query<{ table: string }>(WHAT_NAMES_CONTENT, [[name]]);
  const table = rows[0]?.table;
  if (table === undefined) return 'unnamed';
  return moveOne(move, name, (writer) => finishNamed(connection, table, writer));
}

/**
 * Finishes a copy while its row is locked.
 * @returns false when it has none any more
 */
async function finishNamed(connection: Connection, table: string, writer: BlobWriter): Promise<unknown> {
  await connection.query('BEGIN');
  try {
    const locked = await connection.query(`SELECT FROM ${table} WHERE blob_name = $1 FOR SHARE`, [writer.name]);
    if (locked.rowCount === 0) return false;
    announce('move-locked');
    return await writer.commit();
  } finally {
    await connection.query('ROLLBACK'); // nothing was written
  }
}

/** @param finish commits the copy, or returns false when it must not be */
async function moveOne(
  { from, to }: Move,
  name: string,
  finish: (writer: BlobWriter) => Promise<unknown>,
): Promise<Fate> {
  const there = await hashOf(to, name);
  const copied = there ? await hashOf(from, name) : await copy({ from, to }, name, finish);
  if (copied === undefined) return 'gone';
  announce('move-copied');
  const readBack = there ?? (await hashOf(to, name));
  if (readBack === undefined) return 'gone';
  if (readBack.sha256 !== copied.sha256) {
    await to.remove(name);
    throw new Differs('the copy differs, and was removed');
  }
  announce('move-verified');
  await from.remove(name);
  return { bytes: copied.bytes };
}

interface Hashed {
  readonly sha256: string;
  readonly bytes: number;
}

/** @returns the hash of what was read; undefined when the blob is gone, and then there is no copy */
async function copy(
  { from, to }: Move,
  name: string,
  finish: (writer: BlobWriter) => Promise<unknown>,
): Promise<Hashed | undefined> {
  const reader = await from.open(name, WHOLE);
  if (!reader) return undefined;
  const writer = await to.createAs(name);
  try {
    const read = await eachPiece(reader, (piece) => writer.write(piece));
    return read && (await finish(writer)) !== false ? read : undefined;
  } finally {
    await writer.abort(); // does nothing once it is committed
  }
}

const WHOLE = { start: 0, end: Number.MAX_SAFE_INTEGER };

/** Undefined when there is no such blob. */
async function hashOf(place: ContentPlace, name: string): Promise<Hashed | undefined> {
  const reader = await place.open(name, WHOLE);
  return reader && eachPiece(reader, async () => {});
}

/** Reads to the end, and closes. Undefined when the blob is removed meanwhile. */
async function eachPiece(reader: BlobReader, take: (piece: Buffer) => Promise<void>): Promise<Hashed | undefined> {
  const sha256 = createHash('sha256');
  let bytes = 0;
  try {
    for (const piece = Buffer.allocUnsafe(PIECE); ; ) {
      const filled = await reader.read(piece);
      if (filled === 0) return { sha256: sha256.digest('hex'), bytes };
      sha256.update(piece.subarray(0, filled));
      await take(piece.subarray(0, filled));
      bytes += filled;
    }
  } catch (error) {
    if (error instanceof Problem && error.code === 'content-gone') return undefined;
    throw error;
  } finally {
    await reader.close();
  }
}

class Differs extends Error {}

/** Nothing of the text of an error that is not ours, which may say anything. */
function reasonOf(error: unknown): string {
  if (error instanceof Differs) return error.message;
  const { name, code } = error as { name?: string; code?: string };
  return code ?? name ?? 'failed';
}
