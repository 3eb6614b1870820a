import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from '../local/free-port.js';
import { isInstalled } from './installed.js';

/** Warns when it is false. */
export const HAS_PGBOUNCER = await isInstalled('pgbouncer', ['--version']);
if (!HAS_PGBOUNCER) {
  console.warn('pgbouncer is not installed (Debian package pgbouncer): tests that need PgBouncer are skipped.');
}

/** A PgBouncer in front of a database. */
export interface PgBouncer {
  /** The same database and login, through it. */
  readonly url: string;
  close(): Promise<void>;
}

/** @param settings of its section [pgbouncer], such as `pool_mode` */
export async function startPgBouncer(
  databaseUrl: string,
  settings: Readonly<Record<string, string | number>>,
): Promise<PgBouncer> {
  const { hostname, port, pathname, username, password } = new URL(databaseUrl);
  const folder = await mkdtemp(join(tmpdir(), 'indbakke-pgbouncer-'));
  const listenPort = await freePort();
  const lines = Object.entries({
    listen_addr: '127.0.0.1',
    listen_port: listenPort,
    unix_socket_dir: '',
    auth_type: 'scram-sha-256',
    auth_file: join(folder, 'users.txt'),
    ...settings,
  }).map(([name, value]) => `${name} = ${value}`);
  const ini = join(folder, 'pgbouncer.ini');
  await writeFile(ini, `[databases]\n* = host=${hostname} port=${port}\n[pgbouncer]\n${lines.join('\n')}\n`);
  await writeFile(join(folder, 'users.txt'), `"${username}" "${password}"\n`);
  await chmod(folder, 0o755);
  // It refuses to run as root.
  const server = spawn('pgbouncer', [...(process.getuid?.() === 0 ? ['-u', 'nobody'] : []), ini], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await isUp(server);
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${listenPort}`;
  url.pathname = pathname;
  return {
    url: url.href,
    async close() {
      const ended = once(server, 'exit');
      server.kill('SIGKILL');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function isUp({ stderr }: ChildProcess): Promise<void> {
  const said: string[] = [];
  for await (const line of createInterface({ input: stderr as NodeJS.ReadableStream })) {
    said.push(line);
    if (line.includes('process up')) break;
  }
  if (!said.at(-1)?.includes('process up')) throw new Error(`PgBouncer did not start: ${said.join('\n')}`);
  (stderr as NodeJS.ReadableStream).resume();
}
