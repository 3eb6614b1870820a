import type pg from 'pg';
import type { KeyRing } from '../keys/index.js';
import { type Anchor, isAuthentic } from './anchor.js';
import { CHAINED_COLUMNS, type ChainedRow, chainHash } from './chain.js';

/** The last position of a municipality and its hash. */
export interface Head {
  readonly municipality: string;
  readonly position: bigint;
  /** Hexadecimal; '' when there is none. */
  readonly hash: string;
}

/** What verifying tells as it goes. */
export interface Verifying {
  /** A sentence: where and what. */
  readonly onFault: (fault: string) => void;
  /** Rows and positions of dropped months so far. */
  readonly onProgress?: (municipality: string, done: number) => void;
}

// In memory some MB.
const BATCH = 10_000;
const UNNUMBERED_SECONDS = 60;

/**
 * Walks the audit log of a municipality from position 1 to its head: each position is a row or in an anchored range, once, and
 * each hash is that of its row and the hash before. A tail that was cut off with its head is not found so: compare the head with
 * one that was kept elsewhere (`known`).
 *
 * @param client as the owner of the tables, in a transaction with one snapshot (REPEATABLE READ)
 * @param known heads of this municipality from earlier
 * @returns its head
 */
export async function verifyChain(
  client: pg.ClientBase,
  keys: KeyRing,
  municipality: string,
  { onFault, onProgress }: Verifying,
  known: readonly Head[] = [],
): Promise<Head> {
  const fault = (text: string) => onFault(`${municipality}: ${text}`);
  const wanted = new Map(known.map(({ position, hash }) => [position, hash]));
  let expected = 1n;
  let previous: Buffer | null = null;
  let done = 0;
  /** Goes on behind a position with what is stored there, so that one fault is told once. */
  const pass = (position: bigint, hash: Buffer) => {
    const hex = wanted.get(position);
    if (hex !== undefined && hex !== hash.toString('hex'))
      fault(`the hash of position ${position} is not the one that was kept.`);
    wanted.delete(position);
    expected = position + 1n;
    previous = hash;
  };

  for await (const link of linksOf(client, municipality)) {
    const [first, last] =
      'month' in link ? [BigInt(link.first), BigInt(link.last)] : [BigInt(link.position), BigInt(link.position)];
    if (first < expected) fault(`position ${first} is there twice.`);
    if (first > expected)
      fault(
        `${first - expected === 1n ? `position ${expected} is` : `positions ${expected} to ${first - 1n} are`} missing.`,
      );
    if ('month' in link) {
      if (!isAuthentic(keys, link)) fault(`the anchor of positions ${first} to ${last} (${link.month}) is not ours.`);
      for (const position of wanted.keys()) if (position >= first && position < last) wanted.delete(position);
      pass(last, link.lastHash);
      done += Number(last - first) + 1;
    } else {
      // Behind a hole or a double there is nothing to compare with.
      const hash = chainHash(keys, previous, link);
      if (first === expected && !hash.equals(link.hash))
        fault(`position ${first} has been altered, or the row before it has.`);
      pass(first, link.hash);
      done += 1;
    }
    if (done % BATCH === 0) onProgress?.(municipality, done);
  }

  const head = await headOf(client, municipality);
  const end = expected - 1n;
  const endHash: string = (previous as Buffer | null)?.toString('hex') ?? '';
  if (head.position > end) fault(`positions ${expected} to ${head.position} are missing at the end.`);
  if (head.position < end) fault(`the head is position ${head.position}, but there are rows up to ${end}.`);
  if (head.position === end && head.hash !== endHash) fault(`the head has another hash than position ${end}.`);
  for (const position of wanted.keys())
    fault(`position ${position}, whose hash was kept, is missing: the end has been cut off.`);
  const waiting = await unnumberedOf(client, municipality);
  if (waiting > 0)
    fault(`${waiting} rows older than ${UNNUMBERED_SECONDS} seconds have no position. Does a journaler run?`);
  return { municipality, position: end, hash: endHash };
}

type Link = (ChainedRow & { readonly hash: Buffer }) | Anchor;

/** Rows and anchors in the order of their positions. */
async function* linksOf(client: pg.ClientBase, municipality: string): AsyncGenerator<Link> {
  const { rows: anchors } = await client.query<Anchor>(
    `SELECT municipality, first_position AS first, last_position AS last, last_hash AS "lastHash", month, seal
     FROM audit_anchors WHERE municipality = $1 ORDER BY first_position`,
    [municipality],
  );
  let [after, id] = ['0', '00000000-0000-0000-0000-000000000000'];
  for (;;) {
    const { rows } = await client.query<
      ChainedRow & { readonly hash: Buffer; readonly position: string; readonly id: string }
    >(
      `SELECT ${CHAINED_COLUMNS.join(', ')}, position, hash FROM audit_events
       WHERE municipality = $1 AND (position, id) > ($2::bigint, $3::uuid) AND position >= $2::bigint
       ORDER BY position, id LIMIT ${BATCH}`,
      [municipality, after, id],
    );
    for (const row of rows) {
      while (anchors[0] && BigInt(anchors[0].first) < BigInt(row.position)) yield anchors.shift() as Anchor;
      yield row;
    }
    const last = rows.at(-1);
    if (!last || rows.length < BATCH) break;
    [after, id] = [last.position, last.id];
  }
  yield* anchors;
}

async function headOf(client: pg.ClientBase, municipality: string): Promise<Head> {
  const { rows } = await client.query<{ position: string; hash: Buffer | null }>(
    'SELECT audit_position AS position, audit_hash AS hash FROM feed_heads WHERE municipality = $1',
    [municipality],
  );
  return { municipality, position: BigInt(rows[0]?.position ?? 0), hash: rows[0]?.hash?.toString('hex') ?? '' };
}

async function unnumberedOf(client: pg.ClientBase, municipality: string): Promise<number> {
  const { rows } = await client.query<{ count: number }>(
    `SELECT count(*)::int FROM audit_events
     WHERE municipality = $1 AND position IS NULL AND at < now() - make_interval(secs => ${UNNUMBERED_SECONDS})`,
    [municipality],
  );
  return rows[0]?.count ?? 0;
}
