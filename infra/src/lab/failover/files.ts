import { InboxClient } from '../../testkit/inbox-client.js';
import type { Kill } from '../crash/kills.js';
import type { Ledger } from '../crash/ledger.js';
import { send } from '../crash/load.js';
import type { Stage } from '../crash/stage.js';
import { MUNICIPALITIES, writeMemos } from '../crash/write-memos.js';
import type { Random } from '../random.js';

const LETTERS = 3;
const ANSWERED_WITHIN_MS = 30_000;
/** Of a round’s own, whose letters no caseworker touches. */
const citizenOf = (round: number) => `4198${String(round).padStart(6, '0')}`; // the 41st day of a 98th month

interface Asked {
  readonly stage: Stage;
  readonly ledger: Ledger;
  readonly url: string;
  readonly round: number;
  readonly kill: Kill;
  readonly random: Random;
}

/** Asks for an extract, an access package and a zip in each municipality, which are made by jobs; all are due at once. */
export async function askForFiles({ stage, ledger, url, round, kill, random }: Asked): Promise<void> {
  const of = { run: round, kill };
  for (const municipality of MUNICIPALITIES) {
    const citizen = citizenOf(round);
    for (let n = 0; n < LETTERS; n += 1) {
      const memos = writeMemos(random, round, kill, { municipality, citizen });
      for (const memo of memos) memo.busy = true;
      ledger.add(memos);
      for (const memo of memos) await send(url, memo, ledger);
    }
    const token = await stage.ownerToken(municipality, round);
    const client = new InboxClient(url, token, AbortSignal.timeout(ANSWERED_WITHIN_MS));
    ledger.packages.push({ uuid: await client.createAccessPackage({ citizen }), token, ...of });
    const letters = await stage.sql<{ id: string }>(
      `SELECT message_id AS id FROM message_parties WHERE municipality = $1 AND number = $2 AND role = 'sender'`,
      [municipality, citizen],
    );
    const items = letters.map(({ id }) => id);
    ledger.zips.push({ uuid: await client.createZipDownload({ items }), token, ...of });
    const extract = await client.createExtract({
      name: `Runde ${round}`,
      filter: { status: ['journalized'] },
      schedule: { every: 'day', at: '07:30' },
    });
    ledger.extracts.push({ uuid: extract, token, ...of });
    await stage.sql(
      `UPDATE extracts SET next_run_at = now() - interval '1 minute', next_enqueue_at = now() WHERE id = $1`,
      [extract],
    );
  }
}
