import { createHash } from 'node:crypto';
import { InboxClient } from '../../testkit/inbox-client.js';
import type { Finding } from '../copies/run.js';
import { sweepOrphansOf } from '../copies/sweep-orphans.js';
import { Comparison, concurrently } from '../crash/compare.js';
import { Ledger } from '../crash/ledger.js';
import type { Stage } from '../crash/stage.js';
import type { LetterRecord } from '../simulator/simulator.js';
import { RUN } from '../upgrade/traffic.js';

interface Stored {
  readonly external_id: string;
  readonly municipality: string;
  readonly rows: number;
  /** Whether all of its parts are there; of a deleted one, none. */
  readonly is_whole: boolean;
  /** SHA-256 of its files in hex, in their order; null of a deleted one. */
  readonly files: readonly string[] | null;
}

const BATCH = 5_000;
const READING = 4;
const READ_WITHIN_MS = 600_000;
const LISTED = 200;
const LIST_WITHIN_MS = 1_800_000;
const LISTING = 2;

const STORED = `
  SELECT external_id, min(municipality) AS municipality, count(*)::int AS rows,
    bool_and(CASE WHEN status = 'deleted' THEN blob_name IS NULL
        AND NOT EXISTS (SELECT FROM message_contents c WHERE c.message_id = m.id)
        AND NOT EXISTS (SELECT FROM message_details d WHERE d.message_id = m.id)
        AND NOT EXISTS (SELECT FROM files f WHERE f.message_id = m.id)
      ELSE (blob_name IS NOT NULL OR EXISTS (SELECT FROM message_contents c WHERE c.message_id = m.id))
        AND EXISTS (SELECT FROM message_details d WHERE d.message_id = m.id)
        AND (SELECT count(*) FROM files f WHERE f.message_id = m.id AND f.status = 'stored') = file_count
      END) AS is_whole,
    (SELECT array_agg(encode(f.sha256, 'hex') ORDER BY f.position) FROM files f WHERE f.message_id = (array_agg(m.id))[1]) AS files
  FROM messages m WHERE external_id = ANY ($1) GROUP BY external_id`;

/** Content that rows are of. */
const NAMED_BLOBS = ['messages', 'extract_files', 'access_packages', 'zip_downloads', 'quarantine_entries']
  .map((table) => `SELECT blob_name AS name FROM ${table} WHERE blob_name IS NOT NULL`)
  .join(' UNION ALL ');

/** Compares what senders were told with what is stored, and looks for what is left behind. */
export class SoakComparison {
  readonly findings: Finding[] = [];
  readonly #stage: Stage;
  readonly #ledger = new Ledger();
  readonly #comparison: Comparison;

  constructor(stage: Stage) {
    this.#stage = stage;
    this.#comparison = new Comparison(stage, this.#ledger);
  }

  /** What is still to be done, in words. */
  async left(): Promise<string[]> {
    const unfinished = Object.entries(await this.#comparison.unfinished());
    return unfinished.flatMap(([what, { length }]) => (length > 0 ? [`${length} ${what} to finish`] : []));
  }

  /** Each letter that was acknowledged is stored once, whole, in its municipality; and nothing that nobody sent. */
  async letters(sent: readonly LetterRecord[]): Promise<void> {
    let found = 0;
    for (let at = 0; at < sent.length; at += BATCH) {
      const batch = sent.slice(at, at + BATCH);
      const rows = await this.#stage.sql<Stored>(STORED, [batch.map(({ messageUUID }) => messageUUID)]);
      const stored = new Map(rows.map((row) => [row.external_id, row]));
      for (const letter of batch) this.#compareLetter(letter, stored.get(letter.messageUUID));
      found += rows.length;
    }
    const [all] = await this.#stage.sql<{ ids: number }>(
      'SELECT count(DISTINCT external_id)::int AS ids FROM messages',
    );
    if (all && all.ids !== found) this.#find('invented', `${all.ids - found} messages that nobody sent`);
  }

