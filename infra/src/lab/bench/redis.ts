import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { freePort } from '../../testkit/free-port.js';
import type { Place } from './place.js';

/** A Redis of our own that keeps an append-only file (synced every second, its default), or undefined where none is installed. */
export async function startRedis(place: Place): Promise<string | undefined> {
  const port = await freePort();
  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--dir', place.folder('redis'), '--save', ''];
  const server = spawn('redis-server', [...settings, '--appendonly', 'yes'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const started = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.once('exit', () => resolve(false));
    server.stdout.on('data', (text) => String(text).includes('Ready to accept connections') && resolve(true));
  });
  if (!started) return undefined;
  place.atEnd(async () => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'exit');
    server.kill('SIGKILL');
    await ended;
  });
  return `redis://127.0.0.1:${port}`;
}
