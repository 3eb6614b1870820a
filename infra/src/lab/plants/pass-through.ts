import { randomUUID } from 'node:crypto';
import { ArchiverConfig, removeDueContent } from '@indbakke/archiver';
import { type Env, readConfig } from '@indbakke/shared/config';
import { openParts } from '@indbakke/shared/service';
import { EXAMPLE_CASE, EXAMPLE_MUNICIPALITY } from '../../local/example-municipality.js';
import type { StatePaths } from '../../local/state.js';
import { runSql } from '../../testkit/database.js';
import { deliver } from '../../testkit/deliver.js';
import { askUntil, InboxClient } from '../../testkit/inbox-client.js';
import { CASEWORKER_ROLES, issueOperatorsToken, issueToken } from '../../testkit/set-up.js';
import { textDocument, writeMemo } from '../../testkit/write-memo.js';
import { type PlantedLetter, plantedLetter, word } from './letters.js';

/** What the letters pass through. */
export interface Installation {
  readonly url: string;
  readonly ownerUrl: string;
  readonly paths: StatePaths;
  /** The settings of its services. */
  readonly env: Env;
  /** Where webhooks go. */
  readonly hookUrl: string;
  readonly signal: AbortSignal;
}

/** A letter that is in the inbox. */
export interface Arrived extends PlantedLetter {
  readonly id: string;
}

const ALL_ROLES = [...CASEWORKER_ROLES, 'Indbakke.Opsætning', 'Indbakke.Aktindsigt', 'Revisionslog.Læs'];
export const CONTACT_POINT = EXAMPLE_MUNICIPALITY.contactPoints[0]?.id as string;

/** The callers of an installation. */
export class Callers {
  readonly #installation: Installation;

  constructor(installation: Installation) {
    this.#installation = installation;
  }

