import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createOperations, OperationsConfig } from '@indbakke/operations';
import { ReceiverConfig, startReceiver } from '@indbakke/receiver';
import { DAY, type Env, HOUR, readConfig } from '@indbakke/shared/config';
import { openQueues, SUGGEST_CASE } from '@indbakke/shared/queue';
import { type Running, serve } from '@indbakke/shared/service';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { newMemo, replyTo } from '../../services/receiver/test/support/memos.js';
import { startReceiverProcess } from '../../services/receiver/test/support/receiver-process.js';
import { repository } from '../../tools/local-state.mjs';
import { distribute, writeDistribution } from '../src/local/distribution/write-distribution.js';
import { freePort } from '../src/local/free-port.js';
import { createTestIssuer } from '../src/testkit/certificates.js';
import { deliver, REST_PATH } from '../src/testkit/deliver.js';
import {
  type Check,
  type Course,
  evaluateRules,
  faultsOfQueries,
  HAS_PROMTOOL,
  type RuleTest,
  type Samples,
  scrape,
  together,
} from '../src/testkit/promtool.js';
import { type Relay, startRelay } from '../src/testkit/relay.js';
import { CONTACT_POINT, ODENSKOV, type Setup, setUp, startTestStack, type TestStack } from '../src/testkit/stack.js';
import { writeMemo } from '../src/testkit/write-memo.js';

// @module-tag long

// Each alert's condition is made true on a running stack, and the rule is evaluated over what `/metrics` said before and after.

const RULES = join(repository, 'infra/deploy/prometheus/rules.yaml');
const CERTIFICATES = join(repository, 'infra/test/certificates');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
}
const rules = (parse(readFileSync(RULES, 'utf8')) as { groups: { rules: Rule[] }[] }).groups.flatMap(
  (group) => group.rules,
);

const NONE: Samples = new Map();
const closers: (() => Promise<unknown>)[] = [];
const atEnd = <T extends { close(): Promise<unknown> }>(one: T): T => {
  closers.push(() => one.close());
  return one;
};

let stack: TestStack;
/** What Prometheus would have seen of the stack while all was well. */
let calm: Samples;

beforeAll(async () => {
  stack = await startTestStack({
    WATCH_CERTIFICATES: join(CERTIFICATES, 'valid.pem'),
    WEBHOOK_ALLOW: '127.0.0.0/8',
    QUARANTINE_MAX_ENTRIES: '2',
    SIGN_IN_FAILURES_PER_MINUTE: '80',
    CLAMD_URL: 'tcp://127.0.0.1:1',
  });
  await stack.deliver(writeMemo(newMemo({})));
  await stack.deliver(writeMemo(newMemo(replyTo(randomUUID()))));
  await vi.waitFor(async () => {
    expect(await stack.sql('SELECT FROM messages WHERE suggestion_run_at IS NULL')).toEqual([]);
    expect(await stack.sql('SELECT FROM copies WHERE able_at IS NOT NULL')).toHaveLength(1);
    expect(await stack.sql('SELECT FROM daily_sizes')).toHaveLength(2);
  }, 60_000);
  calm = await scrape(stack.url, 'stack');
});
afterAll(async () => {
  for (const close of closers.reverse()) await close();
  await stack.close();
});

