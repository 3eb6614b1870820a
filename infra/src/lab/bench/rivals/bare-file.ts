// Rival (a), the limit of a Node server that stores what it receives: hash, write, fsync, without parsing. Chunks are gathered
// to half a megabyte for each writev.

import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { listenAndReport } from '../report-ready.js';

const GATHER = 512 * 1024;

const folder = process.env.FOLDER ?? '.';

const server = createServer({ highWaterMark: 64 * 1024 }, (req, res) => {
  store(req).then(
    (sha256) => {
      const body = JSON.stringify({ receiptStatus: 'COMPLETED', sha256 });
      res.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
    },
    () => res.destroy(),
  );
});
await listenAndReport(server);

async function store(req: IncomingMessage): Promise<string> {
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

function write(req: IncomingMessage, file: FileHandle, onChunk: (chunk: Buffer) => void): Promise<void> {
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
      onChunk(chunk);
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
