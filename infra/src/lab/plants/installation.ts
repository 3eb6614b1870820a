import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Env } from '@indbakke/shared/config';
import { type Database, prepareDatabase } from '../../local/database.js';
import { EXAMPLE_MUNICIPALITY, registerExample } from '../../local/example-municipality.js';
import { startPostgres } from '../../local/postgres/postgres.js';
import type { StatePaths } from '../../local/state.js';
import { type OwnRedis, startOwnRedis } from '../../testkit/redis.js';
import { prepareState } from '../../testkit/set-up.js';
import type { Installation } from './pass-through.js';

/** The path of a webhook that is always answered 500. */
export const FAILING_HOOK = '/failing';

const STACK = fileURLToPath(new URL('./stack.js', import.meta.url));

export interface OwnInstallation extends Installation {
  /** Of the process of its services. */
  readonly pid: number;
  /** Stops the services, and then what they use, in the ordinary way: what they write at their end is searched too. */
  stop(): Promise<void>;
}

/** Where each part of it writes: everything is below the state folder, or PostgreSQL's own where that is another. */
export const foldersOf = ({ root }: StatePaths) => ({
  logs: join(root, 'logs'),
  temporary: join(root, 'tmp'),
  redis: join(root, 'redis'),
});

export interface InstallationOptions {
  /** Settings of its PostgreSQL, durable unless they say otherwise. */
  readonly postgres: Readonly<Record<string, string>>;
  /** More settings of its services, given those of its database. */
  readonly env?: (database: Database) => Promise<Env>;
}

/** A whole installation of its own, whose folders are all known. */
export async function startInstallation(
  paths: StatePaths,
  queue: 'PostgreSQL' | 'Redis',
  signal: AbortSignal,
  { postgres: settings, env: moreEnv = async () => ({}) }: InstallationOptions,
): Promise<OwnInstallation> {
  const folders = foldersOf(paths);
  for (const folder of Object.values(folders)) mkdirSync(folder, { recursive: true, mode: 0o777 });
  const postgres = await startPostgres({ stateDir: paths.root, settings });
  const closers = [() => postgres.stop()];
  try {
    const database = await prepareDatabase(postgres.url, 'indbakke');
    const env = await prepareState(paths, database, [EXAMPLE_MUNICIPALITY]);
    await registerExample(database.ownerUrl);
    // Its file has every command that it got, also of jobs that are gone.
    const redis: OwnRedis | undefined =
      queue === 'Redis'
        ? await startOwnRedis(folders.redis, ['--appendonly', 'yes', '--rdbcompression', 'no'])
        : undefined;
    if (redis) closers.push(() => redis.kill());
    const hook = createServer((req, res) => {
      req.resume().on('end', () => res.writeHead(req.url?.startsWith(FAILING_HOOK) ? 500 : 204).end());
    });
    await once(hook.listen(0, '127.0.0.1'), 'listening');
    closers.push(async () => void hook.close());
    const log = openSync(join(folders.logs, 'services.log'), 'a');
    const stack = fork(STACK, {
      env: {
        PATH: process.env.PATH,
        ...env,
        LOG_LEVEL: 'debug',
        TMPDIR: folders.temporary,
        WEBHOOK_ALLOW: '127.0.0.1',
        ...(redis && { QUEUE_URL: redis.url }),
        ...(await moreEnv(database)),
      },
      stdio: ['ignore', log, log, 'ipc'],
    });
    closers.push(() => end(stack));
    const url = await Promise.race([
      once(stack, 'message').then(([message]) => (message as { ready: string }).ready),
      once(stack, 'exit').then(() => {
        throw new Error(`The services did not start: ${join(folders.logs, 'services.log')} says why.`);
      }),
    ]);
    const { port } = hook.address() as AddressInfo;
    return {
      url,
      env: { ...env, ...(redis && { QUEUE_URL: redis.url }) },
      ownerUrl: database.ownerUrl,
      paths,
      hookUrl: `http://127.0.0.1:${port}/hook`,
      signal,
      pid: stack.pid as number,
      stop: () => closeAll(closers),
    };
  } catch (error) {
    await closeAll(closers);
    throw error;
  }
}

async function closeAll(closers: (() => Promise<void>)[]): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close();
}

async function end(stack: ChildProcess): Promise<void> {
  if (stack.exitCode !== null || stack.signalCode !== null) return;
  const ended = once(stack, 'exit');
  stack.kill('SIGTERM');
  await ended;
}
