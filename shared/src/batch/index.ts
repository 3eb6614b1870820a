export interface GrouperOptions<Item, Result> {
  /** Only items of one key go together: the municipality, where the work is a transaction. */
  keyOf(item: Item): string;
  /** Two items that name the same are never in one group: the second goes with the next one. */
  conflictOf?(item: Item): string;
  /** Items in a group, at most. */
  readonly maxGroup: number;
  /** Groups under way at once, at most; each of them takes a connection. */
  readonly sideBySide: number;
  /**
   * Does a group: all of it or, when it rejects, nothing, since what fails together is then run again one by one.
   *
   * @returns one result for each item, in their order
   */
  run(key: string, items: readonly Item[]): Promise<readonly Result[]>;
  /** A failure that is no item’s own (the database is away): all are told, and none is run again. */
  isSharedFault?(error: unknown): boolean;
}

/** Does side by side what many ask for, in groups: one transaction then carries what would else have been many. */
export interface Grouper<Item, Result> {
  /**
   * Resolves when the item’s group has been done.
   *
   * @throws what `run` failed with for this item, alone or by a shared fault; never for the fault of another
   */
  add(item: Item): Promise<Result>;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly key: string;
  readonly conflict: string | undefined;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

/**
 * Gathers by load, not by time. A lone item starts at the end of the turn in which it came, with what else came in it. While
 * `sideBySide` groups are under way the rest waits, and goes as soon as one ends: the key whose item has waited longest
 * first, and with it all of that key that waits.
 */
export function createGrouper<Item, Result>(options: GrouperOptions<Item, Result>): Grouper<Item, Result> {
  const { keyOf, conflictOf, maxGroup, sideBySide, run, isSharedFault } = options;
  let waiting: Waiting<Item, Result>[] = []; // oldest first
  let groupsUnderWay = 0;
  let startsSoon = false;

  const startAtEndOfTurn = () => {
    if (startsSoon) return;
    startsSoon = true;
    setImmediate(() => {
      startsSoon = false;
      startGroups();
    });
  };

  const startGroups = () => {
    while (groupsUnderWay < sideBySide) {
      const group = takeGroup();
      if (group.length === 0) return;
      void work(group);
    }
  };

  const takeGroup = (): Waiting<Item, Result>[] => {
    const group: Waiting<Item, Result>[] = [];
    const left: Waiting<Item, Result>[] = [];
    const conflicts = new Set<string>();
    for (const entry of waiting) {
      const { key, conflict } = entry;
      const fits = group.length < maxGroup && key === (group[0]?.key ?? key);
      if (!fits || (conflict !== undefined && conflicts.has(conflict))) {
        left.push(entry);
        continue;
      }
      group.push(entry);
      if (conflict !== undefined) conflicts.add(conflict);
    }
    waiting = left;
    return group;
  };

  const work = async (group: readonly Waiting<Item, Result>[]): Promise<void> => {
    groupsUnderWay++;
    await settle(group);
    groupsUnderWay--;
    startAtEndOfTurn();
  };

  const settle = async (group: readonly Waiting<Item, Result>[]): Promise<void> => {
    try {
      await runTogether(group);
    } catch (error) {
      if (group.length === 1 || isSharedFault?.(error)) rejectAll(group, error);
      else await settleOneByOne(group);
    }
  };

  /** A shared fault ends it: while the database is away, each that is left would wait for it anew, one after the other. */
  const settleOneByOne = async (group: readonly Waiting<Item, Result>[]): Promise<void> => {
    for (const [index, entry] of group.entries()) {
      try {
        await runTogether([entry]);
      } catch (error) {
        if (isSharedFault?.(error)) return rejectAll(group.slice(index), error);
        entry.reject(error);
      }
    }
  };

  const rejectAll = (group: readonly Waiting<Item, Result>[], error: unknown) => {
    for (const { reject } of group) reject(error);
  };

  const runTogether = async (group: readonly Waiting<Item, Result>[]): Promise<void> => {
    const items = group.map(({ item }) => item);
    const results = await run((group[0] as Waiting<Item, Result>).key, items);
    if (results.length !== items.length) throw new Error(`${items.length} items gave ${results.length} results`);
    for (const [index, { resolve }] of group.entries()) resolve(results[index] as Result);
  };

  return {
    add: (item) =>
      new Promise((resolve, reject) => {
        waiting.push({ item, key: keyOf(item), conflict: conflictOf?.(item), resolve, reject });
        startAtEndOfTurn();
      }),
  };
}
