import { INSTALLATION } from '@indbakke/shared/audit';
import type { BlobStore } from '@indbakke/shared/content';
import { announce } from '@indbakke/shared/crash-points';
import { LEDGER } from '@indbakke/shared/keys';
import { type SealedLine, sealLine, writeLines } from '@indbakke/shared/sealed-lines';
import type { Parts } from '@indbakke/shared/service';
import { withMaintenance } from '@indbakke/shared/store';
import { recordDifferences, replaceLedgerDifferences } from './differences.js';
import {
  BEGINNING,
  type ChainEnd,
  type Line,
  numberIn,
  type Opened,
  openLines,
  readFiles,
  type Unnumbered,
} from './lines.js';

export type LedgerParts = Pick<Parts, 'store' | 'keys' | 'log'>;

/**
 * Runs `work` while no other process writes or checks the ledger. Who dies gives it free.
 *
 * @param waits else undefined at once, when another one does
 */
export function alone<T>(url: string, waits: boolean, work: () => Promise<T>): Promise<T | undefined> {
  return withMaintenance({ url, name: 'indbakke-ledger' }, async (connection) => {
    const take = waits ? 'pg_advisory_lock' : 'pg_try_advisory_lock';
    const { rows } = await connection.query<{ taken: unknown }>(`SELECT ${take}(hashtext('indbakke_ledger')) AS taken`);
    return rows[0]?.taken === false ? undefined : work();
  });
}

/** The end of the chain, as far as the database knows its files. */
export async function chainEnd({ store }: Pick<Parts, 'store'>): Promise<ChainEnd> {
  const [last] = await store.sweep<{ number: number; seal: Buffer }>(
    'SELECT last_line AS number, last_seal AS seal FROM ledger_files ORDER BY last_line DESC LIMIT 1',
  );
  return last ?? BEGINNING;
}

/** The place in the chain of the first line of a file. */
export async function placeOf({ store }: Pick<Parts, 'store'>, name: string): Promise<ChainEnd | undefined> {
  const [file] = await store.sweep<{ first: number; number: number | null; seal: Buffer | null }>(
    `SELECT f.first_line AS first, p.last_line AS number, p.last_seal AS seal
     FROM ledger_files f LEFT JOIN ledger_files p ON p.last_line = f.first_line - 1 WHERE f.name = $1`,
    [name],
  );
  if (!file) return undefined;
  return file.first === 1 ? BEGINNING : { number: file.first - 1, seal: file.seal };
}

/**
 * Tells the database of files that it does not know: those whose writer died, and after a restore those that are newer than the
 * backup. And records which files are not as they were written, or have gone.
 */
export async function catchUp(parts: LedgerParts, folder: BlobStore): Promise<void> {
  const { store, keys } = parts;
  const known = new Set((await store.sweep<{ name: string }>('SELECT name FROM ledger_files')).map(({ name }) => name));
  const there = new Set<string>();
  for await (const { name, finished } of folder.list()) if (finished) there.add(name);
  const forged: string[] = [];
  const missing = [...known].filter((name) => !there.has(name));
  let end = await chainEnd(parts);
  for (const { name, texts } of await readFiles(folder, known)) {
    const first = numberIn(texts[0]) ?? 0;
    if (first > end.number + 1) missing.push(`lines ${end.number + 1} to ${first - 1}`);
    const opened = openLines(keys, texts, end);
    forged.push(...opened.forged.map((line) => `${name}, line ${line}`));
    if (texts.length > 0) await tellDatabase(parts, name, first, opened);
    end = opened.end;
  }
  // A file is read here once, so nothing but somebody who accepts it takes such a difference away.
  await recordDifferences(
    parts,
    forged.map((subject) => ({ municipality: INSTALLATION, kind: 'line-forged', subject })),
  );
  await replaceLedgerDifferences(parts, 'line-missing', missing);
}

/** Adds lines to the ledger. The caller is alone, and the database knows all files. */
export async function append(parts: LedgerParts, folder: BlobStore, bodies: readonly Unnumbered[]): Promise<void> {
  let end = await chainEnd(parts);
  const lines: Line[] = [];
  const sealed: SealedLine[] = [];
  for (const body of bodies) {
    const line: Line = { ...body, number: end.number + 1 };
    const one = sealLine(parts.keys, LEDGER, JSON.stringify(line), end.seal);
    lines.push(line);
    sealed.push(one);
    end = { number: line.number, seal: one.seal };
  }
  const name = await writeLines(folder, sealed);
  announce('ledger-line-written');
  await tellDatabase(parts, name, lines[0]?.number ?? 0, { lines, end });
}

async function tellDatabase(
  { store }: LedgerParts,
  name: string,
  first: number,
  { lines, end }: Pick<Opened, 'lines' | 'end'>,
): Promise<void> {
  const days = lines.flatMap((line) => (line.is === 'day' ? [{ ...line, messages: undefined }] : []));
  const database = lines.findLast((line) => line.is === 'database')?.database ?? null;
  await store.sweep(
    `WITH file AS (
       INSERT INTO ledger_files (name, first_line, last_line, last_seal, database) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT DO NOTHING
     )
     INSERT INTO ledger_days (municipality, day, file, received, fates, made_at, event_position)
     SELECT municipality, day, $1, received, fates, at, "eventPosition"
     FROM jsonb_to_recordset($6) AS d (municipality text, day date, received integer, fates jsonb, at timestamptz, "eventPosition" bigint)
     ON CONFLICT DO NOTHING`,
    [name, first, end.number, end.seal, database, JSON.stringify(days)],
  );
}
