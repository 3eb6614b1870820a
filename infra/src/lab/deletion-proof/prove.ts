import { randomUUID } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FIRST_FILE_AT as HEADER, openFileBlobStore } from '@indbakke/shared/content';
import { scrub } from '@indbakke/shared/scrub';
import { withMaintenance } from '@indbakke/shared/store';
import { postgresHomeOf } from '../../../../tools/local-state.mjs';
import type { StatePaths } from '../../local/state.js';
import { runSql } from '../../testkit/database.js';
import { askUntil } from '../../testkit/inbox-client.js';
import { NOT_DURABLE, withOwnState } from '../../testkit/own-state.js';
import { foldersOf, type OwnInstallation, startInstallation } from './installation.js';
import { needlesOfPlants, plantedLetter } from './letters.js';
import { Finder, type Needle, needlesOfBytes } from './needles.js';
import { deleteLetters, deliverLetters, emptyQuarantine, passThroughAll, quarantine } from './pass-through.js';
import { type Area, type Found, type Searched, searchFiles } from './search-files.js';

export interface ProofOptions {
  readonly queue: 'PostgreSQL' | 'Redis';
  /** Fewer other letters, and a PostgreSQL that keeps nothing through a power failure. */
  readonly isShort: boolean;
  /** What is left out, to see that the search would find it. */
  readonly without: 'deletion' | 'scrub' | undefined;
  readonly signal: AbortSignal;
  readonly onProgress: (line: string) => void;
}

export interface Proof {
  readonly queue: string;
  readonly letters: number;
  readonly others: number;
  readonly needles: number;
  /** Of each plant and of each form of bytes, where it was before the deletion. */
  readonly before: { readonly searched: readonly Searched[]; readonly found: readonly Found[] };
  /** Every kind of plant that was in no file before, and why. */
  readonly neverInFiles: readonly string[];
  /** The same when all was deleted and nothing scrubbed: the search finds what only the scrub removes. */
  readonly unscrubbed: { readonly found: readonly Found[] };
  readonly after: { readonly searched: readonly Searched[]; readonly found: readonly Found[] };
  readonly scrubSeconds: number;
}

const OTHERS = { short: 30, long: 300 };

/** Plants, shows that the search finds, deletes, scrubs and searches again. */
export function prove(options: ProofOptions): Promise<Proof> {
  return withOwnState(async (paths) => {
    const { queue, isShort, signal, onProgress } = options;
    const others = isShort ? OTHERS.short : OTHERS.long;
    const installation = await startInstallation(paths, queue, isShort ? NOT_DURABLE : {}, signal);
    try {
      onProgress(`queue on ${queue}: planting 6 letters among ${others} others`);
      const letters = await deliverLetters(installation, others);
      const unreadable = plantedLetter('delivery in quarantine', 'small', randomUUID());
      await quarantine(installation, unreadable);
      onProgress('they are listed, searched for, read, zipped, exported, extracted, packed, journalized, rejected');
      await passThroughAll(installation, letters);
      await emptyQuarantine(installation, false);

      const plants = [...letters, unreadable].flatMap(({ name, plants: each }) => needlesOfPlants(name, each));
      const sealed = await sealedBytes(installation);
      checkSearch(paths, plants);
      await runSql(installation.ownerUrl, 'CHECKPOINT');
      onProgress('searching for what is planted');
      const before = searchFiles(areasOf(paths), new Finder([...plants, ...sealed]));

      onProgress('deleting');
      if (options.without !== 'deletion') {
        await deleteLetters(installation, letters);
        await emptyQuarantine(installation, true);
      }
      await untilRemoved(installation, options.without === undefined);
      const gone = await withoutLive(installation, sealed);
      const needles = [...plants, ...gone];
      await runSql(installation.ownerUrl, 'CHECKPOINT');
      const unscrubbed = searchFiles(areasOf(paths), new Finder(needles));
      let scrubSeconds = 0;
      if (options.without !== 'scrub') {
        onProgress('scrubbing');
        const done = await withMaintenance({ url: installation.ownerUrl, name: 'scrub', isOwner: true }, (connection) =>
          scrub(connection, { mayGoOn: () => !signal.aborted }),
        );
        scrubSeconds = done?.seconds ?? 0;
      }
      await installation.stop();
      onProgress('searching for what is left');
      const after = searchFiles(areasOf(paths), new Finder(needles));
      return {
        queue,
        letters: letters.length + 1,
        others,
        needles: needles.length,
        before,
        neverInFiles: neverInFiles(plants, gone, before.found),
        unscrubbed,
        after,
        scrubSeconds,
      };
    } finally {
      await installation.stop();
    }
  });
}

