import { KiB } from '../config/index.js';
import type { BlobStore } from '../content/index.js';
import { chainedDigest, type KeyRing } from '../keys/index.js';

// Lines of JSON in files outside the database, each after a keyed hash of itself. The files are stored like content: whole or not at
// all.

/** A line, and its hash. */
export interface SealedLine {
  readonly line: string;
  readonly seal: Buffer;
}

/** @param previous hash of the line before, where the lines are a chain */
export function sealLine(keys: KeyRing, purpose: string, text: string, previous: Buffer | null = null): SealedLine {
  const seal = chainedDigest(keys, purpose, previous, text);
  return { line: `${seal.toString('hex')} ${text}\n`, seal };
}

/** The text of a line as it was sealed; undefined when it is not as it was written, or not in its place of the chain. */
export function openLine(
  keys: KeyRing,
  purpose: string,
  line: string,
  previous: Buffer | null = null,
): { readonly text: string; readonly seal: Buffer } | undefined {
  const [given = ''] = line.split(' ', 1);
  const text = line.slice(given.length + 1);
  const { seal } = sealLine(keys, purpose, text, previous);
  return given === seal.toString('hex') ? { text, seal } : undefined;
}

/** Writes lines as one file; once this resolves it survives a power cut. @returns its name */
export async function writeLines(folder: BlobStore, lines: readonly SealedLine[]): Promise<string> {
  const writer = await folder.create();
  try {
    await writer.write(Buffer.from(lines.map(({ line }) => line).join('')));
    return await writer.commit();
  } finally {
    await writer.abort();
  }
}

const PIECE = 256 * KiB;

/** The lines of a file; none when it has gone. */
export async function readLines(folder: BlobStore, name: string): Promise<string[]> {
  const reader = await folder.open(name, { start: 0, end: Number.MAX_SAFE_INTEGER });
  if (!reader) return [];
  try {
    const pieces: Buffer[] = [];
    for (;;) {
      const piece = Buffer.alloc(PIECE);
      const filled = await reader.read(piece);
      pieces.push(piece.subarray(0, filled));
      if (filled < PIECE) return Buffer.concat(pieces).toString().split('\n').slice(0, -1);
    }
  } finally {
    await reader.close();
  }
}
