import { closeSync, lstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Finder } from './needles.js';

/** A folder with its name in the report. */
export interface Area {
  readonly name: string;
  readonly folder: string;
  /** Which of its files, by their paths in it; default: all. */
  readonly has?: (path: string) => boolean;
}

export interface Searched {
  readonly area: string;
  readonly files: number;
  readonly bytes: number;
}

export interface Found {
  readonly area: string;
  /** Path in the area. */
  readonly file: string;
  readonly plant: string;
  readonly form: string;
}

const CHUNK = 16 * 2 ** 20;

/** Searches every file of the areas, whatever it is. */
export function searchFiles(areas: readonly Area[], finder: Finder): { searched: Searched[]; found: Found[] } {
  const found = new Map<string, Found>();
  const chunk = Buffer.allocUnsafe(CHUNK);
  const searched = areas.map(({ name, folder, has = () => true }) => {
    let [files, bytes] = [0, 0];
    for (const path of filesIn(folder)) {
      const file = relative(folder, path);
      if (!has(file)) continue;
      files += 1;
      bytes += searchFile(path, chunk, finder, (plant, form) => {
        found.set(`${path} ${plant} ${form}`, { area: name, file, plant, form });
      });
    }
    return { area: name, files, bytes };
  });
  return { searched, found: [...found.values()] };
}

/** @returns how many bytes it has */
function searchFile(
  path: string,
  chunk: Buffer,
  finder: Finder,
  onFound: (plant: string, form: string) => void,
): number {
  let handle: number;
  try {
    handle = openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0; // removed meanwhile
    throw error;
  }
  try {
    let [bytes, kept] = [0, 0];
    for (;;) {
      const read = readSync(handle, chunk, kept, CHUNK - kept, null);
      if (read === 0) return bytes;
      bytes += read;
      const filled = chunk.subarray(0, kept + read);
      finder.find(filled, ({ plant, form }) => onFound(plant, form));
      // What begins at the end of this chunk ends in the next one.
      kept = Math.min(finder.longest - 1, filled.length);
      chunk.copyWithin(0, filled.length - kept, filled.length);
    }
  } finally {
    closeSync(handle);
  }
}

function* filesIn(folder: string): Generator<string> {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return;
    throw error;
  }
  for (const name of names) {
    const path = join(folder, name);
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats?.isDirectory()) yield* filesIn(path);
    else if (stats?.isFile()) yield path;
  }
}
