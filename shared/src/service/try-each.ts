/**
 * Does the work of a sweep for each of the items, one after the other; one that fails does not keep the others from being tried.
 *
 * @returns for how many `work` resolved with anything but false
 * @throws the first error, in the end
 */
export async function tryEach<Item>(items: readonly Item[], work: (item: Item) => Promise<unknown>): Promise<number> {
  const failures: unknown[] = [];
  let done = 0;
  for (const item of items) {
    try {
      if ((await work(item)) !== false) done += 1;
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
  return done;
}
