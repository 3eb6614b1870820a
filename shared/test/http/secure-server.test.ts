import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import { afterAll, beforeAll, it } from 'vitest';
import { createTestIssuer } from '../../../infra/src/testkit/certificates.js';
import { type Listening, listen, OwnCertificate } from '../../src/http/index.js';

// Callers of a port with TLS that never begin it.

let folder: string;
let openCertificate: () => OwnCertificate;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'indbakke-server-'));
  const issuer = await createTestIssuer();
  const own = await issuer.issue({ hosts: ['127.0.0.1'] });
  const file = (name: string, content: string) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const files = [file('key', own.key), file('certificate', own.certificate)] as const;
  openCertificate = () => new OwnCertificate(...files, issuer.certificate);
});
afterAll(() => rmSync(folder, { recursive: true }));

async function openSilently({ url }: Listening): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => {}).resume(); // closed by the other end
  await once(socket, 'connect');
  socket.write('\x16'); // the first byte of a handshake
  return socket;
}

const start = () =>
  listen(
    express(),
    { HOST: '127.0.0.1', PORT: 0, KEEP_ALIVE_SECONDS: 1 },
    () => {},
    'SF1606_TLS_PORT',
    openCertificate(),
  );

it('do not keep the server from closing', async () => {
  const listening = await start();
  const socket = await openSilently(listening);
  const closed = once(socket, 'close');
  await listening.close(10);
  await closed;
});

it('are cut off', { tags: 'long', timeout: 50_000 }, async () => {
  const listening = await start();
  const socket = await openSilently(listening);
  await once(socket, 'close');
  await listening.close(0);
});
