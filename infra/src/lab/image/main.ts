// Of npm run image, inside the image with this lab on top: starts each service by the image's own command, as its user, on its
// read-only root, and ends it.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { prepareDatabase } from '../../local/database.js';
import { freePort } from '../../local/free-port.js';
import { NOT_DURABLE, type OwnPostgres, startOwnPostgres } from '../../testkit/own-state.js';
import { prepareState } from '../../testkit/set-up.js';

const SERVICES = ['receiver', 'journaler', 'archiver', 'operations'];
const IMAGE = '/app/infra/deploy/image/indbakke.mjs';
const READY_WITHIN_MS = 30_000;

/** @throws Error when something may be written that is not a volume, or by root */
function checkPlace(): void {
  if (process.getuid?.() === 0) throw new Error('This runs as root.');
  for (const folder of ['/', '/app', '/tmp', '/etc']) {
    try {
      writeFileSync(join(folder, 'written'), '');
    } catch {
      continue;
    }
    throw new Error(`${folder} may be written.`);
  }
}

async function untilReady(service: string, url: string, child: ChildProcess): Promise<void> {
  for (const limit = performance.now() + READY_WITHIN_MS; ; await pause(100)) {
    if (child.exitCode !== null) throw new Error(`The ${service} ended with ${child.exitCode}.`);
    const answer = await fetch(`${url}/readyz`).catch(() => undefined);
    if (answer?.ok) return;
    if (performance.now() > limit) throw new Error(`The ${service} is not ready: ${await answer?.text()}`);
  }
}

/** Starts it, and ends it as Docker and Kubernetes do. */
async function tryService(service: string, env: Readonly<Record<string, string | undefined>>): Promise<string> {
  const port = await freePort();
  const began = performance.now();
  const child = spawn(process.execPath, [IMAGE, service], {
    env: { PATH: process.env.PATH, NODE_ENV: 'production', ...env, PORT: String(port) },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = once(child, 'exit');
  try {
    await untilReady(service, `http://127.0.0.1:${port}`, child);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  const readyMs = performance.now() - began;
  child.kill('SIGTERM');
  const [status] = await ended;
  if (status !== 0) throw new Error(`The ${service} ended with ${status}.`);
  return `${service}: ready after ${Math.round(readyMs)} ms, ended by SIGTERM`;
}

async function tryAll({ paths, url }: OwnPostgres): Promise<void> {
  const database = await prepareDatabase(url, 'image');
  const settings = { ...(await prepareState(paths, database, [])), TOKEN_ISSUER: 'https://login.example' };
  for (const service of SERVICES) process.stdout.write(`${await tryService(service, settings)}\n`);
}

checkPlace();
const postgres = await startOwnPostgres(NOT_DURABLE);
try {
  await tryAll(postgres);
} finally {
  await postgres.stop();
}
