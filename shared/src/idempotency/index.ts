import { Problem } from '../errors/index.js';
import { IDEMPOTENCY, type KeyRing } from '../keys/index.js';
import { type Connection, Prisma, run, type Store, waitForStandbys } from '../store/index.js';

const { sql } = Prisma;

/** The Idempotency-Key of a call. As keyed hashes: a caller may send anything as a key, and what it asks for is personal. */
export interface IdempotencyKey {
  /** Of the caller and the key. */
  readonly digest: Buffer;
  /** Of the call and everything that it was sent. */
  readonly request: Buffer;
  /** Called when the answer is the first one again. */
  readonly onReplay: () => void;
}

/**
 * Does `work` once for each key: the first answer is stored in the transaction of `connection`, and given again for 24 hours.
 * The key is claimed first, so that a second call with it waits until the first has ended. An error undoes the claim:
 * refusals are not remembered.
 *
 * @throws Problem key-reused when the key was used for another request
 */
export async function once<Answer extends object>(
  connection: Connection,
  municipality: string,
  key: IdempotencyKey | undefined,
  work: () => Promise<Answer>,
): Promise<Answer> {
  if (!key) return work();
  const ofKey = sql`municipality = ${municipality} AND key_digest = ${key.digest}`;
  const claimed = await run(
    connection,
    sql`
      INSERT INTO idempotency_keys (municipality, key_digest, request_digest, answer, at)
      VALUES (${municipality}, ${key.digest}, ${key.request}, '{}', now())
      ON CONFLICT DO NOTHING RETURNING 1`,
  );
  if (claimed.length > 0) {
    const answer = await work();
    await run(connection, sql`UPDATE idempotency_keys SET answer = ${JSON.stringify(answer)}::jsonb WHERE ${ofKey}`);
    return answer;
  }
  const [first] = await run<{ request: Buffer; answer: Answer }>(
    connection,
    sql`SELECT request_digest AS request, answer FROM idempotency_keys WHERE ${ofKey}`,
  );
  if (!first) return once(connection, municipality, key, work); // it was swept just now
  if (!first.request.equals(key.request)) {
    const detail = 'The Idempotency-Key was used for another request in the last 24 hours. Send a new one.';
    throw new Problem('key-reused', detail, { path: 'header.idempotency-key' });
  }
  await waitForStandbys(connection);
  key.onReplay();
  return first.answer;
}

/** The key of one item of a call that has many, each of which is done once. */
export function keyOfItem(keys: KeyRing, { digest, request }: IdempotencyKey, id: string, onReplay: () => void) {
  return { digest: keys.digest(IDEMPOTENCY, Buffer.concat([digest, Buffer.from(id)])), request, onReplay };
}

/** Removes the answers that were kept for 24 hours. */
export async function sweepIdempotencyKeys(store: Pick<Store, 'sweep'>): Promise<void> {
  // A quarter of an hour’s at a time: after an outage, all at once could take longer than a sweep’s statement may, each time.
  const removeOldest = `
    WITH removed AS (
      DELETE FROM idempotency_keys
      WHERE at < least(now() - interval '24 hours', (SELECT min(at) FROM idempotency_keys) + interval '15 minutes')
      RETURNING at)
    SELECT count(*)::int AS count FROM removed`;
  let removed: number;
  do {
    const [row] = await store.sweep<{ count: number }>(removeOldest);
    removed = row?.count ?? 0;
  } while (removed > 0);
}
