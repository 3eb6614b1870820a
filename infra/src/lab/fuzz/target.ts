import { randomUUID } from 'node:crypto';
import { type Dirent, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ReceiverConfig, startReceiver } from '@indbakke/receiver';
import { readConfig } from '@indbakke/shared/config';
import pg from 'pg';
import { type Database, prepareDatabase } from '../../local/database.js';
import { statePaths } from '../../local/state.js';
import { NOT_DURABLE, startOwnPostgres } from '../../testkit/own-state.js';
import { prepareState } from '../../testkit/set-up.js';
import type { Random } from '../random.js';
import type { FuzzTarget } from './fuzz.js';
import type { Verdict } from './judge.js';

/** Runs `work` with a receiver on a new database and folder, which are removed afterwards. */
export async function withTarget<T>(work: (target: FuzzTarget) => Promise<T>): Promise<T> {
  const postgres = await startOwnPostgres(NOT_DURABLE);
  try {
    return await withTargetOn(await prepareDatabase(postgres.url, 'fuzz'), work);
  } finally {
    await postgres.stop();
  }
}

/** The same on an empty, migrated database. */
export async function withTargetOn<T>(database: Database, work: (target: FuzzTarget) => Promise<T>): Promise<T> {
  const paths = statePaths({ STATE_DIR: mkdtempSync(join(tmpdir(), 'indbakke-fuzz-')) });
  const settings = { ...(await prepareState(paths, database)), LOG_LEVEL: 'silent' };
  const running = await startReceiver(readConfig(ReceiverConfig, settings));
  const client = new pg.Client({ connectionString: database.ownerUrl });
  await client.connect();
  try {
    return await work(new HttpTarget(running.url, client, paths.content));
  } finally {
    await client.end();
    await running.close();
    rmSync(paths.root, { recursive: true, force: true });
  }
}

interface Delivery {
  readonly path: string;
  readonly contentType: string;
  readonly body: Buffer;
}

/** Refusals after the message has been read. */
const AFTER_READING = new Set(['not-our-recipient', 'nemsms']);

class HttpTarget implements FuzzTarget {
  readonly #url: string;
  readonly #client: pg.Client;
  readonly #contentFolder: string;

  constructor(url: string, client: pg.Client, contentFolder: string) {
    this.#url = url;
    this.#client = client;
    this.#contentFolder = contentFolder;
  }

  async send(message: Buffer, verdict: Verdict, chance: Random): Promise<string | undefined> {
    const endpoint = chance.pick(['plain', 'form', 'soap'] as const);
    const { path, contentType, body } = deliveryBy(endpoint, message);
    const before = await this.#stored();
    const { status, text } = await post(`${this.#url}${path}`, contentType, body);
    const code = /<errorCode>([^<]*)</.exec(text)?.[1];
    const fault = this.#faultOf(endpoint, status, code, verdict);
    if (fault) return `over HTTP (${endpoint}): ${fault}`;
    const after = await this.#stored();
    const left = leftBehind(before, after, code === undefined);
    if (left) return `over HTTP (${endpoint}): ${left}`;
    return undefined;
  }

  #faultOf(endpoint: string, status: number, code: string | undefined, verdict: Verdict): string | undefined {
    if (code === undefined) {
      if (status !== 200) return `status ${status} without a code`;
      return verdict.code === undefined ? undefined : `accepted, but refused in process with ${verdict.code}`;
    }
    if (code === 'send-again' || status === 503) return 'send-again: something crashed';
    // In an envelope or a form, a broken message may break what is around it.
    if (endpoint === 'plain' && verdict.code !== code && !AFTER_READING.has(code)) {
      return `refused with ${code}, in process ${verdict.code ?? 'accepted'}`;
    }
    return undefined;
  }

  async #stored(): Promise<Stored> {
    const sql = `SELECT (SELECT count(*) FROM messages)::int AS messages,
      (SELECT count(*) FROM messages WHERE blob_name IS NOT NULL)::int AS containers,
      (SELECT count(*) FROM message_details)::int + (SELECT count(*) FROM message_words)::int
        + (SELECT count(*) FROM message_parties)::int + (SELECT count(*) FROM message_keys)::int
        + (SELECT count(*) FROM message_contents)::int AS parts`;
    const { rows } = await this.#client.query<Omit<Stored, 'files'>>(sql);
    const entries = readdirSync(this.#contentFolder, { recursive: true, withFileTypes: true });
    return { ...(rows[0] as Omit<Stored, 'files'>), files: entries.filter(isContainer).length };
  }
}

/** Finished or not; but not what /readyz writes to see whether it can. */
const isContainer = (entry: Dirent): boolean => entry.isFile() && !entry.name.startsWith('check-');

const ANSWER_WITHIN_MS = 10_000;

async function post(url: string, contentType: string, body: Buffer): Promise<{ status: number; text: string }> {
  try {
    const headers = { 'content-type': contentType };
    const answer = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    return { status: answer.status, text: await answer.text() };
  } catch {
    return { status: 0, text: '' }; // no answer, or an incomplete one
  }
}

interface Stored {
  readonly messages: number;
  readonly containers: number;
  readonly parts: number;
  readonly files: number;
}

function leftBehind(before: Stored, after: Stored, accepted: boolean): string | undefined {
  if (after.files !== after.containers) return `${after.files - after.containers} files without a message are left`;
  if (!accepted && (after.messages !== before.messages || after.parts !== before.parts)) return 'a refusal left rows';
  return undefined;
}

function deliveryBy(endpoint: 'plain' | 'form' | 'soap', message: Buffer): Delivery {
  if (endpoint === 'plain') return { path: '/sf1606/PostModtag', contentType: 'application/xml', body: message };
  if (endpoint === 'form') {
    const boundary = randomUUID();
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.xml"\r\n\r\n`;
    return {
      path: '/sf1606/PostModtag',
      contentType: `multipart/form-data; boundary=${boundary}`,
      body: Buffer.concat([Buffer.from(head), message, Buffer.from(`\r\n--${boundary}--\r\n`)]),
    };
  }
  const envelope = `<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body><p:PostModtagRequest xmlns:p="urn:indbakke:sf1606:1">`;
  // Only a correct declaration is removed: a broken one must be refused here too.
  const inner = message
    .toString('latin1')
    .replace(/^(?:\xef\xbb\xbf)?(?:<\?xml version=["']1.0["'](?: encoding="UTF-8")?\?>)?\s*/, '');
  return {
    path: '/sf1606/soap',
    contentType: 'text/xml',
    body: Buffer.concat([
      Buffer.from(envelope),
      Buffer.from(inner, 'latin1'),
      Buffer.from('</p:PostModtagRequest></S:Body></S:Envelope>'),
    ]),
  };
}
