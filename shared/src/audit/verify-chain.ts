import type pg from 'pg';
import type { KeyRing } from '../keys/index.js';
import { ANCHOR_COLUMNS, type Anchor, isAuthentic } from './anchor.js';
import { CHAINED_COLUMNS, type ChainedRow, chainHash } from './chain.js';

/** The last position of a municipality and its hash. */
export interface Head {
  readonly municipality: string;
  /** 0 when there is none. */
  readonly position: bigint;
  /** Hexadecimal; '' when there is none. */
  readonly hash: string;
}

export interface Verifying {
  /** This municipality only. */
  readonly municipality?: string | undefined;
  /** Heads from earlier that were kept elsewhere: only they tell that an end was cut off with its head. */
  readonly known?: readonly Head[];
  /** Is told where and what, in a sentence. */
  readonly onFault: (fault: string) => void;
  /** Is told how far a municipality is, every 10 000 rows. */
  readonly onProgress?: (municipality: string, position: bigint, head: bigint) => void;
}

// In memory some MB.
const BATCH = 10_000;
const UNNUMBERED_SECONDS = 60;

/**
 * Walks the audit log of each municipality from position 1 to its head: each position is a row, or in the range of an anchor
 * whose rows have all gone, once; and each hash is that of its row and of the hash before. The log may be written and numbered
 * meanwhile. Memory does not grow with it.
 *
 * @param client connected as the owner of the tables, without a transaction
 * @returns the heads of the municipalities without a fault
 */
export async function verifyAuditLog(client: pg.ClientBase, keys: KeyRing, verifying: Verifying): Promise<Head[]> {
  // The lock comes before the snapshot: else a month could be dropped whose anchors the snapshot does not have. With
  // row_security off, rows that this login may not see are an error instead of missing.
  await client.query(`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
    SET LOCAL search_path = public; SET LOCAL datestyle = ISO; SET LOCAL row_security = off;
    LOCK TABLE audit_events IN ACCESS SHARE MODE`);
  try {
    const heads: Head[] = [];
    for (const municipality of await municipalitiesOf(client, verifying)) {
      let isWhole = true;
      const onFault = (fault: string) => {
        isWhole = false;
        verifying.onFault(`${municipality}: ${fault}`);
      };
      const head = await verifyChain(client, keys, municipality, { ...verifying, onFault });
      if (isWhole) heads.push(head);
    }
    return heads;
  } finally {
    await client.query('ROLLBACK');
  }
}

async function municipalitiesOf(client: pg.ClientBase, { municipality, known = [] }: Verifying): Promise<string[]> {
  const { rows } = await client.query<{ municipality: string }>(
    `SELECT cvr AS municipality FROM municipalities UNION SELECT municipality FROM feed_heads
     UNION SELECT municipality FROM audit_anchors UNION SELECT municipality FROM audit_events
     UNION SELECT unnest($1::text[]) ORDER BY municipality`,
    [known.map((head) => head.municipality)],
  );
  const all = rows.map((row) => row.municipality);
  if (municipality === undefined) return all;
  if (!all.includes(municipality)) throw new Error(`There is no municipality ${municipality} here.`);
  return [municipality];
}

type Row = ChainedRow & { readonly id: string; readonly position: string; readonly hash: Buffer | null };

