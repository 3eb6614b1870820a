import { once } from 'node:events';
import { connect } from 'node:net';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ODENSKOV, type Setup, setUp } from '../../../infra/src/testkit/stack.js';
import { writeMemo } from '../../../infra/src/testkit/write-memo.js';
import { ArchiverConfig, startArchiver } from '../../../services/archiver/src/app.js';
import { JournalerConfig, startJournaler } from '../../../services/journaler/src/app.js';
import { OperationsConfig, startOperations } from '../../../services/operations/src/app.js';
import { ReceiverConfig, startReceiver } from '../../../services/receiver/src/app.js';
import { OPERATIONS, type Operation } from '../../src/api/index.js';
import { readConfig } from '../../src/config/index.js';
import type { Running } from '../../src/service/index.js';
import { expectProblem } from '../inbox/support.js';

// @module-tag long

// Each service as in production: alone, behind a router by path.

let setup: Setup;

beforeAll(async () => {
  setup = await setUp();
});

afterAll(() => setup.close());

const START = {
  receiver: () => startReceiver(readConfig(ReceiverConfig, setup.env)),
  journaler: () => startJournaler(readConfig(JournalerConfig, setup.env)),
  archiver: () => startArchiver(readConfig(ArchiverConfig, setup.env)),
  operations: () => startOperations(readConfig(OperationsConfig, setup.env)),
};

const ID = '0198f3a2-6c1e-7d35-9f64-2b1f0c7a9e11';

/** Every call with its service. Without a token an existing path answers 401, not 404. */
const CALLS: [string, string, string][] = [
  ['receiver', 'POST', '/sf1606/PostModtag'],
  ...Object.values<Operation>(OPERATIONS).map(({ service, method, path }): [string, string, string] => [
    service,
    method.toUpperCase(),
    path.replaceAll(/:\w+/g, ID),
  ]),
];

describe.each(Object.entries(START))('the %s alone', (name, start) => {
  let running: Running;

  beforeAll(async () => {
    running = await start();
  });

  afterAll(() => running.close());

  it.each(CALLS)('answers its own calls and no others: %s %s %s', async (owner, method, path) => {
    const response = await fetch(`${running.url}${path}`, { method });
    if (owner !== name) await expectProblem(response, 404, 'not-found');
    else expect(response.status).toBeOneOf([400, 401]);
  });

  it('has health, metrics and an API description', async () => {
    for (const path of ['/healthz', '/readyz', '/metrics', '/api/v1/openapi.json', '/api/v1/docs']) {
      expect((await fetch(running.url + path)).status).toBe(200);
    }
  });

  it('has the operations pages if it is the operations service, and no other has', async () => {
    for (const path of ['/ops', '/ops/queues']) {
      expect((await fetch(running.url + path)).status).toBe(name === 'operations' ? 401 : 404);
    }
  });
});

describe('a service that is closed', () => {
  const deliver = (url: string, init: RequestInit = {}) =>
    fetch(`${url}/sf1606/PostModtag`, {
      method: 'POST',
      headers: { 'content-type': 'application/xml' },
      body: writeMemo(),
      ...init,
    });

  /** Resolves when a statement waits for a lock. */
  const lockIsAwaited = () => {
    const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    return expect.poll(() => setup.sql(waiting), { timeout: 10_000 }).toHaveLength(1);
  };

  const connections = () =>
    setup.sql(
      `SELECT application_name FROM pg_stat_activity WHERE datname = current_database() AND usename = 'indbakke_service'`,
    );

  it('finishes the request in flight, and accepts no new one meanwhile', async () => {
    const running = await START.journaler();
    await setup.sql(`INSERT INTO cases (municipality, case_id) VALUES ($1, 'K-lock')`, [ODENSKOV]);
    const blocker = new pg.Client({ connectionString: setup.ownerUrl });
    await blocker.connect();
    await blocker.query(`BEGIN; SELECT FROM cases WHERE case_id = 'K-lock' FOR UPDATE`);

    const authorization = `Bearer ${await setup.token({ roles: ['Indbakke.System'], system: true })}`;
    const inFlight = fetch(`${running.url}/api/v1/cases/K-lock`, {
      method: 'PUT',
      headers: { authorization, 'content-type': 'application/json' },
      body: '{"caseworker":"caseworker-9"}',
    });
    await lockIsAwaited();
    const closed = running.close();
    const { hostname, port } = new URL(running.url);
    const late = connect(Number(port), hostname);
    await expect(once(late, 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' });

    await blocker.query('COMMIT');
    await blocker.end();
    expect((await inFlight).status).toBe(204);
    const began = Date.now();
    await closed;
    expect(Date.now() - began).toBeLessThan(3_000); // a connection kept alive does not delay it
    expect(await setup.sql(`SELECT caseworker FROM cases WHERE case_id = 'K-lock'`)).toEqual([
      { caseworker: 'caseworker-9' },
    ]);
  });

  it('cuts a request that does not end in time', async () => {
    const running = await startReceiver(readConfig(ReceiverConfig, { ...setup.env, SHUTDOWN_SECONDS: '1' }));
    const socket = connect(Number(new URL(running.url).port), '127.0.0.1');
    await once(socket, 'connect');
    socket.write(
      'POST /sf1606/PostModtag HTTP/1.1\r\nHost: x\r\nContent-Type: application/xml\r\nContent-Length: 1000\r\n\r\n<',
    );
    socket.on('error', () => {}); // it is cut
    const cut = new Promise((resolve) => socket.once('close', resolve));
    await running.close();
    await cut;
  });

  it('leaves no connection to the database behind', async () => {
    const running = await START.receiver();
    expect((await deliver(running.url)).status).toBe(200);
    await running.close();
    await expect.poll(connections).toEqual([]);
  });

  it('does not start on a port in use, and then leaves nothing open', async () => {
    const running = await START.receiver();
    const port = new URL(running.url).port;
    const second = startReceiver(readConfig(ReceiverConfig, { ...setup.env, PORT: port }));
    await expect(second).rejects.toThrow(
      `Port ${port} on 127.0.0.1 is taken by another program. Set PORT to another one.`,
    );
    await running.close();
    await expect.poll(connections).toEqual([]);
  });
});
