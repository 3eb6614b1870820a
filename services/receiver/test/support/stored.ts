import { readdir } from 'node:fs/promises';
import type { TestStack } from '../../../../infra/src/testkit/stack.js';
import { externalIdOf } from '../../src/memo/external-id.js';

/** What is in the database and on disk: rows by table (without empty tables), and content files. */
export interface Stored {
  readonly rows: Readonly<Record<string, number>>;
  readonly files: readonly string[];
}

export const NOTHING: Stored = { rows: {}, files: [] };

// Filled by migrations, set-up and the numberer, not by deliveries.
const SET_UP = ['_prisma_migrations', 'municipalities', 'contact_points', 'feed_heads'];
// What could not be read, and what is counted, have tests of their own.
const TESTED_ELSEWHERE = [
  'quarantine_entries',
  'copies',
  'minute_figures',
  'outages',
  'refused_deliveries',
  'daily_sizes',
  'master_keys',
];

/** Counts every table, so that a new one is not forgotten. */
export async function whatIsStored(stack: TestStack): Promise<Stored> {
  const tables = await stack.sql<{ name: string }>(
    `SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) AS name FROM pg_tables
     WHERE schemaname = 'public' AND tablename <> ALL ($1) OR schemaname = 'bullmq' AND tablename = 'job' ORDER BY 1`,
    [[...SET_UP, ...TESTED_ELSEWHERE]],
  );
  const counts = tables.map(
    ({ name }) => `SELECT '${name.replace('public.', '')}' AS name, count(*)::int FROM ${name}`,
  );
  const rows = await stack.sql<{ name: string; count: number }>(counts.join(' UNION ALL '));
  const entries = await stack.sql<{ name: string }>('SELECT blob_name AS name FROM quarantine_entries');
  const quarantined = new Set(entries.map(({ name }) => name));
  return {
    rows: Object.fromEntries(rows.filter(({ count }) => count > 0).map(({ name, count }) => [name, count])),
    files: (await contentFiles(stack)).filter((name) => !quarantined.has(name)),
  };
}

/** Every container in the content folder, finished or not. */
export async function contentFiles({ contentFolder }: TestStack): Promise<string[]> {
  const entries = await readdir(contentFolder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile() && !entry.name.startsWith('check-')).map(({ name }) => name);
}

export interface MessageRow extends Record<string, unknown> {
  readonly id: string;
  readonly status: string;
  readonly held_cause: string | null;
  readonly kind: string;
  readonly letter_at: Date;
  readonly received_at: Date;
  readonly first_offered_at: Date;
  readonly transmission_id: string;
  readonly blob_name: string | null;
  readonly remarks: readonly { readonly code: string; readonly path: string }[];
}

/** The rows of the messages with this id, the oldest first. */
export function messagesOf(stack: TestStack, messageUUID: string): Promise<MessageRow[]> {
  return stack.sql<MessageRow>('SELECT * FROM messages WHERE external_id = $1 ORDER BY received_at, id', [
    externalIdOf({ header: { messageUUID } }).value,
  ]);
}

export async function messageOf(stack: TestStack, messageUUID: string): Promise<MessageRow> {
  const rows = await messagesOf(stack, messageUUID);
  if (rows.length !== 1) throw new Error(`There are ${rows.length} messages of this id.`);
  return rows[0] as MessageRow;
}
