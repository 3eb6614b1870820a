import { setTimeout as delay, setImmediate as endOfTurn } from 'node:timers/promises';

export interface BatcherOptions<Item, Result> {
  /** Only items of one key go together: the municipality, where the work is a transaction. */
  keyOf(item: Item): string;
  /** Two items with the same value are never in one batch: the second goes with the next one. */
  conflictOf?(item: Item): string;
  /** Items in a batch, at most. */
  readonly maxBatch: number;
  /** Batches under way at once, at most; each of them takes a connection. */
  readonly concurrency: number;
  /** After a batch, unless a full one waits by then, so that more gather for the next. */
  readonly pauseMs?: number;
  /**
   * Does a batch: all of it or, when it rejects, nothing, since what fails together is then run again one by one.
   *
   * @returns one result for each item, in their order
   */
  run(key: string, items: readonly Item[]): Promise<readonly Result[]>;
  /** A failure that is no item’s own (the database is away): all items get it, and none is run again. */
  isSharedFault?(error: unknown): boolean;
}

/** Does in batches what many ask for at the same time: one transaction then carries what would have been many. */
export interface Batcher<Item, Result> {
  /**
   * Resolves when the item’s batch has been done.
   *
   * @throws what `run` failed with for this item, alone or by a shared fault; never for the fault of another
   */
  add(item: Item): Promise<Result>;
  /** Resolves when all that was added is settled; until then there are no pauses. */
  flush(): Promise<void>;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly key: string;
  readonly conflict: string | undefined;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

/**
 * Gathers by load. A lone item starts at the end of the turn in which it came, with what else came in it. While
 * `concurrency` batches are under way the rest waits, and goes as soon as one ends (and its pause): the key whose item has
 * waited longest first, and with it all of that key that waits.
 */
export function createBatcher<Item, Result>(options: BatcherOptions<Item, Result>): Batcher<Item, Result> {
  const { keyOf, conflictOf, maxBatch, concurrency, pauseMs, run, isSharedFault } = options;
  let waiting: Waiting<Item, Result>[] = []; // oldest first
  const underWay = new Set<Promise<void>>();
  let startsSoon = false;
  let pauses = new AbortController();

  const startAtEndOfTurn = () => {
    if (startsSoon) return;
    startsSoon = true;
    setImmediate(() => {
      startsSoon = false;
      startBatches();
    });
  };

  const startBatches = () => {
    while (underWay.size < concurrency) {
      const batch = takeBatch();
      if (batch.length === 0) return;
      const work = workOff(batch).finally(() => {
        underWay.delete(work);
        startAtEndOfTurn();
      });
      underWay.add(work);
    }
  };

  const takeBatch = (): Waiting<Item, Result>[] => {
    const batch: Waiting<Item, Result>[] = [];
    const left: Waiting<Item, Result>[] = [];
    const conflicts = new Set<string>();
    for (const entry of waiting) {
      const { key, conflict } = entry;
      const fits = batch.length < maxBatch && key === (batch[0]?.key ?? key);
      if (!fits || (conflict !== undefined && conflicts.has(conflict))) {
        left.push(entry);
        continue;
      }
      batch.push(entry);
      if (conflict !== undefined) conflicts.add(conflict);
    }
    waiting = left;
    return batch;
  };

  const workOff = async (batch: readonly Waiting<Item, Result>[]): Promise<void> => {
    await settle(batch);
    if (pauseMs && waiting.length < maxBatch) {
      await delay(pauseMs, undefined, { signal: pauses.signal }).catch(() => {});
    }
  };

  const settle = async (batch: readonly Waiting<Item, Result>[]): Promise<void> => {
    try {
      await runTogether(batch);
    } catch (error) {
      if (batch.length === 1 || isSharedFault?.(error)) rejectAll(batch, error);
      else await settleOneByOne(batch);
    }
  };

  /** A shared fault ends it: while the database is away, each that is left would wait for it anew, one after the other. */
  const settleOneByOne = async (batch: readonly Waiting<Item, Result>[]): Promise<void> => {
    for (const [index, entry] of batch.entries()) {
      try {
        await runTogether([entry]);
      } catch (error) {
        if (isSharedFault?.(error)) return rejectAll(batch.slice(index), error);
        entry.reject(error);
      }
    }
  };

  const rejectAll = (batch: readonly Waiting<Item, Result>[], error: unknown) => {
    for (const { reject } of batch) reject(error);
  };

  const runTogether = async (batch: readonly Waiting<Item, Result>[]): Promise<void> => {
    const items = batch.map(({ item }) => item);
    const results = await run((batch[0] as Waiting<Item, Result>).key, items);
    if (results.length !== items.length) throw new Error(`${items.length} items gave ${results.length} results`);
    for (const [index, { resolve }] of batch.entries()) resolve(results[index] as Result);
  };

  return {
    add: (item) =>
      new Promise((resolve, reject) => {
        waiting.push({ item, key: keyOf(item), conflict: conflictOf?.(item), resolve, reject });
        startAtEndOfTurn();
      }),

    async flush() {
      pauses.abort();
      while (waiting.length > 0 || underWay.size > 0) {
        await Promise.all(underWay);
        await endOfTurn();
      }
      pauses = new AbortController();
    },
  };
}