/** Everything that the installation writes, wherever; nothing below its state folder is left out but what runs the proof. */
function areasOf(paths: StatePaths): Area[] {
  const home = postgresHomeOf(paths.root);
  const { logs, temporary, redis } = foldersOf(paths);
  const isWal = (path: string) => path.includes('pg_wal/');
  const known = [home, paths.content, `${paths.content}-deletions`, logs, temporary, redis].map(
    (folder) => `${folder}/`,
  );
  return [
    { name: 'database files', folder: home, has: (path) => !isWal(path) },
    { name: 'write-ahead log', folder: home, has: isWal },
    { name: 'content store', folder: paths.content },
    { name: 'deletion ledger', folder: `${paths.content}-deletions` },
    { name: 'queue in Redis', folder: redis },
    { name: 'logs of the services', folder: logs },
    { name: 'temporary files', folder: temporary },
    // PostgreSQL's log, keys, and whatever else there is.
    {
      name: 'all else',
      folder: paths.root,
      has: (path) => !known.some((folder) => join(paths.root, path).startsWith(folder)),
    },
  ];
}

/** Every plant in every form, in a file for this: the search must find each. @throws Error if it does not */
function checkSearch({ root }: StatePaths, plants: readonly Needle[]): void {
  const folder = join(root, 'check');
  mkdirSync(folder);
  // As lines, so that a form never continues into the next one.
  writeFileSync(join(folder, 'all'), Buffer.concat(plants.flatMap(({ bytes }) => [bytes, Buffer.from('\n')])));
  const { found } = searchFiles([{ name: 'check', folder }], new Finder(plants));
  rmSync(folder, { recursive: true });
  const wanted = new Set(plants.map(({ plant, form }) => `${plant}, ${form}`));
  for (const { plant, form } of found) wanted.delete(`${plant}, ${form}`);
  if (wanted.size > 0) throw new Error(`The search does not find ${[...wanted].join('; ')}.`);
}

/** Wrapped keys, ciphertext and hashes of files, wherever they are: of every table that has such a column, and the store. */
async function sealedBytes({ ownerUrl, paths }: OwnInstallation): Promise<Needle[]> {
  const sealed: Needle[] = [];
  for (const { table, column } of await bytesColumns(ownerUrl)) {
    const rows = await runSql<{ bytes: Buffer }>(ownerUrl, rowsOf(table, column));
    sealed.push(...rows.flatMap(({ bytes }) => needlesOfBytes(`${table}.${column}`, formOf(column), bytes)));
  }
  const store = await openFileBlobStore(paths.content);
  for await (const { name, size } of store.list()) {
    const reader = await store.open(name, { start: 0, end: size });
    if (!reader) continue;
    const bytes = Buffer.alloc(size);
    await reader.read(bytes);
    await reader.close();
    sealed.push(...needlesOfBytes('content store', 'ciphertext', bytes.subarray(HEADER)));
  }
  return sealed;
}

const FORMS: Readonly<Record<string, string>> = { container: 'ciphertext', request: 'ciphertext', sha256: 'SHA-256' };
const formOf = (column: string) => FORMS[column] ?? 'wrapped key';

const rowsOf = (table: string, column: string) =>
  `SELECT substring(${column} FROM ${startOf(column) + 1}) AS bytes FROM ${table} WHERE length(${column}) >= ${startOf(column) + 16}`;

/** Containers begin alike. */
const startOf = (column: string) => (formOf(column) === 'ciphertext' ? HEADER : 0);

/** Also of tables that this program does not know. */
const bytesColumns = (ownerUrl: string) =>
  runSql<{ table: string; column: string }>(
    ownerUrl,
    `SELECT c.relname AS "table", a.attname AS "column" FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.atttypid = 'bytea'::regtype AND NOT a.attisdropped
       AND (a.attname ~ 'wrapped_key$' OR a.attname IN ('container', 'request', 'sha256'))`,
  );

/** What is no longer anybody’s: what other letters have may stay. */
async function withoutLive(installation: OwnInstallation, sealed: readonly Needle[]): Promise<Needle[]> {
  const live = new Set((await sealedBytes(installation)).map(({ bytes }) => bytes.toString('hex')));
  return sealed.filter(({ bytes }) => !live.has(bytes.toString('hex')));
}

/** The files of the deleted are removed, and the deletions are in the ledger. */
async function untilRemoved({ ownerUrl }: OwnInstallation, isWaiting: boolean): Promise<void> {
  if (!isWaiting) return;
  await askUntil(
    () =>
      runSql<{ left: number }>(
        ownerUrl,
        `SELECT (SELECT count(*) FROM content_removals)::int
           + (SELECT count(*) FROM messages WHERE (status = 'deleted' OR content_removed_at IS NOT NULL) AND NOT in_deletion_ledger)::int AS left`,
      ),
    ([row]) => row?.left === 0,
  );
}

/** Plants that were in no file in any form before, and forms of bytes that were not. */
function neverInFiles(plants: readonly Needle[], gone: readonly Needle[], found: readonly Found[]): string[] {
  const seen = new Set(found.map(({ plant }) => plant));
  return [...new Set([...plants, ...gone].map(({ plant }) => plant))].filter((plant) => !seen.has(plant));
}