  /** The lists show every message once that is not deleted. */
  async inbox(url: string): Promise<void> {
    const signal = AbortSignal.timeout(LIST_WITHIN_MS);
    await concurrently(LISTING, [...this.#stage.tokens], async ([municipality, token]) => {
      const client = new InboxClient(url, token, signal);
      const shown = new Set<string>();
      let twice = 0;
      for (const status of ['pending', 'held', 'journalized', 'rejected'] as const) {
        for await (const { id } of client.listAll({ status, limit: LISTED })) {
          if (shown.has(id)) twice += 1;
          shown.add(id);
        }
      }
      const rows = await this.#stage.sql<{ id: string }>(
        `SELECT id FROM messages WHERE municipality = $1 AND status <> 'deleted'`,
        [municipality],
      );
      const missing = rows.filter(({ id }) => !shown.has(id)).length;
      if (missing > 0) this.#find('lost', `${missing} messages of ${municipality} are in no list of the inbox`);
      if (twice > 0) this.#find('twice', `${twice} messages of ${municipality} are in the inbox twice`);
      if (shown.size > rows.length)
        this.#find('back', `${shown.size - rows.length} messages of ${municipality} are deleted, but in the inbox`);
    });
  }

  /**
   * What is in the content store but for whatever is named by rows. A receiver that is killed leaves what it was storing; it is removed a
   * month later.
   *
   * @returns how many files belong to nothing
   */
  async orphans(): Promise<number> {
    const named = await this.#namedBlobs();
    let orphans = 0;
    for await (const { name } of this.#stage.blobs.list()) if (!named.has(name)) orphans += 1;
    return orphans;
  }

  /** The content of every row is there; after a sweep of orphans, nothing else is; and the audit log is whole. */
  async leftBehind(): Promise<void> {
    await sweepOrphansOf(this.#stage.env);
    const finished = new Set<string>();
    for await (const blob of this.#stage.blobs.list()) if (blob.finished) finished.add(blob.name);
    const missing = [...(await this.#namedBlobs())].filter((name) => !finished.has(name)).length;
    if (missing > 0) this.#find('lost', `the content of ${missing} rows is missing`);
    await this.#comparison.content(RUN.kill, RUN.run);
    await this.#comparison.auditLog(RUN.kill, RUN.run);
    for (const { verdict, what } of this.#ledger.findings) this.#find(verdict, what);
  }

  /** Reads the files of some letters through the API, and compares them with those that were sent. */
  async bytes(letters: readonly LetterRecord[], url: string): Promise<void> {
    const signal = AbortSignal.timeout(READ_WITHIN_MS);
    await concurrently(READING, letters, async ({ messageUUID, municipality, files }) => {
      const [row] = await this.#stage.sql<{ id: string }>(
        `SELECT id FROM messages WHERE external_id = $1 AND status <> 'deleted'`,
        [messageUUID],
      );
      if (!row) return; // deleted, or missing, which is found elsewhere
      const client = new InboxClient(url, this.#stage.tokens.get(municipality) as string, signal);
      try {
        const { documents } = await client.read(row.id);
        const read: string[] = [];
        for (const { id } of documents.flatMap((document) => document.files)) {
          const content = Buffer.from(await (await client.file(row.id, id)).arrayBuffer());
          read.push(createHash('sha256').update(content).digest('hex'));
        }
        if (read.join() !== files.join()) this.#find('lost', `message ${messageUUID} reads otherwise than it was sent`);
      } catch (error) {
        this.#find('lost', `message ${messageUUID} cannot be read: ${(error as Error).message}`);
      }
    });
  }

  async #namedBlobs(): Promise<ReadonlySet<string>> {
    const rows = await this.#stage.sql<{ name: string }>(NAMED_BLOBS);
    return new Set(rows.map(({ name }) => name));
  }

  #compareLetter({ messageUUID, municipality, status, files }: LetterRecord, row: Stored | undefined): void {
    if (status !== 'acknowledged')
      this.#find('stuck', `message ${messageUUID} is ${status}, and should have a receipt`);
    if (!row) {
      if (status === 'acknowledged') this.#find('lost', `message ${messageUUID} was acknowledged and is missing`);
      return;
    }
    if (row.rows > 1) this.#find('twice', `message ${messageUUID} has ${row.rows} rows`);
    if (row.municipality !== municipality) this.#find('lost', `message ${messageUUID} is of another municipality`);
    if (!row.is_whole) this.#find('half', `message ${messageUUID} is not whole`);
    if (row.files && status === 'acknowledged' && row.files.join() !== files.join())
      this.#find('lost', `message ${messageUUID} has other files than were sent`);
  }

  #find(verdict: string, what: string): void {
    this.findings.push({ verdict, what });
  }
}
