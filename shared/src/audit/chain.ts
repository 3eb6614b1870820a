import { AUDIT_CHAIN, chainedDigest, type KeyRing } from '../keys/index.js';

/** The columns of an audit row that its hash covers, besides its position: all there are. */
export const CHAINED_COLUMNS = [
  'id',
  'at',
  'municipality',
  'actor_kind',
  'actor',
  'on_behalf_of',
  'role',
  'origin',
  'action',
  'result',
  'message_id',
  'citizen',
  'details',
] as const;

/** An audit row with its position, as pg reads it. */
export type ChainedRow = Readonly<Record<(typeof CHAINED_COLUMNS)[number], unknown>> & {
  readonly position: bigint | number | string;
};

/**
 * The hash of an audit row: keyed, 32 bytes, over the row and the hash of the one before it.
 *
 * @param previous null for the first row of a municipality
 */
export function chainHash(keys: KeyRing, previous: Buffer | null, row: ChainedRow): Buffer {
  const values = [String(row.position), ...CHAINED_COLUMNS.map((column) => row[column])];
  return chainedDigest(keys, AUDIT_CHAIN, previous, JSON.stringify(values.map(canonical)));
}

/** The same JSON for the same value, whatever the order of its fields; times in UTC. */
function canonical(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return value.toString('hex');
  if (value === null || typeof value !== 'object' || value instanceof Date) return value ?? null;
  if (Array.isArray(value)) return value.map(canonical);
  const fields = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(fields.map(([name, field]) => [name, canonical(field)]));
}
