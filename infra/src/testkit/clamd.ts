import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from '../local/free-port.js';
import { isInstalled } from './installed.js';

/** Warns when it is false. */
export const HAS_CLAMD = await isInstalled('clamd', ['--version']);
if (!HAS_CLAMD) {
  console.warn('clamd is not installed (Debian package clamav-daemon): tests that need it are skipped.');
}

/** The test file of the European Institute for Computer Antivirus Research. In parts, so that no scanner takes this one for it. */
export const EICAR = ['X5O!P%@AP[4\\PZX54(P^)7CC)7}$EIC', 'AR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'].join('');

/** By which the scanner of a test knows it. */
export const EICAR_SIGNATURE = 'Own.Eicar.Test.UNOFFICIAL';

/** A clamd with a single signature, our own: nothing is downloaded. */
export interface OwnClamd {
  /** CLAMD_URL. */
  readonly url: string;
  readonly tcpUrl: string;
  /** After kill(). */
  start(): Promise<void>;
  /** SIGKILL: nothing listens any more. */
  kill(): Promise<void>;
  /** SIGSTOP: connections are accepted by the system, and nothing is answered. */
  pause(): void;
  resume(): void;
  close(): Promise<void>;
}

/** @param settings lines of clamd.conf */
export async function startClamd(settings: readonly string[] = []): Promise<OwnClamd> {
  const folder = await mkdtemp(join(tmpdir(), 'indbakke-clamd-'));
  const socket = join(folder, 'clamd.ctl');
  const port = await freePort();
  const name = EICAR_SIGNATURE.replace('.UNOFFICIAL', ''); // clamd says that of signatures that its makers have not signed
  await writeFile(join(folder, 'own.ndb'), `${name}:0:0:${Buffer.from(EICAR).toString('hex')}\n`);
  const config = join(folder, 'clamd.conf');
  await writeFile(
    config,
    [
      `DatabaseDirectory ${folder}`,
      `TemporaryDirectory ${folder}`,
      `LocalSocket ${socket}`,
      'FixStaleSocket yes',
      `TCPSocket ${port}`,
      'TCPAddr 127.0.0.1',
      'Foreground yes',
      'AlertExceedsMax yes',
      'AlertEncrypted yes',
      'SelfCheck 0',
      ...settings,
      '',
    ].join('\n'),
  );
  let server: ChildProcess | undefined;
  const clamd: OwnClamd = {
    url: `unix:${socket}`,
    tcpUrl: `tcp://127.0.0.1:${port}`,
    async start() {
      server = spawn('clamd', ['--config-file', config], { stdio: ['ignore', 'pipe', 'inherit'] });
      await isUp(server);
    },
    async kill() {
      if (!server) return;
      const ended = once(server, 'exit');
      server.kill('SIGKILL');
      await ended;
      server = undefined;
    },
    pause() {
      server?.kill('SIGSTOP');
    },
    resume() {
      server?.kill('SIGCONT');
    },
    async close() {
      await clamd.kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
  await clamd.start();
  return clamd;
}

async function isUp({ stdout }: ChildProcess): Promise<void> {
  const said: string[] = [];
  for await (const line of createInterface({ input: stdout as NodeJS.ReadableStream })) {
    said.push(line);
    if (line.includes('Self checking')) break;
  }
  if (!said.at(-1)?.includes('Self checking')) throw new Error(`clamd did not start: ${said.join('\n')}`);
  (stdout as NodeJS.ReadableStream).resume();
}
