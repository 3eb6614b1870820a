import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer, get } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { OPERATIONS, type Operation } from '@indbakke/shared/api';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { repository } from '../../tools/local-state.mjs';
import { freePort } from '../src/local/free-port.js';
import { createTestIssuer } from '../src/testkit/certificates.js';

// Each path reaches the service that answers it: by the routes of the chart, and through the proxy of compose.

interface Route {
  readonly path?: string;
  readonly regex?: string;
  readonly service: string;
}

const ID = '0198c0de-0000-7000-8000-000000000000';
const EXPECTED: readonly (readonly [path: string, service: string])[] = [
  ...Object.values<Operation>(OPERATIONS).map(({ path, service }) => [path.replaceAll(/:\w+/g, ID), service] as const),
  ['/api/v1/docs', 'journaler'],
  ['/api/v1/openapi.json', 'journaler'],
  ['/inbox', 'journaler'],
  ['/inbox/sign-in/callback', 'journaler'],
  ['/ops', 'operations'],
  ['/ops/queues/api', 'operations'],
  ['/sf1606/PostModtag', 'receiver'],
  ['/sf1606/soap', 'receiver'],
  ['/sf2900/soap', 'receiver'],
];

describe('the routes of the chart', () => {
  const routes = Object.values<readonly Route[]>(
    parse(readFileSync(join(repository, 'infra/deploy/chart/files/routes.yaml'), 'utf8')),
  ).flat();
  const fits = (path: string, route: Route) =>
    route.regex ? new RegExp(`^${route.regex}(/.*)?$`).test(path) : `${path}/`.startsWith(`${route.path}/`);

  it('lead to the service of each path, the longest one first', () => {
    const longest = [...routes].sort((a, b) => (b.regex ?? b.path ?? '').length - (a.regex ?? a.path ?? '').length);
    const reached = EXPECTED.map(([path]) => [path, longest.find((route) => fits(path, route))?.service]);
    expect(reached).toEqual(EXPECTED);
  });
});

const NGINX = '/usr/sbin/nginx';
if (!existsSync(NGINX)) console.warn('nginx is not installed: the proxy of compose is not tried.');

describe.skipIf(!existsSync(NGINX))('the proxy of compose', () => {
  let folder: string;
  let url: string;
  let stop: () => Promise<void>;
  const servers: Server[] = [];

  async function ask(path: string): Promise<{ status: number | undefined; body: string }> {
    const [answer] = await once(get(`${url}${path}`, { rejectUnauthorized: false, agent: false }), 'response');
    return { status: answer.statusCode, body: await text(answer) };
  }

  /** A far end that says who it is. */
  async function farEnd(name: string, tls?: { key: string; cert: string }): Promise<string> {
    const answer = (_req: unknown, res: { end(text: string): void }) => res.end(name);
    const server = tls ? createTlsServer(tls, answer) : createServer(answer);
    servers.push(server as Server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'indbakke-compose-'));
    const issuer = await createTestIssuer();
    const own = await issuer.issue({ hosts: ['receiver', '127.0.0.1'] });
    const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
    write('proxy-key', own.key);
    write('proxy-certificate', own.certificate);
    write('issuers', issuer.certificate);
    write('receiver-certificate', issuer.certificate);
    const port = await freePort();
    const config = readFileSync(join(repository, 'infra/deploy/compose/nginx.conf'), 'utf8')
      .replaceAll('/run/secrets/', `${folder}/`)
      .replace('/tmp/nginx.pid', `${folder}/nginx.pid`)
      .replace('/dev/stdout short', 'off')
      .replace('/dev/stderr', 'stderr')
      .replace('listen 443', `listen 127.0.0.1:${port}`)
      .replace('allow 10.0.0.0/8', 'allow 127.0.0.1')
      .replace('receiver:8443', await farEnd('receiver', { key: own.key, cert: own.certificate }))
      .replace('journaler:8080', await farEnd('journaler'))
      .replace('archiver:8080', await farEnd('archiver'))
      .replace('operations:9090', await farEnd('operations'));
    write('nginx.conf', config);
    const nginx = spawn(NGINX, ['-p', folder, '-c', 'nginx.conf', '-e', 'stderr', '-g', 'daemon off;'], {
      stdio: 'ignore',
    });
    url = `https://127.0.0.1:${port}`;
    stop = async () => {
      if (nginx.exitCode === null) {
        nginx.kill();
        await once(nginx, 'exit');
      }
    };
    await vi.waitFor(() => ask('/'), { timeout: 10_000, interval: 50 });
  });

  afterAll(async () => {
    await stop?.();
    for (const server of servers) server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('leads to the service of each path', async () => {
    const reached = await Promise.all(EXPECTED.map(async ([path]) => [path, (await ask(path)).body]));
    expect(reached).toEqual(EXPECTED);
  });

  it('leads nowhere with what is for nobody outside', async () => {
    for (const path of ['/metrics', '/healthz', '/', '/opsx']) {
      expect((await ask(path)).status).toBe(404);
    }
  });
});
