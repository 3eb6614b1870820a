import { EICAR } from '../../testkit/clamd.js';
import { runSql } from '../../testkit/database.js';
import { askUntil } from '../../testkit/inbox-client.js';
import { type MemoSpecDocument, textDocument } from '../../testkit/write-memo.js';
import type { OwnInstallation } from '../plants/installation.js';
import { plantedLetter } from '../plants/letters.js';
import { type Arrived, CONTACT_POINT, deliverLetter } from '../plants/pass-through.js';
import type { Plants } from './plants.js';

/** Until the scanner has said something of each of their files. */
export async function untilScanned({ ownerUrl }: OwnInstallation, messages: readonly { id: string }[]): Promise<void> {
  await askUntil(
    () =>
      runSql<{ left: number }>(
        ownerUrl,
        'SELECT count(*)::int AS left FROM message_scans WHERE message_id = ANY ($1::uuid[])',
        [messages.map(({ id }) => id)],
      ),
    ([row]) => row?.left === 0,
  );
}

/** A letter with a file besides that is found unsafe. */
export async function deliverUnsafe(installation: OwnInstallation, plants: Plants): Promise<Arrived> {
  const unsafe = textDocument(`${EICAR}${plants.word('unsafe content')}`, `${plants.word('unsafe file name')}.txt`);
  const letter = await deliverPlanted(installation, plants, 'unsafe letter', [unsafe]);
  await untilScanned(installation, [letter]);
  await mustBe(installation, letter, 'infected');
  return letter;
}

/** @throws Error when no file of the letter is so */
export async function mustBe(
  { ownerUrl }: OwnInstallation,
  { id }: Arrived,
  scan: 'infected' | 'unscannable',
): Promise<void> {
  const files = await runSql(ownerUrl, 'SELECT FROM files WHERE message_id = $1 AND scan = $2', [id, scan]);
  if (files.length === 0) throw new Error(`No file of the letter is ${scan}.`);
}

/** @param more documents that it has besides */
export async function deliverPlanted(
  installation: OwnInstallation,
  plants: Plants,
  name: string,
  more: readonly MemoSpecDocument[] = [],
): Promise<Arrived> {
  const letter = plantedLetter(name, 'small', CONTACT_POINT);
  for (const [what, value] of Object.entries(letter.plants)) plants.know(`${name}: ${what}`, value);
  const memo = { ...letter.memo, documents: [...(letter.memo.documents ?? []), ...more] };
  return deliverLetter(installation, { ...letter, memo });
}
