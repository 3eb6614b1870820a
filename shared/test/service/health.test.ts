import { randomBytes, randomUUID } from 'node:crypto';
import { rename } from 'node:fs/promises';
import { createArchiver } from '@indbakke/archiver';
import { createJournaler } from '@indbakke/journaler';
import { createReceiver } from '@indbakke/receiver';
import { readConfig } from '@indbakke/shared/config';
import { type Running, serve } from '@indbakke/shared/service';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrateDatabase, withDatabase } from '../../../infra/src/local/database.js';
import { EXAMPLE_MUNICIPALITY } from '../../../infra/src/local/example-municipality.js';
import { registerMunicipality } from '../../../infra/src/local/register-municipality.js';
import { allServices, StackConfig } from '../../../infra/src/local/services.js';
import { crashPointPassed } from '../../../infra/src/testkit/crash-points.js';
import { deliver } from '../../../infra/src/testkit/deliver.js';
import { ODENSKOV, type Setup, setUp, startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { type MemoSpec, textDocument, writeMemo } from '../../../infra/src/testkit/write-memo.js';
import { expectProblem } from '../inbox/support.js';
import { type Line, layLine } from './line.js';

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack({ SMALL_CONTENT_BYTES: '0' });
});

afterAll(() => stack.close());

const readiness = async (url = stack.url) => {
  const response = await fetch(`${url}/readyz`);
  return { status: response.status, parts: await response.json() };
};

const PARTS = { database: 'ready', content: 'ready', queue: 'ready', tokens: 'ready' };
const READY = { status: 200, parts: { status: 'ready', ...PARTS } };
const notReady = (parts: Partial<typeof PARTS>) => ({ status: 503, parts: { status: 'failing', ...PARTS, ...parts } });

describe('/healthz and /readyz', () => {
  it('report, without a token, that the process is alive and all parts answer', async () => {
    expect(await (await fetch(`${stack.url}/healthz`)).json()).toEqual({ status: 'alive' });
    expect(await readiness()).toEqual(READY);
  });

  it('report when content cannot be written', async () => {
    await rename(stack.contentFolder, `${stack.contentFolder}-away`);
    try {
      expect(await readiness()).toEqual(notReady({ content: 'missing' }));
      const refused = await stack.deliver(writeMemo());
      expect(refused.status).toBe(503);
    } finally {
      await rename(`${stack.contentFolder}-away`, stack.contentFolder);
    }
    expect(await readiness()).toEqual(READY);
  });
});

