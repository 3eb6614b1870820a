import { InboxClient } from '../../testkit/inbox-client.js';
import type { Random } from '../random.js';
import { EXTRACTS, type Kill, PACKAGES, ZIPS } from './kills.js';
import type { DueFile, Ledger } from './ledger.js';
import { send } from './load.js';
import type { Stage } from './stage.js';
import { MUNICIPALITIES, writeMemos } from './write-memos.js';

const ASKED_WITHIN_MS = 30_000;
const LETTERS_OF_CITIZEN = 3;
/** Of a run’s own, whose letters no caseworker touches. */
const citizenOf = (run: number) => `4199${String(run).padStart(6, '0')}`; // the 41st day of a 99th month

/** What makes files in the background under a load: of which run, and for which kill. */
export interface DueFiles {
  readonly stage: Stage;
  readonly ledger: Ledger;
  readonly url: string;
  readonly run: number;
  readonly kill: Kill;
}

/** Saves extracts of what is journalized, which nobody deletes here, and makes them due. */
export async function saveExtracts({ stage, ledger, url, run, kill }: DueFiles): Promise<void> {
  const signal = AbortSignal.timeout(ASKED_WITHIN_MS);
  const extracts: DueFile[] = [];
  for (let n = 0; n < EXTRACTS; n++) {
    const municipality = MUNICIPALITIES[n % MUNICIPALITIES.length] as string;
    const token = await stage.ownerToken(municipality, run);
    const uuid = await new InboxClient(url, token, signal).createExtract({
      name: `Løbenummer ${run}`,
      filter: { status: ['journalized'] },
      schedule: { every: 'day', at: '07:30' },
    });
    extracts.push({ uuid, token, run, kill });
  }
  await stage.sql(
    `UPDATE extracts SET next_run_at = now() - interval '1 minute', next_enqueue_at = now() WHERE id = ANY ($1)`,
    [extracts.map(({ uuid }) => uuid)],
  );
  ledger.extracts.push(...extracts);
}

/** Sends letters of a citizen of its own, which no caseworker touches, and asks for packages of them, which are due at once. */
export async function askForPackages(files: DueFiles, random: Random): Promise<void> {
  const { stage, ledger, url, run, kill } = files;
  const signal = AbortSignal.timeout(ASKED_WITHIN_MS);
  for (const municipality of MUNICIPALITIES) {
    await sendLetters(files, random, municipality);
    const token = await stage.ownerToken(municipality, run);
    const client = new InboxClient(url, token, signal);
    for (let n = 0; n < PACKAGES / MUNICIPALITIES.length; n++) {
      const uuid = await client.createAccessPackage({ citizen: citizenOf(run) });
      ledger.packages.push({ uuid, token, run, kill });
    }
  }
}

/** Sends letters of that citizen to each municipality. */
export async function sendLettersToZip(files: DueFiles, random: Random): Promise<void> {
  for (const municipality of MUNICIPALITIES) await sendLetters(files, random, municipality);
}

async function sendLetters({ url, ledger, run, kill }: DueFiles, random: Random, municipality: string): Promise<void> {
  for (let n = 0; n < LETTERS_OF_CITIZEN; n++) {
    const memos = writeMemos(random, run, kill, { municipality, citizen: citizenOf(run) });
    for (const memo of memos) memo.busy = true;
    ledger.add(memos);
    for (const memo of memos) await send(url, memo, ledger);
  }
}

/** Asks for zips of those letters, which are begun at once. */
export async function askForZips({ stage, ledger, url, run, kill }: DueFiles): Promise<void> {
  const signal = AbortSignal.timeout(ASKED_WITHIN_MS);
  for (const municipality of MUNICIPALITIES) {
    const letters = await stage.sql<{ id: string }>(
      `SELECT message_id AS id FROM message_parties WHERE municipality = $1 AND number = $2 AND role = 'sender'`,
      [municipality, citizenOf(run)],
    );
    const token = await stage.ownerToken(municipality, run);
    const client = new InboxClient(url, token, signal);
    const items = letters.map(({ id }) => id);
    for (let n = 0; n < ZIPS / MUNICIPALITIES.length; n++) {
      ledger.zips.push({ uuid: await client.createZipDownload({ items }), token, run, kill });
    }
  }
}
