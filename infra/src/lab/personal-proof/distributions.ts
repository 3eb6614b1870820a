import { randomUUID } from 'node:crypto';
import { mkdir, truncate, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type DistributionSpec, distribute, writeDistribution } from '../../local/distribution/write-distribution.js';
import { runSql } from '../../testkit/database.js';
import { askUntil } from '../../testkit/inbox-client.js';
import type { FaultySftpServer, Misbehaviour } from '../../testkit/sftp-server.js';
import { writeReceipt } from '../../testkit/write-receipt.js';
import type { OwnInstallation } from '../plants/installation.js';
import { Callers } from '../plants/pass-through.js';
import { deliverTo, SF2900 } from './bad-deliveries.js';
import type { FarEnd } from './far-end.js';
import type { Plants } from './plants.js';
import { untilScanned } from './scans.js';

const RECIPIENT = '11111111';

/** A document of each type, all of which that can be about somebody is a plant. The first two have a file that follows. */
export function plantedDocuments(plants: Plants, what: string) {
  const word = (field: string) => `Bø ${plants.word(`${what}, ${field}`)} "&" <sø>`;
  const number = (field: string) => plants.number(`${what}, ${field}`);
  const ids = () => ({ transactionId: randomUUID(), fileName: `${word('file name')}.txt` });
  return [
    {
      ...ids(),
      object: {
        type: 'DOKUMENT',
        title: word('title'),
        description: word('description'),
        parties: [
          { role: 'PrimaerPart', type: 'Person', urn: `urn:oio:cpr-nr:${number('primary party')}` },
          { role: 'SekundaerPart', type: 'Person', text: word('name of a party') },
          { role: 'KopiModtager', type: 'Bruger', text: number('party without a name') },
        ],
        exemption: { title: word('title of the exemption'), law: word('law of the exemption') },
      },
    },
    {
      ...ids(),
      object: {
        type: 'JOURNALPOST',
        title: word('title of the note'),
        note: word('note'),
        party: { type: 'Person', text: word('name of the party') },
      },
    },
    {
      transactionId: randomUUID(),
      object: { type: 'FORMULAR', title: word('title of the form'), content: Buffer.from(word('content of the form')) },
    },
  ] as const satisfies DistributionSpec[];
}

/** A document that is in the inbox. */
export interface Document {
  readonly id: string;
  readonly spec: DistributionSpec;
}

export async function deliverDocuments(installation: OwnInstallation, plants: Plants): Promise<Document[]> {
  return Promise.all(plantedDocuments(plants, 'document').map((spec) => take(installation, spec)));
}

async function take({ url, ownerUrl, signal }: OwnInstallation, spec: DistributionSpec): Promise<Document> {
  const response = await distribute(url, writeDistribution(spec), { signal });
  if (!(await response.text()).includes('ACCEPTERET')) throw new Error(`A document was answered ${response.status}.`);
  const [row] = await runSql<{ id: string }>(
    ownerUrl,
    'SELECT message_id AS id FROM distributions WHERE transaction_id = $1',
    [spec.transactionId],
  );
  return { id: (row as { id: string }).id, spec };
}

/** What is left of them for later. */
export interface Distributed {
  /** Whose file is asked for in vain, until it is put there. */
  readonly waiting: Document;
  /** The transaction in which one was sent on. */
  readonly transactionId: string;
  readonly sftp: FaultySftpServer;
}

/**
 * Whatever handles a document handles it: its file is fetched; it is read, rejected with a reason for its sender, and sent on, and the
 * recipient answers. Then come documents whose files cannot be fetched.
 */
export async function distributeAll(
  installation: OwnInstallation,
  { sftp }: FarEnd,
  documents: readonly Document[],
  plants: Plants,
): Promise<Distributed> {
  for (const { spec } of documents) await putFile(sftp, spec, plants);
  for (const document of documents) {
    if (document.spec.fileName) await until(installation, 'file_fetches', document, 'status', 'done');
    await untilScanned(installation, [document]);
    await passThrough(installation, document, plants);
  }
  const [sentOn] = documents as readonly [Document];
  const caseworker = await new Callers(installation).caseworker();
  const title = plants.word('title of what is sent on');
  await caseworker.sendOn(await caseworker.read(sentOn.id), { recipient: RECIPIENT, kle: '27.24.00', title });
  await until(installation, 'onward_distributions', sentOn, 'status', 'rejected');
  for (const document of documents) await until(installation, 'business_receipts', document, 'status', 'sent');
  const transactionId = await transactionOf(installation, sentOn);
  const reason = plants.word('reason of the recipient');
  await distribute(installation.url, writeReceipt({ transactionId, code: 'FEJLET', reason }));
  await caseworker.read(sentOn.id);
  return { waiting: await failToFetch(installation, sftp, plants), transactionId, sftp };
}

