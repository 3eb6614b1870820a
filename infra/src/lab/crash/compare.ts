import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Status } from '@indbakke/shared/lifecycle';
import { InboxClient } from '../../testkit/inbox-client.js';
import type { Kill } from './kills.js';
import type { Ledger, Letter } from './ledger.js';
import type { Stage } from './stage.js';

const READERS = 8;
const READ_WITHIN_MS = 300_000;
const MOST_ROWS = 200; // of a page of the inbox

interface Row {
  readonly id: string;
  readonly external_id: string;
  readonly transmission_id: string;
  readonly received_at: Date;
  readonly fingerprint: string;
  readonly status: Status;
  readonly blob_name: string | null;
  readonly document_count: number;
  readonly file_count: number;
  readonly suggestion_run_at: Date | null;
  readonly suggested_case_id: string | null;
  readonly details: number;
  readonly keys: number;
  /** Containers that stand beside the rows. */
  readonly contents: number;
  readonly documents: number;
  readonly files: number;
  readonly refs: number;
  readonly events: number;
  readonly audited: number;
}

const count = (table: string, where = '') =>
  `(SELECT count(*)::int FROM ${table} t WHERE t.message_id = m.id ${where})`;
const ROWS = `
  SELECT id, external_id, transmission_id, received_at, encode(fingerprint, 'hex') AS fingerprint, status, blob_name,
    document_count, file_count, suggestion_run_at, suggested_case_id,
    ${count('message_details')} AS details, ${count('message_keys')} AS keys, ${count('message_contents')} AS contents, ${count('documents')} AS documents,
    ${count('files', "AND t.status = 'stored'")} AS files, ${count('reply_references')} AS refs,
    ${count('events')} AS events, ${count('audit_events', "AND t.action IN ('accepted', 'held')")} AS audited
  FROM messages m WHERE external_id = ANY($1)`;

/** Compares what the ledger knows with what is really there. */
export class Comparison {
  readonly #stage: Stage;
  readonly #ledger: Ledger;

  constructor(stage: Stage, ledger: Ledger) {
    this.#stage = stage;
    this.#ledger = ledger;
  }

  /** What became of steps that were asked for and not answered: done or not, and nothing else. */
  async settle(): Promise<void> {
    const open = this.#ledger.letters.filter(({ asked }) => asked !== undefined);
    if (open.length === 0) return;
    const rows = await this.#rows(open);
    for (const letter of open) {
      const row = rows.get(letter.uuid)?.[0];
      const after = { journalize: 'journalized', reject: 'rejected', delete: 'deleted', zip: letter.status } as const;
      if (row && letter.asked && row.status === after[letter.asked]) letter.status = row.status;
      letter.asked = undefined;
    }
  }

  /** The rows and containers of these letters against their receipts. */
  async rows(letters: readonly Letter[]): Promise<void> {
    const rows = await this.#rows(letters);
    for (const uuid of new Set(letters.map((letter) => letter.uuid))) {
      const group = this.#ledger.groups.get(uuid) ?? [];
      const [first] = group;
      if (first) this.#compareGroup(first, group, rows.get(uuid) ?? []);
    }
  }