  async caseworker(): Promise<InboxClient> {
    return new InboxClient(this.#installation.url, await this.token(), this.#installation.signal);
  }

  async core(): Promise<InboxClient> {
    return new InboxClient(this.#installation.url, await this.coreToken(), this.#installation.signal);
  }

  coreToken(): Promise<string> {
    return issueToken(this.#installation.paths, { user: 'core', system: true });
  }

  /** Of a caseworker with all roles. */
  token(): Promise<string> {
    return issueToken(this.#installation.paths, { user: 'caseworker-1', roles: ALL_ROLES });
  }

  operatorsToken(): Promise<string> {
    return issueOperatorsToken(this.#installation.paths, { roles: ['Indbakke.Drift', 'Indbakke.Karantæne'] });
  }

  /** Any call with all roles; its answer is read to the end. @returns the answer's body */
  async call(
    method: string,
    path: string,
    { body, operator }: { body?: unknown; operator?: boolean } = {},
  ): Promise<Buffer> {
    const { url, signal } = this.#installation;
    const token = await (operator ? this.operatorsToken() : this.token());
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      signal,
      headers: { authorization: `Bearer ${token}`, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const answer = Buffer.from(await response.arrayBuffer());
    // Not the body, which may have a plant.
    if (!response.ok) throw new Error(`${method} ${path.split('?')[0]} answered ${response.status}.`);
    return answer;
  }
}

/** The name of the letter that is not deleted: retention removes its content. */
const JOURNALIZED = 'journalized letter';

/** The letters, and some that stay. */
export async function deliverLetters(installation: Installation, others: number): Promise<Arrived[]> {
  const sent = randomUUID();
  const core = await new Callers(installation).core();
  await core.registerSentMessage(sent, { caseId: EXAMPLE_CASE });
  const letters = [
    plantedLetter('small enquiry', 'small', CONTACT_POINT),
    plantedLetter('large enquiry', 'large', CONTACT_POINT),
    plantedLetter('small reply', 'small', CONTACT_POINT, sent),
    plantedLetter('large reply', 'large', CONTACT_POINT, sent),
    plantedLetter(JOURNALIZED, 'large', CONTACT_POINT),
  ];
  const stay = (from: number, until: number) =>
    Promise.all(
      Array.from({ length: until - from }, () =>
        send(installation, writeMemo({ subject: `bliver ${word()}`, documents: [textDocument(word())] })),
      ),
    );
  const half = Math.floor(others / 2);
  for (let from = 0; from < half; from += BATCH) await stay(from, Math.min(half, from + BATCH));
  for (const { memo } of letters) await send(installation, writeMemo(memo));
  for (let from = half; from < others; from += BATCH) await stay(from, Math.min(others, from + BATCH));
  return Promise.all(
    letters.map(async (letter) => ({ ...letter, id: await idOf(installation, letter.memo.messageUUID) })),
  );
}

export async function deliverLetter(installation: Installation, letter: PlantedLetter): Promise<Arrived> {
  await send(installation, writeMemo(letter.memo));
  return { ...letter, id: await idOf(installation, letter.memo.messageUUID) };
}

const BATCH = 20;

async function send({ url, signal }: Installation, xml: Buffer): Promise<void> {
  const response = await deliver(url, xml, { signal });
  await response.arrayBuffer();
  if (response.status !== 200) throw new Error(`A delivery was answered ${response.status}.`);
}

async function idOf({ ownerUrl }: Installation, messageUUID: string): Promise<string> {
  const [row] = await runSql<{ id: string }>(ownerUrl, 'SELECT id FROM messages WHERE external_id = $1', [messageUUID]);
  return (row as { id: string }).id;
}

/** Everything that handles a letter handles it: it is listed, searched for, read, exported, extracted, packed, logged, sent. */
export async function passThroughAll(installation: Installation, letters: readonly Arrived[]): Promise<void> {
  const callers = new Callers(installation);
  const caseworker = await callers.caseworker();
  await caseworker.createWebhook(installation.hookUrl);
  const extract = await caseworker.createExtract({
    name: 'Alt',
    filter: {},
    sort: 'receivedAt',
    schedule: { every: 'day', at: '07:30' },
  });
  // At once: packages wait for a sweep.
  await Promise.all(letters.map((letter) => passThrough(callers, caseworker, letter)));
  await makeExtract(installation, caseworker, extract);
  await callers.call('POST', '/incoming-documents/export', { body: {} });
}

async function passThrough(callers: Callers, caseworker: InboxClient, { id, plants }: Arrived): Promise<void> {
  const citizen = plants['number of the sender'] as string;
  await caseworker.list({ limit: 200 });
  for (const text of [plants.subject, plants['name of the sender'], citizen])
    await callers.call('POST', '/incoming-documents/search', { body: { q: text } });
  const { documents } = await caseworker.read(id);
  for (const { files } of documents) for (const file of files) await (await caseworker.file(id, file.id)).arrayBuffer();
  await callers.call('GET', `/incoming-documents/${id}/text`).catch(() => undefined); // a file of text only
  await callers.call('GET', `/incoming-documents/${id}/zip?include=cover,technical,original&cover=full`);
  await callers.call('POST', '/audit-events/search', { body: { citizen } });
  await callers.call('POST', '/audit-events/sheet', { body: { citizen } });
  const packageId = await caseworker.createAccessPackage({ citizen, reference: plants.subject as string });
  await askUntil(
    () => caseworker.accessPackage(packageId),
    ({ status }) => status === 'made',
  );
  await caseworker.accessPackageContent(packageId);
  const zipId = await caseworker.createZipDownload({
    items: [id],
    include: ['cover', 'technical', 'original'],
    cover: 'full',
  });
  await askUntil(
    () => caseworker.zipDownload(zipId),
    ({ status }) => status === 'ready',
  );
  await caseworker.zipDownloadContent(zipId);

  const version = async () => (await caseworker.read(id)).version;
  const seen = async () => ({ id, version: await version() });
  await caseworker.assign(await seen(), { assignee: { kind: 'user', id: 'caseworker-1' } });
  await caseworker.journalize(await seen(), { caseIds: [EXAMPLE_CASE], reference: plants.subject as string });
  await caseworker.takeBack(await seen(), { reason: 'other' });
  const rejected = await caseworker.reject(await seen(), { reason: 'other', explanation: plants.content as string });
  const told = await caseworker.tellOutcome(rejected, {
    forwardedTo: { name: plants['name of the sender'] as string },
  });
  const kept = await caseworker.setLegalHold(told, { reason: plants['name of the citizen concerned'] as string });
  await caseworker.reopen(await caseworker.liftLegalHold(kept, { reason: plants.content as string }));
}

async function makeExtract({ ownerUrl }: Installation, caseworker: InboxClient, id: string): Promise<void> {
  await runSql(ownerUrl, `UPDATE extracts SET next_run_at = now(), next_enqueue_at = now() WHERE id = $1`, [id]);
  const { files } = await askUntil(
    () => caseworker.extract(id),
    (extract) => extract.files.length > 0,
  );
  await caseworker.extractFile(id, (files[0] as { id: string }).id);
}

/** A delivery that cannot be read, with plants, goes into quarantine. */
export async function quarantine({ url, signal }: Installation, { memo }: PlantedLetter): Promise<void> {
  const broken = writeMemo(memo).toString('latin1').replace('</memo:MessageHeader>', '</memo:Broken>');
  const response = await deliver(url, Buffer.from(broken, 'latin1'), { signal });
  await response.arrayBuffer();
  if (response.status === 200) throw new Error('A broken delivery was accepted.');
}

/** The operator reads what is in quarantine, and then removes it. */
export async function emptyQuarantine(installation: Installation, remove: boolean): Promise<void> {
  const callers = new Callers(installation);
  const { items } = JSON.parse(String(await callers.call('GET', '/quarantine', { operator: true }))) as {
    items: { id: string }[];
  };
  for (const { id } of items) {
    await callers.call('GET', `/quarantine/${id}/content`, { operator: true });
    if (remove) await callers.call('DELETE', `/quarantine/${id}`, { operator: true });
  }
}

/** Journalizes a letter, whose content retention then removes: what stays of it has nothing that is planted. */
async function removeByRetention(installation: Installation, { id }: Arrived): Promise<void> {
  const caseworker = await new Callers(installation).caseworker();
  const { version } = await caseworker.read(id);
  await caseworker.journalize({ id, version }, { caseIds: [EXAMPLE_CASE] });
  const { ownerUrl, env } = installation;
  await runSql(ownerUrl, 'UPDATE municipalities SET remove_content_after_days = 1');
  await runSql(ownerUrl, `UPDATE messages SET handled_at = now() - interval '2 days' WHERE id = $1`, [id]);
  const parts = await openParts(readConfig(ArchiverConfig, env), 'retention');
  const removed = await removeDueContent(parts, new Date());
  await parts.queues.close();
  await parts.store.close();
  if (removed !== 1) throw new Error(`The content of ${removed} letters was removed, not of one.`);
}

/** Rejects the letters with texts that are planted too, and deletes them. */
export async function deleteLetters(installation: Installation, letters: readonly Arrived[]): Promise<void> {
  const caseworker = await new Callers(installation).caseworker();
  for (const letter of letters) {
    if (letter.name === JOURNALIZED) {
      await removeByRetention(installation, letter);
      continue;
    }
    const { id, plants } = letter;
    const { version } = await caseworker.read(id);
    const explanation = `Ikke til os: ${plants['name of the citizen concerned'] as string}`;
    await caseworker.deleteForGood(await caseworker.reject({ id, version }, { reason: 'other', explanation }));
  }
}
