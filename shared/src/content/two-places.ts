import { Problem } from '../errors/index.js';
import { NotReady } from '../readiness/index.js';
import type { BlobReader, BlobStore, ByteRange } from './blob-store.js';
import { isEmpty, type Markable } from './marked.js';

/**
 * Content that is being moved, as one store: what is new goes to `place`, reads look in both, removals reach both. The list has a
 * blob twice while it is in both.
 */
export function inTwoPlaces(place: Markable, other: Markable): Markable {
  return {
    isFolder: false,
    create: () => place.create(),
    async open(name, range) {
      const reader = await place.open(name, range);
      if (reader) return reader;
      const old = await other.open(name, range);
      // Again, as it may have been moved just now.
      return old ? new MovedReader(old, place, name, range) : place.open(name, range);
    },
    async remove(name) {
      await place.remove(name);
      await other.remove(name);
    },
    async discard(name) {
      await place.discard(name);
      await other.discard(name);
    },
    // In this order, so that a blob that is moved meanwhile is not missed.
    async *list() {
      yield* other.list();
      yield* place.list();
    },
    free: () => place.free(),
    async check() {
      await place.check();
      await other.check();
    },
    async isMarked() {
      return (await place.isMarked()) && (await other.isMarked());
    },
    async mark() {
      await requireMounted(place, other);
      await requireMounted(other, place);
      await place.mark();
      await other.mark();
    },
  };
}

/** An empty folder without a mark, beside a place that has one, may be that of a mount that is away: an operator marks it. */
async function requireMounted(place: Markable, beside: Markable): Promise<void> {
  if (!place.isFolder || (await place.isMarked())) return;
  if ((await beside.isMarked()) && (await isEmpty(place))) throw new NotReady('empty');
}

/** Goes on in the new place when the blob goes from the old one. */
class MovedReader implements BlobReader {
  #reader: BlobReader;
  readonly #place: BlobStore;
  readonly #name: string;
  readonly #end: number;
  #position: number;

  constructor(reader: BlobReader, place: BlobStore, name: string, { start, end }: ByteRange) {
    this.#reader = reader;
    this.#place = place;
    this.#name = name;
    this.#position = start;
    this.#end = end;
  }

  async read(into: Buffer): Promise<number> {
    const filled = await this.#reader.read(into).catch((error: unknown) => this.#readMoved(into, error));
    this.#position += filled;
    return filled;
  }

  close(): Promise<void> {
    return this.#reader.close();
  }

  async #readMoved(into: Buffer, error: unknown): Promise<number> {
    if (!(error instanceof Problem) || error.code !== 'content-gone') throw error;
    const moved = await this.#place.open(this.#name, { start: this.#position, end: this.#end });
    if (!moved) throw error;
    await this.#reader.close();
    this.#reader = moved;
    return moved.read(into);
  }
}