describe('every metric that is named exists:', () => {
  it.each(['infra/deploy/prometheus/rules.yaml', 'infra/deploy/grafana/dashboard.json', 'docs/monitoring.md'])(
    'in %s',
    async (file) => {
      const page = await (await fetch(`${stack.url}/metrics`)).text();
      const there = new Set([...page.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name));
      const named =
        readFileSync(join(repository, file), 'utf8').match(/\b(?:indbakke|process|nodejs)_\w+(?=[{}\s`"(),:[])/g) ?? [];
      const metrics = named
        .map((name) => name.replace(/_(bucket|sum|count)$/, ''))
        .filter((name) => !NOT_METRICS.includes(name));
      expect(metrics.filter((name) => !there.has(name))).toEqual([]);
      expect(metrics.length).toBeGreaterThan(10);
    },
  );
});

it.skipIf(!HAS_PROMTOOL)('every query of the dashboard is one that Prometheus understands', async () => {
  const { panels } = JSON.parse(readFileSync(join(repository, 'infra/deploy/grafana/dashboard.json'), 'utf8')) as {
    readonly panels: readonly { readonly targets?: readonly { readonly expr: string }[] }[];
  };
  const queries = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  expect(queries.length).toBeGreaterThan(20);
  expect(await faultsOfQueries(queries)).toBe('');
});

/** Roles of PostgreSQL. */
const NOT_METRICS = ['indbakke_owner', 'indbakke_service', 'indbakke_app', 'indbakke_worker', 'indbakke_queue'];

/** A receiver of its own, whose parts can be taken away. */
async function startOne(env: Env): Promise<Running> {
  return atEnd(await startReceiver(readConfig(ReceiverConfig, { ...stack.env, ...env })));
}

/** An operations service of its own, which has read nothing yet. */
async function startOperations(setup: Setup, env: Env = {}): Promise<Running> {
  const config = readConfig(OperationsConfig, { ...setup.env, ...env });
  return atEnd(await serve(config, 'operations', [createOperations(config)]));
}

/** Scrapes until these series are over these values: a scrape on a busy machine may still have older ones. */
function scrapeUntil(services: Record<string, string>, over: Record<string, number>): Promise<Samples> {
  return vi.waitFor(async () => {
    const found = together(...(await Promise.all(Object.entries(services).map(([name, url]) => scrape(url, name)))));
    for (const [series, value] of Object.entries(over)) {
      const [, is] = [...found].find(([name]) => name.startsWith(series)) ?? [];
      expect(Number(is), series).toBeGreaterThan(value);
    }
    return found;
  }, 60_000);
}

const askReadiness = ({ url }: Running) => fetch(`${url}/readyz`);

/** Takes a part of a receiver away. */
async function without(env: Env, take: (receiver: Running) => Promise<void>): Promise<Course> {
  const receiver = await startOne(env);
  await vi.waitFor(async () => {
    expect(await (await askReadiness(receiver)).json()).toMatchObject({
      database: 'ready',
      content: 'ready',
      queue: 'ready',
    });
  }, 60_000);
  const before = await scrape(receiver.url, 'one');
  await take(receiver);
  await askReadiness(receiver);
  return { before, after: await scrape(receiver.url, 'one') };
}

async function relayTo(url: string): Promise<Relay> {
  return atEnd(await startRelay(url));
}

async function databaseAway(): Promise<Course> {
  const relay = await relayTo(stack.serviceUrl);
  return without({ DATABASE_URL: relay.url }, async ({ url }) => {
    await relay.cut();
    expect((await deliver(url, writeMemo())).status).toBe(503);
  });
}

/** A receiver is killed in an installation whose last message came long ago. */
async function killedLongAgo(): Promise<Course> {
  const setup = atEnd(await setUp());
  const receiver = await startReceiverProcess(setup.env);
  expect((await deliver(receiver.url, writeMemo())).status).toBe(200);
  await vi.waitFor(
    async () => expect(await setup.sql('SELECT FROM copies WHERE able_at IS NOT NULL')).toHaveLength(1),
    10_000,
  );
  process.kill(receiver.pid, 'SIGKILL');
  await setup.sql(
    `UPDATE copies SET able_at = able_at - interval '6 days', seen_at = seen_at - interval '1 hour', started_at = started_at - interval '6 days'`,
  );
  await setup.sql(
    `INSERT INTO messages (id, municipality, channel, external_id, fingerprint, kind, contact_point_id, received_at, letter_at,
       transmission_id, document_count, file_count, content_size, remarks, status, status_at, status_by, next_enqueue_at, suggestion_run_at)
     SELECT gen_random_uuid(), $1, 'sf1606', gen_random_uuid(), 'f', 'enquiry', $2, at, at, gen_random_uuid(), 1, 1, 1, '[]', 'pending', at, 'test', at, at
     FROM generate_series(0, 25) AS n, LATERAL (SELECT now() - make_interval(hours => n::int) AS at) AS t`,
    [ODENSKOV, CONTACT_POINT],
  );
  await setup.sql(`UPDATE messages SET received_at = received_at - interval '6 days'`);
  await setup.sql(`UPDATE minute_figures SET minute = minute - interval '6 days'`);
  const operations = await startOperations(setup);
  const after = await scrapeUntil(
    { killed: operations.url },
    {
      'indbakke_outage_seconds{': 30,
      'indbakke_accepted_age_seconds{': 5 * 86_400,
      'indbakke_silent{what="municipalities"': 0,
      'indbakke_copies{service="receiver",state="lost"': 0,
    },
  );
  return { before: NONE, after };
}

/** Faults of what the stack works on; each scrape is of a new operations service beside it. */
async function faultsInTheStack(): Promise<Course> {
  const { url } = stack;
  const gone = atEnd(await answering(410));
  const broken = atEnd(await answering(500));
  const as = { system: true, user: 'core', roles: ['Indbakke.System'] };
  for (const receiver of [gone, broken]) await stack.call('POST', '/webhooks', { as, body: { url: receiver.url } });
  await stack.sql('REVOKE SELECT (reset_due) ON municipalities FROM indbakke_worker');

  // Letters that cannot be read, of which there is room for two; one in a loop.
  for (const body of ['hello', 'hello', 'hello', 'hello', 'hello', 'hi', 'hey']) await stack.deliver(body);
  // Held: an unknown contact point, and one of four days ago.
  await stack.deliver(writeMemo(newMemo({ contactPointId: randomUUID() })));
  await stack.sql(`UPDATE messages SET received_at = now() - interval '4 days' WHERE status = 'held'`);
  // Refused five times, counted at the last heartbeat.
  const refusing = await startReceiver(readConfig(ReceiverConfig, stack.env));
  const refused = writeMemo(newMemo({ recipient: { id: '99999999' } }));
  for (let times = 0; times < 5; times += 1) await deliver(refusing.url, refused);
  await refusing.close();
  await Promise.all(Array.from({ length: 110 }, () => fetch(`${url}/api/v1/incoming-documents`)));
  // A job that nobody can do.
  const queues = openQueues({ url: stack.serviceUrl, log: { warn() {}, error() {}, info() {} } as never });
  queues.enqueue(SUGGEST_CASE, { messageId: 'no-uuid', municipality: ODENSKOV, run: 1 });
  await queues.flush();
  await queues.close();

  await scrapeUntil(
    { stack: url },
    {
      'indbakke_sweep_failures{sweep="reset-training"': 2,
      'indbakke_webhooks{state="gone"': 0,
      'indbakke_webhooks{state="retrying"': 0,
      'indbakke_queue_jobs{queue="suggest-case",state="failed"': 0,
      'indbakke_held{what="messages",cause="unknown-contact-point"': 0,
    },
  );

  // Nobody sends what became of a document: there is no service.
  const document = await distribute(url, writeDistribution());
  expect(document.status).toBe(200);
  const [{ id = '' } = {}] = await stack.sql<{ id: string }>('SELECT message_id AS id FROM distributions');
  const rejection = { version: 1, body: { reason: 'unwanted', explanation: 'Reklame' } };
  expect((await stack.call('POST', `/incoming-documents/${id}/rejection`, rejection)).status).toBe(200);

  // What only time brings.
  await stack.sql(`UPDATE business_receipts SET at = at - interval '2 hours'`);
  await stack.sql(
    `INSERT INTO onward_distributions (id, message_id, municipality, recipient, kle, status, at, asked_by, next_enqueue_at)
     VALUES (gen_random_uuid(), $1, $2, '11111111', '27.24.00', 'waiting', now() - interval '2 hours', 'alerts', now())`,
    [id, ODENSKOV],
  );
  await stack.sql(`UPDATE webhook_deliveries SET created_at = created_at - interval '2 hours'`);
  await stack.sql(`UPDATE master_keys SET first_at = now() - interval '500 days'`);
  await stack.sql(
    `UPDATE daily_sizes SET day = current_date - 1, bytes = CASE what WHEN 'database' THEN bytes / 2 ELSE bytes * 1.5 END`,
  );
  await stack.sql(
    `UPDATE messages SET suggestion_run_at = NULL, received_at = now() - interval '1 hour', next_enqueue_at = now() + interval '1 day'
     WHERE status = 'pending'`,
  );
  await stack.sql(
    `INSERT INTO copies VALUES (gen_random_uuid(), ARRAY['archiver'], '0.0.9', now(), now(), NULL, NULL, 1)`,
  );
  await stack.sql(
    `INSERT INTO ledger_days (municipality, day, file, received, fates, made_at, event_position)
     VALUES ($1, current_date - 41, 'f', 0, '{}', now() - interval '40 days', 0)`,
    [ODENSKOV],
  );
  await stack.sql(
    `INSERT INTO ledger_differences (municipality, kind, subject, found_at, seen_at)
     VALUES ($1, 'gone', gen_random_uuid(), now(), now())`,
    [ODENSKOV],
  );
  // One file that has not come for two hours, and one that never came.
  for (const hours of [2, 100]) await distribute(url, writeDistribution({ fileName: `${hours}.pdf` }));
  await stack.sql(
    `UPDATE file_fetches SET since = now() - interval '2 hours', status = CASE f.file_name WHEN '100.pdf' THEN 'given-up' ELSE 'waiting' END
     FROM files f WHERE f.id = file_fetches.id`,
  );
  await stack.sql(`UPDATE message_scans SET since = now() - interval '1 hour'`);
  const next = await stack.sql<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relnamespace = 'audit_months'::regnamespace AND relname ~ '^m20\\d\\d_\\d\\d$'
       AND relname > to_char(now() AT TIME ZONE 'UTC', '"m"YYYY_MM')`,
  );
  expect(next.length).toBeGreaterThan(0);
  for (const { name } of next) await stack.sql(`DROP TABLE audit_months.${name}`);

  // Nobody may number it.
  await stack.sql('REVOKE UPDATE (position) ON events FROM indbakke_worker');
  await stack.sql(
    `INSERT INTO events (id, municipality, message_id, type, status, version, at)
     SELECT gen_random_uuid(), municipality, id, 'accepted', 'pending', 99, now() - interval '5 minutes' FROM messages LIMIT 1`,
  );
  const [{ bytes = 0 } = {}] = await stack.sql<{ bytes: number }>('SELECT database_size()::float8 AS bytes');
  const operations = await startOperations(stack, {
    DATABASE_MAX_BYTES: String(Math.round(bytes * 2)),
    WATCH_CERTIFICATES: [join(CERTIFICATES, 'expiring.pem'), '/no/such/certificate.pem'].join(','),
  });
  const after = await scrapeUntil(
    { stack: url, operations: operations.url },
    {
      'indbakke_unnumbered_age_seconds{rows="events"': 60,
      'indbakke_webhook_waiting_seconds{': 3_600,
      'indbakke_audit_month_faults{fault="missing"': 0,
      'indbakke_ledger_differences{kind="gone",instance="operations"': 0,
      'indbakke_ledger_age_seconds{instance="operations"': 26 * 3_600,
      'indbakke_ledger_unread_seconds{instance="operations"': 30 * 86_400,
      'indbakke_held{what="seconds",cause="unknown-contact-point"': 3 * 86_400,
      'indbakke_suggestion_waiting_seconds{instance="operations"': 300,
      'indbakke_refused_often{instance="operations"': 0,
      'indbakke_master_key_age_days{instance="operations"': 400,
      'indbakke_full_in_days{what="database",instance="operations"': 0,
      'indbakke_versions{instance="operations"': 1,
    },
  );
  return { before: calm, after };
}

async function certificatesOfDeliveries(): Promise<Course> {
  const folder = await mkdtemp(join(tmpdir(), 'indbakke-alerts-'));
  const issuer = await createTestIssuer();
  const soon = new Date(Date.now() + 10 * DAY);
  const own = await issuer.issue({ notAfter: soon, hosts: ['127.0.0.1'] });
  const write = async (name: string, content: string | Buffer) => {
    await writeFile(join(folder, name), content);
    return join(folder, name);
  };
  const { url } = await startOne({
    SF1606_CALLERS: 'certificate',
    SF1606_TLS_PORT: '0',
    SF1606_TLS_KEY_FILE: await write('server.key', own.key),
    SF1606_TLS_CERTIFICATE_FILE: await write('server.pem', own.certificate),
    SF1606_TLS_ISSUERS_FILE: await write('issuers.pem', issuer.certificate),
    SF1606_TLS_REVOKED_FILES: await write('revoked.crl', await issuer.revoke([], new Date(Date.now() - 40 * HOUR))),
    SF1606_TLS_CLIENTS: `11111111/${randomUUID()}`,
  });
  const after = await scrape(url, 'receiver');
  await rm(folder, { recursive: true });
  return { before: calm, after };
}

async function answering(status: number) {
  const server = createServer((req, res) => {
    req.resume();
    res.writeHead(status).end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function contentAway(): Promise<Course> {
  const folder = await mkdtemp(join(tmpdir(), 'indbakke-content-'));
  return without({ BLOB_URL: pathToFileURL(join(folder, 'content')).href }, () => rm(folder, { recursive: true }));
}

async function queueAway(): Promise<Course> {
  const relay = await relayTo(stack.serviceUrl);
  return without({ QUEUE_URL: relay.url }, () => relay.cut());
}

/** The keys of the issuer are fetched anew only after a while, so of a receiver that starts without them. */
async function tokensAway(): Promise<Course> {
  const receiver = await startOne({ TOKEN_JWKS: `http://127.0.0.1:${await freePort()}/jwks` });
  await askReadiness(receiver);
  return { before: NONE, after: await scrape(receiver.url, 'one') };
}

async function standbyUnused(): Promise<Course> {
  const receiver = await startOne({ DATABASE_READ_URL: stack.serviceUrl }); // it is the primary
  await vi.waitFor(async () => {
    expect(await (await askReadiness(receiver)).json()).toMatchObject({ standby: 'not-a-standby' });
  }, 60_000);
  return { before: NONE, after: await scrape(receiver.url, 'one') };
}

async function clockWrong(): Promise<Course> {
  try {
    return await without({}, async () => {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 30_000 });
    });
  } finally {
    vi.useRealTimers();
  }
}

async function uploadsFull(): Promise<Course> {
  const receiver = await startOne({ MAX_UPLOADS: '1' });
  const before = await scrape(receiver.url, 'one');
  const stop = new AbortController();
  const body = new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from('<')) });
  const init = {
    method: 'POST',
    body,
    duplex: 'half',
    signal: stop.signal,
    headers: { 'content-type': 'application/xml' },
  };
  const uploading = fetch(receiver.url + REST_PATH, init as RequestInit).catch(() => undefined);
  await vi.waitFor(async () => {
    expect((await scrape(receiver.url, 'one')).get('indbakke_uploads{instance="one"}')).toBe('1');
  }, 60_000);
  const after = await scrape(receiver.url, 'one');
  stop.abort();
  await uploading;
  return { before, after };
}

/** Only the receiver is scraped. */
async function noOperations(): Promise<Course> {
  const receiver = await startOne({});
  return { before: calm, after: await scrape(receiver.url, 'one') };
}

const CASES: readonly { readonly make: () => Promise<Course>; readonly alerts: readonly string[] }[] = [
  { make: databaseAway, alerts: ['DatabaseAway', 'SendsAgain'] },
  { make: contentAway, alerts: ['ContentAway'] },
  { make: queueAway, alerts: ['QueueAway'] },
  { make: tokensAway, alerts: ['TokensAway'] },
  { make: standbyUnused, alerts: ['StandbyUnused'] },
  { make: clockWrong, alerts: ['ClockWrong'] },
  { make: uploadsFull, alerts: ['UploadsFull'] },
  { make: noOperations, alerts: ['NoMetrics'] },
  {
    make: killedLongAgo,
    alerts: [
      'NoReceiver',
      'NothingAcceptedFor3Days',
      'NothingAcceptedFor5Days',
      'MunicipalitySilent',
      'ContactPointSilent',
      'ServiceMissing',
      'CopyLost',
    ],
  },
  {
    make: faultsInTheStack,
    alerts: [
      'RefusedOften',
      'ResendLoop',
      'Quarantined',
      'QuarantineDoesNotKeep',
      'VersionsDiffer',
      'SweepFails',
      'ManyNotSignedIn',
      'SignInsSlowed',
      'SuggestionsLate',
      'JobsFailed',
      'NotNumbered',
      'WebhookDisabled',
      'WebhookWaits',
      'ReceiptsNotSent',
      'NotSentOn',
      'FileLate',
      'FileGivenUp',
      'FilesNotScanned',
      'UnknownContactPoint',
      'HeldForLong',
      'AuditMonthFault',
      'LedgerDiffers',
      'LedgerLate',
      'LedgerUnread',
      'ContentFull',
      'DatabaseFull',
      'CertificateExpires',
      'CertificateUnreadable',
      'MasterKeyOld',
    ],
  },
  { make: certificatesOfDeliveries, alerts: ['DeliveryCertificateExpires', 'RevocationsOld'] },
];

/** How long a condition must hold, in minutes. */
const minutesOf = ({ for: time = '0m' }: Rule) => Number.parseInt(time, 10) * (time.endsWith('h') ? 60 : 1);

it('every alert has a case', () => {
  expect(CASES.flatMap(({ alerts }) => alerts).toSorted()).toEqual(rules.map(({ alert }) => alert).toSorted());
});

/** Not before it has been so for as long as the rule says. */
function checksOf(alert: string): Check[] {
  const minutes = minutesOf(rules.find((rule) => rule.alert === alert) as Rule);
  const early = minutes > 1 ? [{ alert, afterMinutes: minutes - 1, fires: false }] : [];
  return [...early, { alert, afterMinutes: minutes + 1, fires: true }];
}

it.skipIf(!HAS_PROMTOOL)(
  'each alert fires when its condition is true, and none on a calm stack',
  async () => {
    const calmFor = [0, 5, 60, 300].map((afterMinutes) => ({ alert: 'any', afterMinutes, fires: false }));
    const tests: RuleTest[] = [{ name: 'a calm stack', before: calm, after: calm, checks: calmFor }];
    const wrong = await clockWrong(); // alone: it is the clock of all that run here
    const courses = await Promise.all(CASES.map(({ make }) => (make === clockWrong ? wrong : make())));
    for (const [n, { make, alerts }] of CASES.entries()) {
      tests.push({ name: make.name, ...(courses[n] as Course), checks: alerts.flatMap(checksOf) });
    }
    expect(await evaluateRules(RULES, tests)).toBe('');
  },
  120_000,
);
