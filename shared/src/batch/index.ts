import { setTimeout as delay, setImmediate as endOfTurn } from 'node:timers/promises';

export interface BatcherOptions<Item, Result> {
  /** Items in a batch have the same key: the municipality, where the work is a transaction. */
  keyOf(item: Item): string;
  /** Two items with the same value are never in one batch: the second one waits for the next. */
  conflictOf?(item: Item): string;
  /** Most items in a batch. */
  readonly maxBatch: number;
  /** Most batches in flight; each of them takes a connection. */
  readonly concurrency: number;
  /** Pause after a batch, so that the next one grows, unless a full one waits or there were few lately. */
  readonly pauseMs?: number;
  /**
   * Runs a batch: all of it or, when it rejects, nothing, since the items of a failed batch run again one by one.
   *
   * @returns one result per item, in their order
   */
  run(key: string, items: readonly Item[]): Promise<readonly Result[]>;
  /** Whether no item caused the failure (the database is away): all items get it, and none runs again. */
  isSharedFault?(error: unknown): boolean;
}

/** Runs concurrent work in batches: one transaction instead of many. */
export interface Batcher<Item, Result> {
  /**
   * Resolves with the item’s result.
   *
   * @throws what `run` failed with for this item, alone or by a shared fault; never the error of another item
   */
  add(item: Item): Promise<Result>;
  /** Resolves when all items are settled; until then there are no pauses. */
  flush(): Promise<void>;
}

/** How many batches end without a pause, so that what comes a few times a second waits for none. */
const WITHOUT_PAUSE = 8;

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly key: string;
  readonly conflict: string | undefined;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

/**
 * Batches grow with the load. A lone item starts at the end of the turn in which it was added, with everything else added in
 * that turn. While `concurrency` batches are in flight the rest waits until one ends (and its pause): then the item that has
 * waited longest starts, with all waiting items of its key.
 */
export function createBatcher<Item, Result>(options: BatcherOptions<Item, Result>): Batcher<Item, Result> {
  const { keyOf, conflictOf, maxBatch, concurrency, pauseMs, run, isSharedFault } = options;
  let waiting: Waiting<Item, Result>[] = []; // oldest first
  const inFlight = new Set<Promise<void>>();
  let startsSoon = false;
  let pauses = new AbortController();
  let pausedUntil = Number.NEGATIVE_INFINITY; // by performance.now()

  const startAtEndOfTurn = () => {
    if (startsSoon) return;
    startsSoon = true;
    setImmediate(() => {
      startsSoon = false;
      startBatches();
    });
  };

  const startBatches = () => {
    while (inFlight.size < concurrency) {
      const batch = takeBatch();
      if (batch.length === 0) return;
      const work = runThenPause(batch).finally(() => {
        inFlight.delete(work);
        startAtEndOfTurn();
      });
      inFlight.add(work);
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

  const runThenPause = async (batch: readonly Waiting<Item, Result>[]): Promise<void> => {
    await settle(batch);
    if (!pauseMs) return;
    const now = performance.now();
    pausedUntil = Math.min(now, Math.max(pausedUntil, now - WITHOUT_PAUSE * pauseMs)) + pauseMs;
    if (pausedUntil > now && waiting.length < maxBatch) {
      await delay(pausedUntil - now, undefined, { signal: pauses.signal }).catch(() => {});
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

  /** Stops at a shared fault: while the database is away, each remaining item would wait for it in turn. */
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
      while (waiting.length > 0 || inFlight.size > 0) {
        await Promise.all(inFlight);
        await endOfTurn();
      }
      pauses = new AbortController();
    },
  };
}