  /** Every file of these letters, read through the API, against what was sent. */
  async bytes(letters: readonly Letter[], url: string): Promise<void> {
    const client = new InboxClient(url, this.#stage.token, AbortSignal.timeout(READ_WITHIN_MS));
    const rows = await this.#rows(letters);
    const work = [...rows.values()].flat().filter(({ status }) => status !== 'deleted');
    await atOnce(READERS, work, async (row) => {
      const group = this.#ledger.groups.get(row.external_id) ?? [];
      const [first] = group;
      if (!first) return;
      const owner = group.find(({ receipts }) =>
        [...receipts].some((receipt) => receipt.includes(row.transmission_id)),
      );
      try {
        const { documents } = await client.read(row.id);
        const files: string[] = [];
        for (const { id } of documents.flatMap((document) => document.files)) {
          const response = await client.file(row.id, id);
          files.push(sha256(Buffer.from(await response.arrayBuffer())));
        }
        const isOneOf = (owner ? [owner] : group).some((letter) => letter.files.join() === files.join());
        if (!isOneOf) this.#ledger.find(owner ? 'lost' : 'half', first, 'its files are not the ones that were sent');
      } catch (error) {
        this.#ledger.find(owner ? 'lost' : 'half', first, `cannot be read: ${(error as Error).message}`);
      }
    });
  }

  /** The lists of the inbox, page by page: each letter with a receipt once. */
  async inbox(url: string): Promise<void> {
    const client = new InboxClient(url, this.#stage.token, AbortSignal.timeout(READ_WITHIN_MS));
    const times = new Map<string, number>();
    for (const status of ['pending', 'held', 'journalized', 'rejected'] as const) {
      for await (const { id } of client.listAll({ status, limit: MOST_ROWS })) times.set(id, (times.get(id) ?? 0) + 1);
    }
    const rows = await this.#rows(this.#ledger.letters);
    for (const [uuid, ofMemo] of rows) {
      const [letter] = this.#ledger.groups.get(uuid) ?? [];
      for (const { id, status } of letter ? ofMemo : []) {
        const shown = times.get(id) ?? 0;
        if (!letter) continue;
        if (status === 'deleted' && shown > 0) this.#ledger.find('back', letter, 'is deleted, and in the inbox');
        if (status !== 'deleted' && shown === 0) this.#ledger.find('lost', letter, 'is in no list of the inbox');
        if (status !== 'deleted' && shown > 1) this.#ledger.find('twice', letter, 'stands twice in the inbox');
      }
    }
  }

  /** What must not be left when all is quiet: messages not looked at, removals not done. Gives how many. */
  async unfinished(): Promise<{ messages: { external_id: string }[]; removals: { blob_name: string }[] }> {
    const [messages, removals] = await Promise.all([
      this.#stage.sql<{ external_id: string }>(
        `SELECT external_id FROM messages WHERE suggestion_run_at IS NULL AND status = 'pending'`,
      ),
      this.#stage.sql<{ blob_name: string }>('SELECT blob_name FROM content_removals'),
    ]);
    return { messages, removals };
  }

  /** Suggestions, when all is quiet. A message that left the inbox before it was looked at may have none. */
  async suggestions(): Promise<void> {
    const rows = await this.#rows(this.#ledger.letters);
    for (const letter of this.#ledger.letters) {
      const row = rows.get(letter.uuid)?.[0];
      if (row?.status !== 'pending' || row.suggestion_run_at === null || letter.caseId === undefined) continue;
      if (row.suggested_case_id === letter.caseId) continue;
      this.#ledger.find('stuck', letter, `the case ${row.suggested_case_id} is suggested instead of ${letter.caseId}`);
    }
  }

  /** The content folder against the rows, after a sweep of orphans. */
  async content(kill: Kill, run: number): Promise<void> {
    const rows = await this.#stage.sql<{ blob_name: string }>(
      'SELECT blob_name FROM messages WHERE blob_name IS NOT NULL',
    );
    const named = new Set(rows.map(({ blob_name }) => blob_name));
    for (const shard of readdirSync(this.#stage.contentFolder)) {
      for (const file of readdirSync(join(this.#stage.contentFolder, shard))) {
        if (named.has(file)) continue;
        const letter = this.#ledger.letters.find(({ blobName }) => blobName === file);
        const isBack = letter?.status === 'deleted';
        this.#ledger.find(
          isBack ? 'back' : 'half',
          letter ?? { uuid: file, kill, run },
          `${file} belongs to no message`,
        );
      }
    }
  }

  #compareGroup(first: Letter, group: readonly Letter[], rows: readonly Row[]): void {
    const find = this.#ledger.find.bind(this.#ledger);
    const isDeleted = group.some(({ status }) => status === 'deleted');
    if (rows.length > group.length) find(isDeleted ? 'back' : 'twice', first, `${rows.length} rows`);
    if (new Set(rows.map(({ fingerprint }) => fingerprint)).size < rows.length) find('twice', first, 'two equal rows');

    for (const letter of group) {
      for (const receipt of letter.receipts) {
        const { transmissionId, timeStamp } = JSON.parse(receipt) as { transmissionId: string; timeStamp: string };
        const row = rows.find((candidate) => candidate.transmission_id === transmissionId);
        if (!row) find('lost', letter, `the message of receipt ${transmissionId} is not there`);
        else if (row.received_at.toISOString() !== timeStamp) find('lost', letter, 'the receipt has another time');
        else if (letter.asked === undefined && !letter.busy && group.length === 1 && row.status !== letter.status) {
          const verdict = letter.status === 'deleted' ? 'back' : 'lost';
          find(verdict, letter, `is ${row.status}, although it was answered that it is ${letter.status}`);
        }
      }
    }
    for (const row of rows) {
      const missing = row.status === 'deleted' ? this.#leftOf(row) : this.#missingOf(row);
      if (missing.length > 0) find('half', first, `${row.status}, and with the wrong ${missing.join(', ')}`);
    }
  }

  /** What a message lacks that is there. */
  #missingOf(row: Row): string[] {
    const wrong = {
      details: row.details !== 1,
      documents: row.documents !== row.document_count,
      files: row.files !== row.file_count,
      key: row.keys !== 1,
      content: row.blob_name === null ? row.contents !== 1 : row.contents !== 0 || !this.#hasContent(row.blob_name),
      event: row.events === 0,
      audit: row.audited !== 1,
    };
    return namesOf(wrong);
  }

  /** What is left of a message that is deleted. */
  #leftOf(row: Row): string[] {
    const { details, keys, contents, documents, files, refs } = row;
    const counts = Object.entries({ details, keys, contents, documents, files, refs });
    return namesOf({
      ...Object.fromEntries(counts.map(([name, left]) => [name, left !== 0])),
      content: row.blob_name !== null,
    });
  }

  #hasContent(blobName: string): boolean {
    return existsSync(join(this.#stage.contentFolder, blobName.slice(0, 2), blobName));
  }

  async #rows(letters: readonly Letter[]): Promise<Map<string, Row[]>> {
    const found = await this.#stage.sql<Row>(ROWS, [[...new Set(letters.map(({ uuid }) => uuid))]]);
    const rows = new Map<string, Row[]>();
    for (const row of found) rows.set(row.external_id, [...(rows.get(row.external_id) ?? []), row]);
    return rows;
  }
}

function namesOf(flags: Record<string, boolean>): string[] {
  return Object.entries(flags).flatMap(([name, isSo]) => (isSo ? [name] : []));
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Runs `work` on every item, this many at a time. */
export async function atOnce<T>(limit: number, items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const worker = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
}
