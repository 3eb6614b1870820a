// Rival (a), the limit of a Node server that keeps what it is sent: hash, write, fsync; nothing is read or decided. Two
// writes of half a megabyte in turn, the chunks handed to writev as they came.

import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type FileHandle, open } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { reportReady } from '../report-ready.js';

const GATHER = 512 * 1024;

const folder = process.env.FOLDER ?? '.';

const server = createServer({ highWaterMark: 64 * 1024 }, (req, res) => {
  keep(req).then(
    (sha256) => {
      const body = JSON.stringify({ receiptStatus: 'COMPLETED', sha256 });
      res.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
    },
    () => res.destroy(),
  );
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
await reportReady(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);

async function keep(req: IncomingMessage): Promise<string> {
  const file = await open(join(folder, randomUUID()), 'wx', 0o600);
  try {
    const hash = createHash('sha256');
    await write(req, file, (chunk) => hash.update(chunk));
    await file.sync();
    return hash.digest('hex');
  } finally {
    await file.close();
  }
}

function write(req: IncomingMessage, file: FileHandle, see: (chunk: Buffer) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    let gathered: Buffer[] = [];
    let size = 0;
    let ended = false;
    let writing = false;

    const next = () => {
      if (writing || (size < GATHER && !ended)) return;
      if (size === 0) return resolve();
      const chunks = gathered;
      gathered = [];
      size = 0;
      writing = true;
      req.resume();
      file.writev(chunks).then(() => {
        writing = false;
        next();
      }, reject);
    };
    req.on('data', (chunk: Buffer) => {
      see(chunk);
      gathered.push(chunk);
      size += chunk.length;
      if (writing && size >= GATHER) req.pause();
      next();
    });
    req.on('end', () => {
      ended = true;
      next();
    });
    req.on('error', reject);
  });
}
