import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectSecurely } from 'node:tls';
import express, { type Express } from 'express';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { createTestIssuer } from '../../../infra/src/testkit/certificates.js';
import { type Listening, listen, OwnCertificate } from '../../src/http/index.js';

// A port with TLS: callers that never begin it, and that end their direction before they have their answers.

let folder: string;
let openCertificate: () => OwnCertificate;
let trusted: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'indbakke-server-'));
  const issuer = await createTestIssuer();
  trusted = issuer.certificate;
  const own = await issuer.issue({ hosts: ['127.0.0.1'] });
  const file = (name: string, content: string) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const files = [file('key', own.key), file('certificate', own.certificate)] as const;
  openCertificate = () => new OwnCertificate(...files, issuer.certificate);
});
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => void vi.useRealTimers());

async function openSilently({ url }: Listening): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => {}).resume(); // closed by the other end
  await once(socket, 'connect');
  socket.write('\x16'); // the first byte of a handshake
  return socket;
}

const start = (app: Express = express()) =>
  listen(app, { HOST: '127.0.0.1', PORT: 0, KEEP_ALIVE_SECONDS: 1 }, () => {}, 'SF1606_TLS_PORT', openCertificate());

it('callers that never begin it do not keep the server from closing', async () => {
  const listening = await start();
  const socket = await openSilently(listening);
  const closed = once(socket, 'close');
  await listening.close(10);
  await closed;
});

it('callers that never begin it are cut off', { tags: 'long', timeout: 50_000 }, async () => {
  const listening = await start();
  const socket = await openSilently(listening);
  await once(socket, 'close');
  await listening.close(0);
});

it('a caller that ends its direction gets all answers, also one that takes longer than the writing of another may', async () => {
  const ANSWERS = 12;
  const warnings: Error[] = [];
  const warned = (warning: Error) => void warnings.push(warning);
  process.on('warning', warned);
  const events = new EventEmitter();
  const othersWritten = once(events, 'others-written');
  const last = once(events, 'last');
  let callerEnded: Promise<unknown> | undefined;
  let written = 0;
  const app = express().get('/:n', async (req, res) => {
    callerEnded ??= once(req.socket, 'end');
    res.once('close', () => {
      written += 1;
      if (written === ANSWERS - 1) events.emit('others-written');
    });
    await callerEnded;
    if (req.params.n === String(ANSWERS)) await last;
    res.send(`answer ${req.params.n}.`);
  });
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const listening = await start(app);
  const tcp = connect({ host: '127.0.0.1', port: Number(new URL(listening.url).port), allowHalfOpen: true });
  const socket = connectSecurely({ socket: tcp, host: '127.0.0.1', ca: trusted });
  let received = '';
  socket.on('data', (bytes: Buffer) => {
    received += bytes;
  });
  socket.on('error', () => {}); // cut
  const closed = once(socket, 'close');
  const requests = Array.from({ length: ANSWERS }, (_, n) => `GET /${n + 1} HTTP/1.1\r\nHost: test\r\n\r\n`);
  socket.end(requests.join(''));

  await othersWritten;
  await vi.advanceTimersByTimeAsync(60_000);
  events.emit('last');
  await closed;

  expect(received.match(/answer \d+/g)).toEqual(requests.map((_, n) => `answer ${n + 1}`));
  process.off('warning', warned);
  expect(warnings).toEqual([]);
  await listening.close(0);
});
