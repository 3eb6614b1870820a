import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeDistribution } from '../../local/distribution/write-distribution.js';
import type { OwnClamd } from '../../testkit/clamd.js';
import { runSql } from '../../testkit/database.js';
import { askUntil } from '../../testkit/inbox-client.js';
import type { Relay } from '../../testkit/relay.js';
import { writeMemo } from '../../testkit/write-memo.js';
import { FAILING_HOOK, foldersOf, type OwnInstallation } from '../plants/installation.js';
import { type Arrived, Callers } from '../plants/pass-through.js';
import { deliverTo, ENDPOINTS, plantedMemo, SF2900 } from './bad-deliveries.js';
import { type Distributed, plantedDocuments, refuseWhatComes } from './distributions.js';
import type { Plants } from './plants.js';
import { deliverPlanted, mustBe, untilScanned } from './scans.js';

/** Webhooks that fail, with something in the URL that is nobody else’s business. */
export async function failWebhooks(installation: OwnInstallation, plants: Plants): Promise<void> {
  const caseworker = await new Callers(installation).caseworker();
  await caseworker.createWebhook(
    new URL(`${FAILING_HOOK}?x=${plants.word('URL of a webhook')}`, installation.hookUrl).href,
  );
  await caseworker.createWebhook(`http://127.0.0.1:1/${plants.word('URL of a webhook that nobody answers')}`);
}

/** What breaks, each with deliveries and calls that have something personal in them. @returns all answers */
export async function breakAll(
  installation: OwnInstallation,
  { relay, clamd }: Breakable,
  { letters, unsafe, distributed }: Existing,
  plants: Plants,
): Promise<string[]> {
  const beforeScanner = [
    ...(await refuseRows(installation, distributed, plants)),
    ...(await loseDatabase(installation, relay, letters, plants)),
    ...(unsafe ? await callAll(installation, unsafe, plants, 'unsafe file') : []),
  ];
  const lost = clamd && (await loseScanner(installation, clamd, plants));
  const spoiled = await spoilContent(installation, letters, plants);
  if (clamd && lost) await scanSpoiled(installation, clamd, lost.held);
  return [...beforeScanner, ...(lost?.answers ?? []), ...spoiled];
}

interface Breakable {
  readonly relay: Relay;
  readonly clamd: OwnClamd | undefined;
}

interface Existing {
  readonly letters: readonly Arrived[];
  readonly unsafe: Arrived | undefined;
  readonly distributed: Distributed;
}

async function deliverAll({ url, signal }: OwnInstallation, plants: Plants, what: string): Promise<string[]> {
  const letters = ENDPOINTS.map((endpoint) => {
    const xml = writeMemo(plantedMemo(plants, `${what}, ${endpoint.name}`));
    return deliverTo(url, endpoint, { xml }, signal);
  });
  const documents = plantedDocuments(plants, what).map((spec) =>
    deliverTo(url, SF2900, { xml: Buffer.from(writeDistribution(spec)) }, signal),
  );
  return Promise.all([...letters, ...documents]);
}