/** Of the SFTP server, for whose file; the others are faults of the file itself. */
const MISBEHAVIOURS = { refused: 'refuse', failed: 'fail', cut: 'cut' } as const satisfies Record<string, Misbehaviour>;
const FAULTS = ['not-there', ...Object.keys(MISBEHAVIOURS), 'empty', 'no-file', 'too-large', 'name-taken'];
const TOO_MANY_BYTES = 3_000_000;

/** @returns one that could be fetched later */
async function failToFetch(installation: OwnInstallation, sftp: FaultySftpServer, plants: Plants): Promise<Document> {
  const rules = new Map<string, Misbehaviour>();
  sftp.obey(({ path }) => rules.get(basename(path)));
  const failing = await Promise.all(
    FAULTS.map(async (fault) => {
      const [spec] = plantedDocuments(plants, `document whose file is ${fault}`);
      const file = join(sftp.folder, 'IN', spec.fileName);
      if (fault === 'empty') await writeFile(file, '');
      if (fault === 'no-file') await mkdir(file);
      if (fault === 'too-large') await writeFile(file, '').then(() => truncate(file, TOO_MANY_BYTES));
      if (fault === 'name-taken') await take(installation, { ...spec, transactionId: randomUUID() });
      if (fault in MISBEHAVIOURS) rules.set(spec.fileName, MISBEHAVIOURS[fault as keyof typeof MISBEHAVIOURS]);
      return { fault, document: await take(installation, spec) };
    }),
  );
  for (const { fault, document } of failing) await until(installation, 'file_fetches', document, 'fault', fault);
  sftp.behave();
  return (failing[0] as (typeof failing)[0]).document;
}

async function putFile(sftp: FaultySftpServer, { fileName }: DistributionSpec, plants: Plants): Promise<void> {
  if (fileName === undefined) return;
  const content = `Kære ${plants.word('content of a file that comes by SFTP')}`;
  await writeFile(join(sftp.folder, 'IN', fileName), content);
}

/** It is read, searched for, and rejected. */
async function passThrough(installation: OwnInstallation, { id, spec }: Document, plants: Plants): Promise<void> {
  const callers = new Callers(installation);
  const caseworker = await callers.caseworker();
  const { documents, subject, version } = await caseworker.read(id);
  for (const { files } of documents) for (const file of files) await (await caseworker.file(id, file.id)).arrayBuffer();
  await callers.call('GET', `/incoming-documents/${id}/zip?include=cover,technical,original&cover=full`);
  await callers.call('POST', '/incoming-documents/search', { body: { q: subject } });
  await caseworker.reject(
    { id, version },
    {
      reason: 'other',
      explanation: `Ikke til os: ${contentOf(spec) ?? plants.word('explanation of a rejection')}`,
      reasonForSender: plants.word('text for the sender'),
    },
  );
}

/** What the call itself brings of its content. */
function contentOf({ object }: DistributionSpec): string | undefined {
  if (object?.type === 'JOURNALPOST') return object.note;
  return object?.type === 'FORMULAR' ? String(object.content) : undefined;
}

type Outbox = 'file_fetches' | 'business_receipts' | 'onward_distributions';

/** Until its row is so, with the next attempt due at once. */
async function until(
  { ownerUrl }: OwnInstallation,
  table: Outbox,
  { id }: Document,
  column: 'status' | 'fault',
  wanted: string,
): Promise<void> {
  await askUntil(
    async () => {
      // One that is under way is due only when it may be lost.
      await runSql(
        ownerUrl,
        `UPDATE ${table} SET next_enqueue_at = now()
         WHERE message_id = $1 AND next_enqueue_at BETWEEN now() AND now() + interval '1 minute'`,
        [id],
      );
      return runSql<{ is: string }>(ownerUrl, `SELECT ${column} AS is FROM ${table} WHERE message_id = $1`, [id]);
    },
    (rows) => rows.some((row) => row.is === wanted),
  );
}

async function transactionOf({ ownerUrl }: OwnInstallation, { id }: Document): Promise<string> {
  const [row] = await runSql<{ id: string }>(ownerUrl, 'SELECT id FROM onward_distributions WHERE message_id = $1', [
    id,
  ]);
  return (row as { id: string }).id;
}

/** A file and a receipt that come while PostgreSQL refuses the rows that they change. @returns the answer to the receipt */
export async function refuseWhatComes(
  installation: OwnInstallation,
  { waiting, transactionId, sftp }: Distributed,
  plants: Plants,
): Promise<string[]> {
  await putFile(sftp, waiting.spec, plants);
  await until(installation, 'file_fetches', waiting, 'fault', 'not-stored');
  const receipt = writeReceipt({ transactionId, code: 'AFVIST', reason: plants.word('reason that is refused') });
  return [await deliverTo(installation.url, SF2900, { xml: Buffer.from(receipt) }, installation.signal)];
}
