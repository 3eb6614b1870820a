import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer, get } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { OPERATIONS, type Operation } from '@indbakke/shared/api';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { deliverOverTls } from '../../services/receiver/test/support/deliver-over-tls.js';
import { repository } from '../../tools/local-state.mjs';
import { freePort } from '../src/local/free-port.js';
import { startTestStack } from '../src/testkit/stack.js';

// Each path reaches the service that answers it: by the routes of the chart, and through the proxy of compose.

interface Route {
  readonly path?: string;
  readonly regex?: string;
  readonly service: string;
}

const COMPOSE = join(repository, 'infra/deploy/compose');
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

interface Places {
  readonly receiver: string;
  readonly journaler: string;
  readonly archiver: string;
  readonly operations: string;
}

interface Proxy {
  readonly url: string;
  stop(): Promise<void>;
}

describe.skipIf(!existsSync(NGINX))('the proxy of compose', () => {
  let folder: string;
  let secrets: string;
  const secret = (name: string) => readFileSync(join(secrets, name), 'utf8');

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'indbakke-compose-'));
    secrets = join(folder, 'secrets');
    copyFileSync(join(COMPOSE, 'make-secrets.sh'), join(folder, 'make-secrets.sh'));
    await promisify(execFile)('sh', [join(folder, 'make-secrets.sh')]);
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** nginx with the file of compose, but for places and addresses. */
  async function startProxy(places: Places): Promise<Proxy> {
    const place = mkdtempSync(join(folder, 'nginx-'));
    const port = await freePort();
    const config = readFileSync(join(COMPOSE, 'nginx.conf'), 'utf8')
      .replaceAll('/run/secrets/', `${secrets}/`)
      .replace('/tmp/nginx.pid', `${place}/nginx.pid`)
      .replace('/dev/stdout short', 'off')
      .replace('/dev/stderr', 'stderr')
      .replace('listen 443', `listen 127.0.0.1:${port}`)
      .replace('allow 10.0.0.0/8', 'allow 127.0.0.1')
      .replace('receiver:8443', places.receiver)
      .replace('journaler:8080', places.journaler)
      .replace('archiver:8080', places.archiver)
      .replace('operations:9090', places.operations);
    writeFileSync(join(place, 'nginx.conf'), config);
    const nginx = spawn(NGINX, ['-p', place, '-c', 'nginx.conf', '-e', 'stderr', '-g', 'daemon off;'], {
      stdio: 'ignore',
    });
    const url = `https://127.0.0.1:${port}`;
    await vi.waitFor(() => ask(`${url}/`), { timeout: 10_000, interval: 50 });
    return {
      url,
      async stop() {
        nginx.kill();
        await once(nginx, 'exit');
      },
    };
  }

  async function ask(url: string): Promise<{ status: number | undefined; body: string }> {
    const [answer] = await once(get(url, { rejectUnauthorized: false, agent: false }), 'response');
    return { status: answer.statusCode, body: await text(answer) };
  }

  describe('before far ends that say who they are', () => {
    const servers: Server[] = [];
    let proxy: Proxy;

    async function farEnd(name: string, tls?: { key: string; cert: string }): Promise<string> {
      const answer = (_req: unknown, res: { end(text: string): void }) => res.end(name);
      const server = tls ? createTlsServer(tls, answer) : createServer(answer);
      servers.push(server as Server);
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      return `127.0.0.1:${(server.address() as AddressInfo).port}`;
    }

    beforeAll(async () => {
      proxy = await startProxy({
        receiver: await farEnd('receiver', { key: secret('receiver-key'), cert: secret('receiver-certificate') }),
        journaler: await farEnd('journaler'),
        archiver: await farEnd('archiver'),
        operations: await farEnd('operations'),
      });
    });

    afterAll(async () => {
      await proxy?.stop();
      for (const server of servers) server.close();
    });

    it('leads to the service of each path', async () => {
      const reached = await Promise.all(EXPECTED.map(async ([path]) => [path, (await ask(proxy.url + path)).body]));
      expect(reached).toEqual(EXPECTED);
    });

    it('leads nowhere with what is for nobody outside', async () => {
      for (const path of ['/metrics', '/healthz', '/', '/opsx']) {
        expect((await ask(proxy.url + path)).status).toBe(404);
      }
    });
  });

  it('lets the caller deliver that make-secrets.sh made, and nobody else', async () => {
    const { environment } = parse(readFileSync(join(COMPOSE, 'compose.yaml'), 'utf8'), { merge: true }).services
      .receiver;
    const ofTls = Object.entries<string>(environment).filter(([name]) => name.startsWith('SF1606_TLS_'));
    const stack = await startTestStack({
      ...Object.fromEntries(ofTls.map(([name, value]) => [name, value.replace('/run/secrets', secrets)])),
      SF1606_CALLERS: environment.SF1606_CALLERS,
      SF1606_TLS_CLIENTS: /^SF1606_TLS_CLIENTS=(.*)$/m.exec(readFileSync(join(COMPOSE, 'example.env'), 'utf8'))?.[1],
      SF1606_TLS_PORT: '0',
      SF1606_TLS_PROXIES: '127.0.0.1',
    });
    const { host } = new URL(stack.url);
    const proxy = await startProxy({
      receiver: new URL(stack.secureUrl).host,
      journaler: host,
      archiver: host,
      operations: host,
    });
    try {
      // The certificate of the try is of localhost.
      const url = proxy.url.replace('127.0.0.1', 'localhost');
      const trusted = secret('proxy-certificate');
      const shown = { certificate: secret('caller-certificate'), key: secret('caller-key') };
      expect(await deliverOverTls(url, { shown, trusted })).toMatchObject({ status: 200 });
      expect(await deliverOverTls(url, { trusted })).toMatchObject({ status: 403, errorCode: 'caller-not-allowed' });
    } finally {
      await proxy.stop();
      await stack.close();
    }
  });
});
