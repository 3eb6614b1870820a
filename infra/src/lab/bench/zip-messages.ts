import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { finished } from 'node:stream/promises';
import { EXAMPLE_MUNICIPALITY } from '../../local/example-municipality.js';
import { runSql } from '../../testkit/database.js';
import { writeMemo } from '../../testkit/write-memo.js';
import type { Child } from './child.js';
import { Connection } from './client.js';
import { REST_PATH } from './memos.js';
import type { Place } from './place.js';

/** Files of a message: each is a block a number of times. */
export interface Files {
  readonly files: number;
  readonly blocks: number;
  /** Of a multiple of 3 bytes, for whole base64 quanta. */
  readonly block: Buffer;
  /** `pdf`, `txt` */
  readonly extension: string;
}

const PLACEHOLDER = Buffer.from('her kommer indholdet');

/** Delivers a MeMo with the files. @returns the id of the message */
export async function deliverFiles(
  place: Place,
  receiver: Child,
  { files, blocks, block, extension }: Files,
): Promise<string> {
  const documents = Array.from({ length: files }, (_, file) => ({
    files: [{ name: `fil-${file}.${extension}`, type: 'application/octet-stream', content: PLACEHOLDER }],
  }));
  const xml = writeMemo({ recipient: { id: EXAMPLE_MUNICIPALITY.cvr }, documents }).toString();
  const [head = '', ...parts] = xml.split(PLACEHOLDER.toString('base64'));
  const base64 = Buffer.from(block.toString('base64'), 'latin1');
  const pieces = function* () {
    yield Buffer.from(head);
    for (const part of parts) {
      for (let at = 0; at < blocks; at += 1) yield base64;
      yield Buffer.from(part);
    }
  };
  const length = Buffer.byteLength([head, ...parts].join('')) + files * blocks * base64.length;
  const connection = await Connection.open(receiver.url);
  const { body } = await connection.postPieces(REST_PATH, pieces(), length);
  connection.close();
  const { messageUUID } = JSON.parse(body) as { messageUUID: string };
  const query = 'SELECT id FROM messages WHERE external_id = $1';
  const [row] = await runSql<{ id: string }>(place.database.ownerUrl, query, [messageUUID]);
  return row?.id ?? '';
}

export async function download(url: string, token: string): Promise<void> {
  const request = get(url, { headers: { authorization: `Bearer ${token}` } });
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  if (answer.statusCode !== 200) throw new Error(`${url} answered ${answer.statusCode}`);
  answer.resume();
  await finished(answer);
}

const POLL_MS = 200;

/** Asks for a zip of many messages. @returns its URL */
export async function askForZip(archiver: Child, token: string, items: readonly string[]): Promise<string> {
  const response = await fetch(`${archiver.url}/api/v1/zip-downloads`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ items }),
  });
  if (!response.ok) throw new Error(`A zip was refused: ${response.status} ${await response.text()}`);
  const { id } = (await response.json()) as { id: string };
  return `${archiver.url}/api/v1/zip-downloads/${id}`;
}

/** Resolves when the zip is ready. */
export async function untilReady(url: string, token: string): Promise<void> {
  for (;;) {
    const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
    const { status } = (await response.json()) as { status: string };
    if (status === 'ready') return;
    if (status !== 'waiting' && status !== 'running') throw new Error(`A zip is ${status}.`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