async function verifyChain(
  client: pg.ClientBase,
  keys: KeyRing,
  municipality: string,
  { known = [], onFault, onProgress }: Verifying,
): Promise<Head> {
  const head = await headOf(client, municipality);
  const anchors = await anchorsOf(client, municipality);
  const kept = new Map(
    known.filter((one) => one.municipality === municipality).map(({ position, hash }) => [position, hash]),
  );
  const faults = new PositionFaults(onFault);
  let expected = 1n;
  let previous: Buffer | null = null;
  let done = 0;
  /** Goes on behind a position with the hash that is stored there, so that one fault is told once. */
  const pass = (position: bigint, hash: Buffer | null) => {
    const wanted = kept.get(position);
    if (wanted !== undefined && wanted !== hash?.toString('hex'))
      onFault(`the hash of position ${position} is not the one that was kept.`);
    kept.delete(position);
    expected = position + 1n;
    previous = hash;
  };
  /** Passes the ranges whose rows have all gone, up to a row, or to the end. */
  const passAnchors = (before?: bigint) => {
    for (let [anchor] = anchors; anchor && (!before || BigInt(anchor.last) < before); [anchor] = anchors) {
      anchors.shift();
      const [first, last] = [BigInt(anchor.first), BigInt(anchor.last)];
      if (first < expected) continue; // rows of it are there still
      if (first > expected) faults.add('missing', expected, first - 1n);
      for (const position of kept.keys()) if (position >= first && position < last) kept.delete(position);
      pass(last, anchor.lastHash);
    }
  };

  for (const anchor of anchors)
    if (!isAuthentic(keys, anchor))
      onFault(`the anchor of positions ${anchor.first} to ${anchor.last} (${anchor.month}) is not ours.`);
  for await (const row of rowsOf(client, municipality)) {
    const position = BigInt(row.position);
    passAnchors(position);
    if (position < expected) faults.add(position < 1n ? 'below the first' : 'there twice', position);
    else {
      const hash = chainHash(keys, previous, row);
      // Behind a hole there is nothing to compare with.
      if (position > expected) faults.add('missing', expected, position - 1n);
      else if (!row.hash || !hash.equals(row.hash)) faults.add('altered or moved, or behind one that is', position);
      pass(position, row.hash);
    }
    done += 1;
    if (done % BATCH === 0) onProgress?.(municipality, position, head.position);
  }
  passAnchors();

  const end: Head = {
    municipality,
    position: expected - 1n,
    hash: (previous as Buffer | null)?.toString('hex') ?? '',
  };
  if (head.position > end.position) faults.add('missing at the end', expected, head.position);
  faults.end();
  if (head.position < end.position)
    onFault(`the head is position ${head.position}, but there are rows up to ${end.position}.`);
  if (head.position === end.position && head.hash !== end.hash)
    onFault(`the head has another hash than position ${end.position}.`);
  for (const position of kept.keys())
    onFault(`position ${position}, whose hash was kept, is missing: the end has been cut off.`);
  const waiting = await unnumberedOf(client, municipality);
  if (waiting > 0)
    onFault(`${waiting} rows older than ${UNNUMBERED_SECONDS} seconds have no position. Does a journaler run?`);
  return end;
}

/** Tells the same fault of positions in a row in one sentence. */
class PositionFaults {
  readonly #tell: (fault: string) => void;
  #last: { readonly what: string; readonly first: bigint; readonly last: bigint } | undefined;

  constructor(tell: (fault: string) => void) {
    this.#tell = tell;
  }

  add(what: string, first: bigint, last = first): void {
    if (this.#last?.what === what && first <= this.#last.last + 1n) this.#last = { ...this.#last, last };
    else {
      this.end();
      this.#last = { what, first, last };
    }
  }

  end(): void {
    if (!this.#last) return;
    const { what, first, last } = this.#last;
    this.#tell(`${first === last ? `position ${first} is` : `positions ${first} to ${last} are`} ${what}.`);
    this.#last = undefined;
  }
}

/** All that have a position, in its order. */
async function* rowsOf(client: pg.ClientBase, municipality: string): AsyncGenerator<Row> {
  const read = async (after: string, values: unknown[]) =>
    (
      await client.query<Row>(
        `SELECT ${CHAINED_COLUMNS.join(', ')}, position, hash FROM audit_events
         WHERE municipality = $1 AND position IS NOT NULL ${after} ORDER BY position, id LIMIT ${BATCH}`,
        [municipality, ...values],
      )
    ).rows;
  let rows = await read('', []);
  for (;;) {
    yield* rows;
    const last = rows.at(-1);
    if (!last || rows.length < BATCH) return;
    rows = await read('AND position >= $2 AND (position, id) > ($2, $3::uuid)', [last.position, last.id]);
  }
}

/** In the order of their positions. */
async function anchorsOf(client: pg.ClientBase, municipality: string): Promise<Anchor[]> {
  const { rows } = await client.query<Anchor>(
    `SELECT ${ANCHOR_COLUMNS} FROM audit_anchors WHERE municipality = $1 ORDER BY first_position`,
    [municipality],
  );
  return rows;
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