/** Calls whose body, or whose answer, is personal. Those that succeed are not looked at. */
async function callAll(
  installation: OwnInstallation,
  { id, plants: own }: Arrived,
  plants: Plants,
  what: string,
): Promise<string[]> {
  const [message] = await runSql<{ version: number }>(
    installation.ownerUrl,
    'SELECT version FROM messages WHERE id = $1',
    [id],
  );
  const callers = new Callers(installation);
  const word = (field: string) => plants.word(`${what}, ${field}`);
  const citizen = plants.number(`${what}, number searched for`);
  const [token, core] = [await callers.token(), await callers.coreToken()];
  const calls: [string, string, unknown?, string?][] = [
    ['GET', `/incoming-documents/${id}`],
    ['GET', `/incoming-documents/${id}/text`],
    ['GET', `/incoming-documents/${id}/zip?include=cover,technical,original&cover=full`],
    ['POST', '/incoming-documents/search', { q: word('words') }],
    ['POST', '/incoming-documents/search', { q: citizen }],
    ['POST', '/incoming-documents/search', { q: own.subject }],
    ['POST', '/incoming-documents/export', {}],
    ['POST', '/audit-events/search', { citizen }],
    ['POST', '/audit-events/sheet', { citizen }],
    ['POST', '/access-packages', { citizen: own['number of the sender'], reference: word('reference') }],
    ['POST', `/incoming-documents/${id}/rejection`, { reason: 'other', explanation: word('explanation') }],
    ['POST', `/incoming-documents/${id}/journalization`, { caseIds: [word('case')], reference: word('reference') }],
    ['PUT', `/cases/${word('case in the path')}`, { caseworker: 'caseworker-1', parties: [citizen] }, core],
    [
      'POST',
      `/incoming-documents/${id}/distribution`,
      { recipient: '11111111', kle: '27.24.00', title: word('title of what is sent on') },
    ],
    ['POST', '/zip-downloads', { items: [id], include: ['cover', 'technical', 'original'], cover: 'full' }],
  ];
  const answers = await Promise.all(
    calls.map(async ([method, path, body, as = token]) => {
      const response = await fetch(`${installation.url}/api/v1${path}`, {
        method,
        signal: installation.signal,
        headers: {
          authorization: `Bearer ${as}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...(path.startsWith(`/incoming-documents/${id}`) &&
            method === 'POST' && { 'if-match': `"${message?.version}"` }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await response.text().catch(() => ''); // cut
      return response.ok ? '' : text;
    }),
  );
  return answers.filter((answer) => answer !== '');
}

/** PostgreSQL refuses rows, and says in its error what is in them. */
async function refuseRows(installation: OwnInstallation, distributed: Distributed, plants: Plants): Promise<string[]> {
  const { ownerUrl } = installation;
  const tables = ['message_details', 'documents', 'files', 'onward_distribution_texts'];
  for (const table of tables)
    await runSql(ownerUrl, `ALTER TABLE ${table} ADD CONSTRAINT refused CHECK (false) NOT VALID`);
  const answers = [
    ...(await deliverAll(installation, plants, 'rows refused')),
    ...(await refuseWhatComes(installation, distributed, plants)),
  ];
  for (const table of tables) await runSql(ownerUrl, `ALTER TABLE ${table} DROP CONSTRAINT refused`);
  return answers;
}

/** The database goes away in the middle of a delivery, of a job, and of every call. */
async function loseDatabase(
  installation: OwnInstallation,
  relay: Relay,
  letters: readonly Arrived[],
  plants: Plants,
): Promise<string[]> {
  const answers: string[] = [];
  for (const statement of ['lock-ids', 'insert-messages', 'COMMIT', 'lock-for-suggestion', 'write-suggestions']) {
    relay.failAt(statement, { when: 'after', how: 'reset' });
    answers.push(...(await deliverAll(installation, plants, `reset after ${statement}`)));
  }
  await relay.cut();
  answers.push(...(await deliverAll(installation, plants, 'database away')));
  answers.push(...(await callAll(installation, letters[0] as Arrived, plants, 'database away')));
  await relay.restore();
  await isReady(installation);
  return answers;
}

const isReady = ({ url, signal }: OwnInstallation) =>
  askUntil(
    () => fetch(`${url}/readyz`, { signal }),
    ({ status }) => status === 200,
  );

/** The scanner goes away: the files of what comes then are held. */
async function loseScanner(installation: OwnInstallation, clamd: OwnClamd, plants: Plants) {
  await clamd.kill();
  const held = await deliverPlanted(installation, plants, 'letter without a scanner');
  await askUntil(
    () =>
      runSql(installation.ownerUrl, 'SELECT FROM message_scans WHERE message_id = $1 AND fault IS NOT NULL', [held.id]),
    ({ length }) => length > 0,
  );
  return { held, answers: await callAll(installation, held, plants, 'held file') };
}

/** It is back, and its job meets content that cannot be read. */
async function scanSpoiled(installation: OwnInstallation, clamd: OwnClamd, held: Arrived): Promise<void> {
  await clamd.start();
  await runSql(installation.ownerUrl, 'UPDATE message_scans SET next_enqueue_at = now() WHERE message_id = $1', [
    held.id,
  ]);
  await untilScanned(installation, [held]);
  await mustBe(installation, held, 'unscannable');
}

/** The content of every letter is spoiled where it lies: what reads it fails, in calls and in jobs. */
async function spoilContent(
  installation: OwnInstallation,
  letters: readonly Arrived[],
  plants: Plants,
): Promise<string[]> {
  const { ownerUrl, paths } = installation;
  for (const name of readdirSync(paths.content, { recursive: true, encoding: 'utf8' })) {
    const file = join(paths.content, name);
    if (!statSync(file).isFile()) continue;
    const bytes = readFileSync(file);
    bytes.fill(0x20, Math.floor(bytes.length / 3));
    writeFileSync(file, bytes);
  }
  await runSql(
    ownerUrl,
    `UPDATE message_contents SET container = overlay(container PLACING '\\x2020202020202020' FROM 40)`,
  );
  const answers = await Promise.all(
    letters.map((letter) => callAll(installation, letter, plants, `content of ${letter.name} spoiled`)),
  );
  // The jobs that make zips and packages of it fail.
  const log = join(foldersOf(paths).logs, 'services.log');
  for (const queue of ['make-zip', 'make-access-package'])
    await askUntil(
      async () => new RegExp(`"job-failed".*"queue":"${queue}"`).test(readFileSync(log, 'utf8')),
      (hasFailed) => hasFailed,
    );
  return answers.flat();
}
