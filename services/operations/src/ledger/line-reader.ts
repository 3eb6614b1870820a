import type { BlobStore } from '@indbakke/shared/content';
import { readLines } from '@indbakke/shared/sealed-lines';
import type { Parts } from '@indbakke/shared/service';
import { placeOf } from './files.js';
import { type DayLine, type Line, openLines } from './lines.js';

/** Reads lines of days from their files; keeps the last file, since it has a line of each municipality. */
export class LineReader {
  readonly #parts: Pick<Parts, 'store' | 'keys'>;
  readonly #folder: BlobStore;
  #last: { readonly name: string; readonly lines: readonly Line[] } | undefined;

  constructor(parts: Pick<Parts, 'store' | 'keys'>, folder: BlobStore) {
    this.#parts = parts;
    this.#folder = folder;
  }

  /** Undefined when its file has gone, or is not as it was written. */
  async lineOf(of: { readonly file: string; readonly municipality: string; readonly day: string }) {
    if (this.#last?.name !== of.file) this.#last = { name: of.file, lines: await this.#read(of.file) };
    return this.#last.lines.find(
      (line): line is DayLine => line.is === 'day' && line.municipality === of.municipality && line.day === of.day,
    );
  }

  async #read(name: string): Promise<readonly Line[]> {
    const place = await placeOf(this.#parts, name);
    return place ? openLines(this.#parts.keys, await readLines(this.#folder, name), place).lines : [];
  }
}
