import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { removePostgres, startOf } from '../../tools/local-state.mjs';
import { type LocalPostgres, startPostgres } from '../src/local/postgres/postgres.js';
import { readLocalStack, removeLocalStack, statePaths, writeLocalStack } from '../src/local/state.js';
import { NOT_DURABLE, startOwnPostgres } from '../src/testkit/own-state.js';

// @module-tag long

const asRoot = process.getuid?.() === 0;
const repository = fileURLToPath(new URL('../..', import.meta.url));
let scratch: string;

beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'indbakke-postgres-'));
  chmodSync(scratch, 0o755); // mkdtemp creates it with 0700, which only one test wants
});

afterAll(async () => {
  for (const name of readdirSync(scratch)) {
    await removePostgres(join(scratch, name)); // the data may be outside, where the server's user cannot reach the clone
  }
  rmSync(scratch, { recursive: true, force: true });
});

afterEach(() => {
  vi.unstubAllEnvs();
});

/** A cluster of this name in the scratch folder, fast because it may lose data. */
const start = (name: string) => startPostgres({ stateDir: join(scratch, name), settings: { fsync: 'off' } });

async function query(postgres: LocalPostgres, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

/**
 * Another process that starts PostgreSQL on this state folder, prints its process id and waits. It loads the source through
 * Vite, as Vitest does, so that the test needs no build.
 */
async function startInAnotherProcess(stateDir: string): Promise<{ starter: ChildProcess; pid: number }> {
  const script = `
    const { runnerImport } = await import('vite');
    const { module } = await runnerImport(${JSON.stringify(join(repository, 'infra/src/local/postgres/postgres.ts'))});
    const server = await module.startPostgres({ stateDir: ${JSON.stringify(stateDir)}, settings: { fsync: 'off' } });
    console.log(server.pid);
    setInterval(() => {}, 1000);`;
  const starter = spawn(process.execPath, ['--input-type=module', '-e', script], {
    cwd: repository,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: starter.stdout })) {
    return { starter, pid: Number(line) };
  }
  throw new Error('The other process ended without output');
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

// Not with a signal: a zombie accepts signals until its parent reaps it.
const isAlive = (pid: number) => startOf(pid) !== undefined;

describe('embedded PostgreSQL', () => {
  test('keeps its data over a restart, and can be stopped twice', async () => {
    const first = await start('restart');
    await query(first, 'CREATE TABLE kept (word text)');
    await query(first, "INSERT INTO kept VALUES ('børn')");
    await first.stop();
    await first.stop();
    expect(isAlive(first.pid)).toBe(false);

    const second = await start('restart');
    expect(second.dataDir).toBe(first.dataDir);
    expect(await query(second, 'SELECT word FROM kept')).toEqual([{ word: 'børn' }]);
    process.kill(second.pid, 'SIGQUIT');
    await expect.poll(() => isAlive(second.pid)).toBe(false);
    await second.stop();
  });

  test('listens on 127.0.0.1 only, uses UTC and checksums, and handles Danish letters', async () => {
    const postgres = await start('settings');
    const settings = await query(
      postgres,
      `SELECT current_setting('listen_addresses') AS address, current_setting('unix_socket_directories') AS sockets,
         current_setting('TimeZone') AS zone, current_setting('data_checksums') AS checksums,
         current_setting('server_encoding') AS encoding, current_setting('max_connections') AS connections,
         lower('ÆØÅ') AS letters`,
    );
    expect(settings).toEqual([
      {
        address: '127.0.0.1',
        sockets: '',
        zone: 'UTC',
        checksums: 'on',
        encoding: 'UTF8',
        connections: '200',
        letters: 'æøå',
      },
    ]);
    await query(postgres, 'CREATE EXTENSION pg_trgm');
    const [trigrams] = await query(postgres, "SELECT cardinality(show_trgm('ø')) AS count");
    expect(trigrams?.count).toBeGreaterThan(0);
    await postgres.stop();
  });

  test('requires a password, which only its owner may read', async () => {
    const postgres = await start('password');
    const url = new URL(postgres.url);
    const passwordFile = join(dirname(postgres.dataDir), 'password');
    expect(statSync(passwordFile).mode & 0o777).toBe(0o600);
    expect(readFileSync(passwordFile, 'utf8')).toBe(url.password);
    url.password = 'wrong';
    await expect(query({ ...postgres, url: url.href }, 'SELECT 1')).rejects.toThrow('password authentication failed');
    await postgres.stop();
  });

  test('runs in a session of its own, outlives a killed starter and is adopted by the next one', async () => {
    const stateDir = join(scratch, 'adopted');
    const { starter, pid } = await startInAnotherProcess(stateDir);
    await kill(starter);
    expect(isAlive(pid)).toBe(true);
    if (process.platform === 'linux') {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ');
      expect(Number(fields?.[3])).toBe(pid); // proc(5), field 6: the session
    }

    const adopted = await start('adopted');
    expect(adopted.pid).toBe(pid);
    expect(await query(adopted, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await adopted.stop();
    expect(isAlive(pid)).toBe(false);
  });

  test('runs until the last process that shares it stops it', async () => {
    const [one, other] = await Promise.all([start('shared'), start('shared')]);
    expect(other.pid).toBe(one.pid);
    await one.stop();
    expect(await query(other, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await other.stop();
    expect(isAlive(other.pid)).toBe(false);
  });

  test('runs next to one of another state folder', async () => {
    const [one, other] = await Promise.all([start('side-a'), start('side-b')]);
    expect(one.pid).not.toBe(other.pid);
    await one.stop();
    expect(await query(other, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await other.stop();
  });

  test('creates the cluster again when it was not finished', async () => {
    const first = await start('unfinished');
    await first.stop();
    const cluster = dirname(first.dataDir);
    renameSync(cluster, `${cluster}-999999999-1-abcd`); // as a killed process leaves it
    const second = await start('unfinished');
    expect(readdirSync(dirname(cluster))).toEqual(['cluster']);
    await second.stop();
  });

  test('starts although a pid file names another program or a zombie', async () => {
    const { dataDir, stop } = await start('pid-file');
    await stop();
    const { uid, gid } = statSync(dataDir);
    const script = 'sleep 0.1 & echo $!; exec sleep 60'; // exec: sleep does not reap the first one
    const parent = spawn('sh', ['-c', script], { ...(asRoot && { uid, gid }), stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => kill(parent));
    const [line] = await once(createInterface({ input: parent.stdout }), 'line');
    await expect.poll(() => isAlive(Number(line))).toBe(false);
    for (const pid of [process.pid, Number(line)]) {
      writeFileSync(join(dataDir, 'postmaster.pid'), `${pid}\n${dataDir}\n1\n5432\n\n127.0.0.1\n0 0\nready\n`);
      const server = await start('pid-file');
      expect(server.pid).not.toBe(pid);
      await server.stop();
    }
  });

  test('reports what PostgreSQL logged when it does not start', async () => {
    const bad = startPostgres({ stateDir: join(scratch, 'bad'), settings: { shared_buffers: 'much' } });
    await expect(bad).rejects.toThrow(/did not start on .*postgres\.log.*shared_buffers/s);
  });

  test.runIf(asRoot)('is outside a folder that its user cannot enter, and reset removes it there', async () => {
    const locked = join(scratch, 'locked');
    mkdirSync(locked, { mode: 0o700 });
    const postgres = await start('locked/state');
    const home = dirname(dirname(postgres.dataDir));
    expect(home).toMatch(/^\/var\/(lib|tmp)\/indbakke\//);
    expect(await query(postgres, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    const refused = reset(join(locked, 'state'));
    expect(refused).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(`Process ${process.pid} uses the database`),
    });
    await postgres.stop();

    const again = await start('locked/state');
    expect(again.dataDir).toBe(postgres.dataDir);
    await again.stop();
    expect(reset(join(locked, 'state'))).toMatchObject({ status: 0 });
    expect(existsSync(home)).toBe(false);
    expect(existsSync(join(locked, 'state'))).toBe(false);
  });
});

const reset = (stateDir: string) =>
  spawnSync(process.execPath, [join(repository, 'tools/reset.mjs')], {
    env: { ...process.env, STATE_DIR: stateDir },
    encoding: 'utf8',
  });

describe('a cluster for tests', () => {
  test('is removed by stop, together with those of killed tests', async () => {
    vi.stubEnv('STATE_DIR', join(scratch, 'tests'));
    const dead = join(statePaths().test, '999999999-1-abcd');
    mkdirSync(join(dead, 'postgres'), { recursive: true });
    const postgres = await startOwnPostgres(NOT_DURABLE);
    expect(existsSync(dead)).toBe(false);
    expect(await query(postgres, 'SHOW fsync')).toEqual([{ fsync: 'off' }]);
    await postgres.stop();
    expect(readdirSync(statePaths().test)).toEqual([]);
    expect(isAlive(postgres.pid)).toBe(false);
  });
});

describe('the state folder', () => {
  test('has the URL of a running stack, but not of a killed one', () => {
    const paths = statePaths({ STATE_DIR: join(scratch, 'registered') });
    writeLocalStack(paths, 'http://127.0.0.1:1');
    expect(readLocalStack(paths)).toEqual({ url: 'http://127.0.0.1:1', pid: process.pid });
    expect(statSync(paths.localFile).mode & 0o777).toBe(0o600);

    const killed = { ...JSON.parse(readFileSync(paths.localFile, 'utf8')), started: 'another time' };
    writeFileSync(paths.localFile, JSON.stringify(killed));
    expect(readLocalStack(paths)).toBeUndefined();
    writeLocalStack(paths, 'http://127.0.0.1:1');
    removeLocalStack(paths);
    expect(existsSync(paths.localFile)).toBe(false);
  });
});
