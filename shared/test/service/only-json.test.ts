import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HAS_REDIS, type OwnRedis, startOwnRedis } from '../../../infra/src/testkit/redis.js';
import { type Setup, setUp } from '../../../infra/src/testkit/stack.js';
import type { Env } from '../../src/config/index.js';

// @module-tag long

// What a process of its own writes, to standard output and standard error.

const MAIN = fileURLToPath(new URL('../../../services/journaler/dist/main.js', import.meta.url));

let setup: Setup;

beforeAll(async () => {
  setup = await setUp();
});

afterAll(() => setup.close());

type Line = Readonly<Record<string, unknown>>;

/** The built journaler. Every line that is not JSON is kept as `{ bare }`. */
async function startJournalerProcess(env: Env) {
  const lines: Line[] = [];
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env.PATH, ...setup.env, LOG_LEVEL: 'info', ...env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => lines.push(parse(line)));
  }
  const lineOf = async (wanted: Line) => {
    await expect.poll(() => lines, { timeout: 20_000 }).toContainEqual(expect.objectContaining(wanted));
    return lines.find((line) => Object.entries(wanted).every(([name, value]) => line[name] === value)) as Line;
  };
  return {
    lines,
    lineOf,
    url: String((await lineOf({ event: 'ready' })).url),
    async stop() {
      const closed = once(child, 'close');
      child.kill('SIGTERM');
      await closed;
    },
  };
}

function parse(line: string): Line {
  try {
    return JSON.parse(line) as Line;
  } catch {
    return { bare: line };
  }
}

const bareOf = (lines: readonly Line[]) => lines.filter((line) => 'bare' in line);

describe.runIf(HAS_REDIS)('with a Redis that may evict', () => {
  let redis: OwnRedis;
  let client: Redis;

  beforeAll(async () => {
    redis = await startOwnRedis(undefined, ['--maxmemory-policy', 'allkeys-lru']);
    client = new Redis(redis.url);
  });
  afterAll(async () => {
    client?.disconnect();
    await redis?.close();
  });

  const stateOf = async (url: string) => {
    const response = await fetch(`${url}/readyz`);
    const { queue } = (await response.json()) as { queue: string };
    return [response.status, queue];
  };

  it('a service says so once as JSON, in /readyz and in the metrics, and nothing as bare text', async () => {
    const service = await startJournalerProcess({ QUEUE_URL: redis.url });
    const told = { event: 'not-ready', part: 'queue', reason: 'may-evict' };
    expect(await service.lineOf(told)).toMatchObject({ level: 'warn', detail: expect.stringContaining('noeviction') });
    for (let n = 0; n < 3; n += 1) expect(await stateOf(service.url)).toEqual([200, 'may-evict']);
    const metrics = await (await fetch(`${service.url}/metrics`)).text();
    expect(metrics).toContain('indbakke_part_state{part="queue",state="may-evict"} 1');
    expect(service.lines.filter((line) => line.reason === 'may-evict')).toHaveLength(1);

    await client.config('SET', 'maxmemory-policy', 'noeviction');
    expect(await stateOf(service.url)).toEqual([200, 'ready']);
    await service.lineOf({ event: 'ready-again', part: 'queue' });

    await service.stop();
    expect(bareOf(service.lines)).toEqual([]);
    expect(service.lines.filter(({ event }) => event === 'printed')).toEqual([]); // BullMQ prints of it too
  });

  it('that forbids INFO, a service says that it does not know', async () => {
    await client.acl('SETUSER', 'careful', 'on', '>secret', '~*', '&*', '+@all', '-info');
    const service = await startJournalerProcess({ QUEUE_URL: redis.url.replace('//', '//careful:secret@') });
    await service.lineOf({ event: 'not-ready', part: 'queue', reason: 'eviction-unknown' });
    expect(await stateOf(service.url)).toEqual([200, 'eviction-unknown']);
    await service.stop();
    expect(service.lines.filter((line) => line.event === 'queue-connection')).toEqual([]);
    expect(bareOf(service.lines)).toEqual([]);
  });

  it('that refuses the login, a service says so once', async () => {
    const service = await startJournalerProcess({ QUEUE_URL: redis.url.replace('//', '//careful:wrong@') });
    await service.lineOf({ event: 'not-ready', part: 'queue', reason: 'login-refused' });
    expect(await stateOf(service.url)).toEqual([200, 'login-refused']);
    await service.stop();
    expect(bareOf(service.lines)).toEqual([]);
  });
});

// pg warns of sslmode=require through Node, which prints that to standard error.
it('warnings of Node and faults of set-up are lines of the log', async () => {
  const service = await startJournalerProcess({
    DATABASE_URL: `${setup.serviceUrl}?sslmode=require`,
    QUEUE_URL: 'redis://127.0.0.1:1',
  });
  await service.lineOf({ event: 'not-ready', part: 'database', reason: 'tls-failed' });
  await service.lineOf({ event: 'not-ready', part: 'queue', reason: 'no-answer' });
  expect((await fetch(`${service.url}/readyz`)).status).toBe(503);
  await service.stop();
  await service.lineOf({ event: 'node-warning' });
  expect(bareOf(service.lines)).toEqual([]);
});

describe('a process of a service', () => {
  const PERSONAL = '4101019999';

  /** Runs code after a start; its lines and exit status. */
  function run(code: string): Promise<{ status: number; output: string }> {
    const script = `
      import { runUntilSignal } from '@indbakke/shared/service';
      setTimeout(() => process.exit(0), 5_000);
      await runUntilSignal('test', async () => { ${code}; return { url: '', close: async () => {} }; });`;
    const args = ['--input-type=module', '-e', script];
    return new Promise((resolve) => {
      execFile(process.execPath, args, { cwd: fileURLToPath(new URL('../..', import.meta.url)) }, (error, out, err) => {
        resolve({ status: Number(error?.code ?? 0), output: out + err });
      });
    });
  }

  it('logs what a library prints, without its text', async () => {
    const methods = ['log', 'info', 'warn', 'error', 'debug'];
    const calls = methods.map((method) => `console.${method}('${PERSONAL}');`).join(' ');
    const { output } = await run(`${calls} setTimeout(() => process.exit(0))`);
    const lines = output.trim().split('\n');
    expect(lines.map(parse)).toEqual(
      methods.map((method) => expect.objectContaining({ level: 'warn', service: 'test', event: 'printed', method })),
    );
    expect(output).not.toContain(PERSONAL);
  });

  it.each([
    ['an error', `setTimeout(() => { throw new TypeError('${PERSONAL}') })`],
    ['a promise that nobody awaits', `void Promise.reject(new TypeError('${PERSONAL}'))`],
  ])('that ends by %s logs where, without its text', async (_, code) => {
    const { output, status } = await run(code);
    expect(status).toBe(1);
    expect(JSON.parse(output)).toMatchObject({ level: 'error', event: 'crashed', error: 'TypeError' });
    expect(output).not.toContain(PERSONAL);
  });
});