describe('while the database is away', () => {
  let setup: Setup;
  let line: Line;
  let running: Running;

  beforeAll(async () => {
    setup = await setUp();
    line = await layLine(setup.env.DATABASE_URL as string);
    const config = readConfig(StackConfig, { ...setup.env, DATABASE_URL: line.url });
    running = await serve(config, 'test', [
      (parts) => createReceiver(parts, config),
      (parts) => createJournaler(parts, config),
      (parts) => createArchiver(parts, config),
    ]);
    expect(await readiness(running.url)).toEqual(READY);
    await line.cut();
  });

  afterAll(async () => {
    await running.close();
    await line.cut();
    await setup.close();
  });

  const send = (letter?: MemoSpec) =>
    deliver(running.url, writeMemo(letter), { headers: { accept: 'application/json' } });

  it('health reports which part fails, and that the process is alive', async () => {
    expect(await readiness(running.url)).toEqual(notReady({ database: 'no-answer', queue: 'no-answer' }));
    expect((await fetch(`${running.url}/healthz`)).status).toBe(200);
  });

  it('metrics are still available', { tags: 'long' }, async () => {
    expect((await fetch(`${running.url}/metrics`)).status).toBe(200);
  });

  it.each([
    ['a caseworker', 'GET', '/incoming-documents', ['IndkomneDokumenter.Læs'], undefined],
    ['the core', 'PUT', '/cases/K-1', ['Indbakke.System'], {}],
  ])('%s is asked to retry', async (_who, method, path, roles, body) => {
    const authorization = `Bearer ${await setup.token({ roles })}`;
    const response = await fetch(`${running.url}/api/v1${path}`, {
      method,
      headers: { authorization, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    await expectProblem(response, 503, 'unavailable');
    expect(response.headers.get('retry-after')).toBe('30');
  });

  it('a delivery is asked to retry', async () => {
    const response = await send();
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('30');
    expect(await response.json()).toMatchObject({ errorCode: 'send-again' });
  });

  it('health, intake and the queue recover when it is back', async () => {
    await line.restore();
    await expect.poll(() => readiness(running.url), { timeout: 10_000 }).toEqual(READY);
    const suggested = crashPointPassed('suggestion-committed');
    const response = await send({ replyData: [{ messageUUID: randomUUID(), replyUUID: randomUUID() }] });
    expect(response.status).toBe(200);
    await suggested;
  });
});

describe('a service that starts before the database is migrated', () => {
  let setup: Setup;
  let running: Running;
  let ownerUrl: string;
  const name = `early_${randomBytes(6).toString('hex')}`;

  beforeAll(async () => {
    setup = await setUp();
    ownerUrl = withDatabase(setup.ownerUrl, name);
    await setup.sql(`CREATE DATABASE ${name}`);
    const DATABASE_URL = withDatabase(setup.serviceUrl, name);
    const config = readConfig(StackConfig, { ...setup.env, DATABASE_URL, SMALL_CONTENT_BYTES: '0' });
    running = await serve(config, 'test', allServices(config));
  });

  afterAll(async () => {
    await running?.close();
    await setup.sql(`DROP DATABASE ${name} WITH (FORCE)`);
    await setup.close();
  });

  const inbox = async () =>
    fetch(`${running.url}/api/v1/incoming-documents`, { headers: { authorization: `Bearer ${await setup.token()}` } });

  it('is not ready, and everybody is asked to retry', async () => {
    const parts = { database: 'schema-missing', content: 'unknown', queue: 'schema-missing' };
    expect(await readiness(running.url)).toEqual(notReady(parts));
    const delivered = await deliver(running.url, writeMemo());
    expect([delivered.status, delivered.headers.get('retry-after')]).toEqual([503, '30']);
    await expectProblem(await inbox(), 503, 'unavailable');
  });

  it('becomes ready when it is migrated, and works', async () => {
    await migrateDatabase(ownerUrl);
    await registerMunicipality(ownerUrl, EXAMPLE_MUNICIPALITY);
    await expect.poll(() => readiness(running.url), { timeout: 10_000 }).toEqual(READY);
    const suggested = crashPointPassed('suggestion-committed');
    const reply = { replyData: [{ messageUUID: randomUUID(), replyUUID: randomUUID() }] };
    expect((await deliver(running.url, writeMemo(reply))).status).toBe(200);
    await suggested;
    expect((await inbox()).status).toBe(200);
  });
});

describe('with another key file than its content was sealed with', () => {
  it('the database is not ready', async () => {
    await stack.deliver(writeMemo({ documents: [textDocument('content', 'a.txt')] }));
    await stack.sql(`UPDATE message_keys SET key_id = 'master-lost'`);
    expect(await readiness()).toEqual(notReady({ database: 'key-missing' }));
    await stack.sql('DELETE FROM message_keys');
    expect(await readiness()).toEqual(READY);
  });

  it.each([
    [
      'access_packages',
      `INSERT INTO access_packages (id, municipality, owner_kind, owner, citizen, request, request_size, request_key_id,
         request_wrapped_key, requested_at, expires_at, next_enqueue_at)
       VALUES (gen_random_uuid(), $1, 'user', 'test', '', '', 0, 'master-lost', '', now(), 'infinity', 'infinity')`,
    ],
    [
      'zip_downloads',
      `INSERT INTO zip_downloads (id, municipality, owner_kind, owner, roles, teams, include, requested_at, expires_at, files_size,
         status, sha256, key_id, next_enqueue_at)
       VALUES (gen_random_uuid(), $1, 'user', 'test', '{}', '{}', '{}', now(), 'infinity', 0, 'ready', '', 'master-lost', 'infinity')`,
    ],
    [
      'webhooks',
      `INSERT INTO webhooks (id, municipality, url, status, disabled_cause, secret, secret_key_id, position, created_at, enabled_at)
       VALUES (gen_random_uuid(), $1, '', 'disabled', 'by-caller', '', 'master-lost', 0, now(), now())`,
    ],
  ])('nor when only %s have such a key', async (table, insert) => {
    await stack.sql(insert, [ODENSKOV]);
    expect(await readiness()).toEqual(notReady({ database: 'key-missing' }));
    await stack.sql(`DELETE FROM ${table}`);
    expect(await readiness()).toEqual(READY);
  });
});

describe('/metrics', () => {
  it('count requests by operation, deliveries by outcome, and jobs by queue and state', async () => {
    await stack.deliver(writeMemo());
    await stack.deliver('<nonsense/>');
    await stack.call('GET', '/incoming-documents');
    await stack.call('GET', `/incoming-documents/${randomUUID()}`);
    const response = await fetch(`${stack.url}/metrics`);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const text = await response.text();
    const series = [
      'indbakke_request_duration_seconds_count{operation="POST /sf1606/PostModtag",status="200"}',
      'indbakke_request_duration_seconds_count{operation="GET /api/v1/incoming-documents",status="200"}',
      'indbakke_request_duration_seconds_count{operation="GET /api/v1/incoming-documents/:id",status="404"}',
      'indbakke_intake_total{endpoint="rest",outcome="accepted"}',
      'indbakke_intake_total{endpoint="rest",outcome="not-memo"}',
      'indbakke_not_signed_in_total{fault="refused"}',
      'indbakke_queue_jobs{queue="suggest-case",state="waiting"}',
      'indbakke_queue_jobs{queue="suggest-case",state="failed"}',
      'process_cpu_seconds_total',
    ];
    for (const name of series) expect(text).toContain(`\n${name} `);
  });

  it('are answered in time while tables are locked, without the figures of those tables', {
    tags: 'long',
  }, async () => {
    const locking = new pg.Client({ connectionString: stack.ownerUrl });
    await locking.connect();
    try {
      await locking.query('BEGIN; LOCK TABLE messages, events, quarantine_entries IN ACCESS EXCLUSIVE MODE');
      const scrape = await fetch(`${stack.url}/metrics`, { signal: AbortSignal.timeout(10_000) }); // as Prometheus by default
      const text = await scrape.text();
      expect(text).toContain('\nindbakke_part_state{');
      expect(text).not.toMatch(/^indbakke_held\{/m);
    } finally {
      await locking.end();
    }
  });

  it('contain no ids and nothing personal', async () => {
    const text = await (await fetch(`${stack.url}/metrics`)).text();
    const names = text.replaceAll(/ \S+$/gm, ''); // a value may have any digits
    expect(names).toContain('indbakke_request_duration_seconds_count{');
    expect(names).not.toMatch(/4101019999|Testesen|22222222|[0-9a-f]{8}-[0-9a-f]{4}/);
  });
});
