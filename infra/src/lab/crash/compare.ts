import { createHash } from 'node:crypto';
import type { BlobEntry } from '@indbakke/shared/content';
import { CHANGES, type OnwardStatus, type Status } from '@indbakke/shared/lifecycle';
import { InboxClient } from '../../testkit/inbox-client.js';
import { unzip } from '../../testkit/unzip.js';
import type { ToldObject } from './far-end.js';
import type { Kill } from './kills.js';
import type { DueFile, Ledger, SentMemo } from './ledger.js';
import { clientsOf } from './load.js';
import type { Stage } from './stage.js';
import { asOperator } from './unreadable.js';

const READERS = 8;
const READ_WITHIN_MS = 300_000;
const PAGE_ROWS = 200; // the largest page of the inbox

interface Row {
  readonly id: string;
  readonly municipality: string;
  readonly external_id: string;
  readonly transmission_id: string;
  readonly received_at: Date;
  readonly fingerprint: string;
  readonly status: Status;
  readonly version: number;
  readonly blob_name: string | null;
  readonly document_count: number;
  readonly file_count: number;
  readonly suggestion_run_at: Date | null;
  readonly suggested_case_id: string | null;
  readonly details: number;
  readonly words: number;
  readonly parties: number;
  /** Words and parties of another status or time than the message’s. */
  readonly misplaced: number;
  readonly keys: number;
  /** Containers in the database. */
  readonly contents: number;
  readonly documents: number;
  readonly files: number;
  readonly refs: number;
  readonly journalizations: number;
  readonly events: number;
  readonly audited: number;
  /** Rows of another municipality. */
  readonly strange: number;
}

interface SentOnRow {
  /** That of the transaction, too. */
  readonly id: string;
  readonly external_id: string;
  readonly status: OnwardStatus;
}

const count = (table: string, where = '') =>
  `(SELECT count(*)::int FROM ${table} t WHERE t.message_id = m.id ${where})`;
const CHANGES_OF_MESSAGES = Object.keys(CHANGES)
  .map((change) => `'${change}'`)
  .join();
const ELSEWHERE = 'AND (t.status, t.received_at) <> (m.status, m.received_at)';
const STRANGE = [
  'message_details',
  'message_words',
  'message_parties',
  'files',
  'journalizations',
  'message_subjects',
  'onward_distributions',
  'events',
  'audit_events',
];
/** Held for a cause that is gone: to be released automatically, which unfinished() waits for. */
const TO_BE_RELEASED = `status = 'held' AND held_cause <> 'conflict'`;
const ROWS = `
  SELECT id, municipality, external_id, transmission_id, received_at, encode(fingerprint, 'hex') AS fingerprint,
    CASE WHEN ${TO_BE_RELEASED} THEN 'pending' ELSE status END AS status,
    version, blob_name, document_count, file_count, suggestion_run_at, suggested_case_id,
    ${count('message_details')} AS details, ${count('message_words')} AS words, ${count('message_parties')} AS parties,
    ${count('message_words', ELSEWHERE)} + ${count('message_parties', ELSEWHERE)} AS misplaced,
    ${count('message_keys')} AS keys, ${count('message_contents')} AS contents, ${count('documents')} AS documents,
    ${count('files', "AND t.status = 'stored'")} AS files, ${count('reply_references')} AS refs,
    ${count('journalizations')} AS journalizations, ${count('events')} AS events,
    ${count('audit_events', `AND t.action IN (${CHANGES_OF_MESSAGES})`)} AS audited,
    ${STRANGE.map((table) => count(table, 'AND t.municipality <> m.municipality')).join(' + ')} AS strange
  FROM messages m WHERE external_id = ANY($1)`;

/** What is not done, by what it is. */
export interface Unfinished {
  readonly messages: readonly { external_id: string }[];
  readonly held: readonly { external_id: string }[];
  readonly removals: readonly { blob_name: string }[];
  readonly extracts: readonly { id: string }[];
  readonly packages: readonly { id: string }[];
  readonly zips: readonly { id: string }[];
  readonly documents: readonly { external_id: string }[];
  readonly distributions: readonly { external_id: string }[];
  readonly scans: readonly { external_id: string }[];
}

/** Compares the ledger with what is stored. */
export class Comparison {
  readonly #stage: Stage;
  readonly #ledger: Ledger;
  /** Names of the containers that are finished. */
  #stored: ReadonlySet<string> = new Set();

  constructor(stage: Stage, ledger: Ledger) {
    this.#stage = stage;
    this.#ledger = ledger;
  }

  /** Finds out whether requests without an answer were done. */
  async settle(): Promise<void> {
    const open = this.#ledger.sent.filter(({ asked }) => asked !== undefined);
    if (open.length === 0) return;
    const rows = await this.#rows(open);
    for (const memo of open) {
      const row = rows.get(memo.uuid)?.[0];
      const after = {
        journalize: 'journalized',
        reject: 'rejected',
        'send-on': 'rejected',
        delete: 'deleted',
        zip: memo.status,
      } as const;
      if (row && memo.asked && row.status === after[memo.asked]) memo.status = row.status;
      memo.asked = undefined;
    }
  }

  /** Compares rows and containers with the receipts of these MeMos. */
  async rows(memos: readonly SentMemo[]): Promise<void> {
    const rows = await this.#rows(memos);
    const blobs = await this.#blobs();
    this.#stored = new Set(blobs.filter(({ finished }) => finished).map(({ name }) => name));
    for (const uuid of new Set(memos.map((memo) => memo.uuid))) {
      const sameUuid = this.#ledger.byUuid.get(uuid) ?? [];
      const [first] = sameUuid;
      if (first) this.#compareUuid(first, sameUuid, rows.get(uuid) ?? []);
    }
  }

  /** Reads every file of these MeMos through the API and compares it with what was sent. */
  async bytes(memos: readonly SentMemo[], url: string): Promise<void> {
    const clients = clientsOf(this.#stage, url, READ_WITHIN_MS);
    const rows = await this.#rows(memos);
    const work = [...rows.values()].flat().filter(({ status }) => status !== 'deleted');
    await concurrently(READERS, work, async (row) => {
      const sameUuid = this.#ledger.byUuid.get(row.external_id) ?? [];
      const [first] = sameUuid;
      const client = clients.get(row.municipality);
      if (!first || !client) return;
      const owner = sameUuid.find(({ over, receipts }) =>
        over === 'sf2900' ? receipts.size > 0 : [...receipts].some((receipt) => receipt.includes(row.transmission_id)),
      );
      try {
        const { documents } = await client.read(row.id);
        const files: string[] = [];
        for (const { id } of documents.flatMap((document) => document.files)) {
          const response = await client.file(row.id, id);
          files.push(sha256(Buffer.from(await response.arrayBuffer())));
        }
        const isOneOf = (owner ? [owner] : sameUuid).some((memo) => memo.files.join() === files.join());
        if (!isOneOf) this.#ledger.find(owner ? 'lost' : 'half', first, 'its files are not the ones sent');
      } catch (error) {
        this.#ledger.find(owner ? 'lost' : 'half', first, `cannot be read: ${(error as Error).message}`);
      }
    });
  }

  /** The lists of the inbox must show every stored message once. */
  async inbox(url: string): Promise<void> {
    const times = new Map<string, number>();
    for (const client of clientsOf(this.#stage, url, READ_WITHIN_MS).values()) {
      for (const status of ['pending', 'held', 'journalized', 'rejected'] as const) {
        for await (const { id } of client.listAll({ status, limit: PAGE_ROWS })) {
          times.set(id, (times.get(id) ?? 0) + 1);
        }
      }
    }
    const rows = await this.#rows(this.#ledger.sent);
    for (const [uuid, ofMemo] of rows) {
      const [memo] = this.#ledger.byUuid.get(uuid) ?? [];
      if (!memo) continue;
      for (const { id, status } of ofMemo) {
        const shown = times.get(id) ?? 0;
        if (status === 'deleted' && shown > 0) this.#ledger.find('back', memo, 'is deleted, but in the inbox');
        if (status !== 'deleted' && shown === 0) this.#ledger.find('lost', memo, 'is in no list of the inbox');
        if (status !== 'deleted' && shown > 1) this.#ledger.find('twice', memo, 'is in the inbox twice');
      }
    }
  }

  /**
   * What must not be left when all is quiet: messages without a suggestion run, held ones whose cause is gone, pending removals,
   * files to be made, fetched, scanned or sent on, and receipts to be sent.
   */
  async unfinished(): Promise<Unfinished> {
    const [messages, held, removals, extracts, packages, zips, documents, distributions, scans] = await Promise.all([
      this.#stage.sql<{ external_id: string }>(
        `SELECT external_id FROM messages WHERE suggestion_run_at IS NULL AND status = 'pending'`,
      ),
      this.#stage.sql<{ external_id: string }>(`SELECT external_id FROM messages WHERE ${TO_BE_RELEASED}`),
      this.#stage.sql<{ blob_name: string }>('SELECT blob_name FROM content_removals'),
      this.#stage.sql<{ id: string }>('SELECT id FROM extracts WHERE next_run_at <= now()'),
      this.#stage.sql<{ id: string }>(`SELECT id FROM access_packages WHERE status = 'waiting'`),
      this.#stage.sql<{ id: string }>(`SELECT id FROM zip_downloads WHERE status IN ('waiting', 'running')`),
      this.#stage.sql<{ external_id: string }>(
        `SELECT external_id FROM messages WHERE id IN (SELECT message_id FROM file_fetches WHERE status IN ('waiting', 'stored'))
           OR id IN (SELECT message_id FROM business_receipts WHERE status IN ('waiting', 'sending'))`,
      ),
      this.#stage.sql<{ external_id: string }>(
        `SELECT external_id FROM messages WHERE id IN (
           SELECT message_id FROM onward_distributions WHERE status IN ('waiting', 'uploaded'))`,
      ),
      this.#stage.sql<{ external_id: string }>(
        'SELECT external_id FROM messages WHERE id IN (SELECT message_id FROM message_scans)',
      ),
    ]);
    return { messages, held, removals, extracts, packages, zips, documents, distributions, scans };
  }

  /** What is left when all should be quiet is stuck. */
  noteUnfinished(left: Unfinished, kill: Kill, run: number): void {
    const note = (of: { readonly uuid: string } & Partial<SentMemo>, what: string) =>
      this.#ledger.find('stuck', { kill, run, ...of }, what);
    const named = (uuid: string) => this.#ledger.byUuid.get(uuid)?.[0] ?? { uuid };
    for (const { external_id } of left.messages) note(named(external_id), 'has no suggestion run');
    for (const { external_id } of left.held) note(named(external_id), 'is held, though its cause is gone');
    for (const { blob_name } of left.removals) {
      const memo = this.#ledger.sent.find(({ blobName }) => blobName === blob_name);
      note(memo ?? { uuid: blob_name }, 'its content is not removed');
    }
    for (const { external_id } of left.documents) note(named(external_id), 'its file or its receipt waits');
    for (const { external_id } of left.distributions) note(named(external_id), 'it is not sent on');
    for (const { external_id } of left.scans) note(named(external_id), 'its files are not scanned');
    const dueOf = (all: readonly DueFile[], id: string) => all.find(({ uuid }) => uuid === id) ?? { uuid: id };
    for (const { id } of left.extracts) note(dueOf(this.#ledger.extracts, id), 'its file is not made');
    for (const { id } of left.packages) note(dueOf(this.#ledger.packages, id), 'it is not made');
    for (const { id } of left.zips) note(dueOf(this.#ledger.zips, id), 'it is not ready');
  }

  /** When all is quiet, each extract that was due has one file, made once, which is sent whole. */
  async extracts(url: string): Promise<void> {
    const signal = AbortSignal.timeout(READ_WITHIN_MS);
    for (const extract of this.#ledger.extracts) {
      const { uuid, token } = extract;
      const find = this.#ledger.find.bind(this.#ledger);
      const [made] = await this.#stage.sql<{ count: number }>(
        `SELECT count(*)::int FROM audit_events WHERE action = 'extract-made' AND details->>'extractId' = $1`,
        [uuid],
      );
      const client = new InboxClient(url, token, signal);
      const { files } = await client.extract(uuid);
      if (files.length === 0) find('lost', extract, 'its file is missing');
      if (files.length > 1 || (made?.count ?? 0) > 1)
        find('twice', extract, `${files.length} files, made ${made?.count} times`);
      if (made?.count !== files.length)
        find('half', extract, `${files.length} files, of which the audit log has ${made?.count}`);
      for (const { id, size } of files) {
        try {
          const content = await client.extractFile(uuid, id);
          if (content.length !== size) find('half', extract, `its file has ${content.length} of ${size} bytes`);
        } catch (error) {
          find('lost', extract, `its file cannot be read: ${(error as Error).message}`);
        }
      }
    }
  }

  /** When all is quiet, each access package is made, once, with an audit row for each message in it, and is sent whole. */
  async packages(url: string): Promise<void> {
    const signal = AbortSignal.timeout(READ_WITHIN_MS);
    for (const asked of this.#ledger.packages) {
      const { uuid, token } = asked;
      const find = this.#ledger.find.bind(this.#ledger);
      const [rows] = await this.#stage.sql<{ made: number; read: number; messages: number }>(
        `SELECT count(*) FILTER (WHERE action = 'package-made')::int AS made,
           count(*) FILTER (WHERE action = 'read-package')::int AS read,
           (SELECT count(*)::int FROM access_package_messages WHERE package_id = $1::uuid) AS messages
         FROM audit_events WHERE details->>'packageId' = $1::text`,
        [uuid],
      );
      const client = new InboxClient(url, token, signal);
      try {
        const { status, size, messageCount } = await client.accessPackage(uuid);
        const content = await client.accessPackageContent(uuid);
        const folders = new Set(
          [...unzip(content).keys()].filter((name) => name.includes('/')).map((name) => name.slice(0, 4)),
        );
        if ((rows?.made ?? 0) > 1) find('twice', asked, `made ${rows?.made} times`);
        const counts = [rows?.read, rows?.messages, folders.size].filter((count) => count !== messageCount);
        if (status !== 'made' || content.length !== size || rows?.made === 0 || counts.length > 0)
          find('half', asked, `${status}, ${content.length} of ${size} bytes, ${messageCount} messages, ${counts}`);
      } catch (error) {
        find('lost', asked, `cannot be read: ${(error as Error).message}`);
      }
    }
  }

  /** When all is quiet, each zip is ready and is sent whole, and the log has that each message in it was read, once. */
  async zips(url: string): Promise<void> {
    const signal = AbortSignal.timeout(READ_WITHIN_MS);
    for (const asked of this.#ledger.zips) {
      const { uuid, token } = asked;
      const find = this.#ledger.find.bind(this.#ledger);
      const client = new InboxClient(url, token, signal);
      try {
        const { status, zipSize, messageCount } = await client.zipDownload(uuid);
        const content = await client.zipDownloadContent(uuid);
        const folders = new Set([...unzip(content).keys()].map((name) => name.split('/')[0]));
        const [read] = await this.#stage.sql<{ count: number }>(
          `SELECT count(*)::int FROM audit_events WHERE action = 'read-zip' AND details->>'zipId' = $1`,
          [uuid],
        );
        const counts = [read?.count, folders.size].filter((count) => count !== messageCount);
        if (status !== 'ready' || content.length !== zipSize || counts.length > 0)
          find('half', asked, `${status}, ${content.length} of ${zipSize} bytes, ${messageCount} messages, ${counts}`);
      } catch (error) {
        find('lost', asked, `cannot be read: ${(error as Error).message}`);
      }
    }
  }

  /**
   * When all is quiet, no file of a document is left at the far end, and its sender was told what became of it: by receipts that are
   * sent again perhaps, but with one decision each.
   */
  async documents(): Promise<void> {
    const left = new Set(await this.#stage.farEnd.files());
    const told = this.#stage.farEnd.receipts();
    for (const document of this.#ledger.sent.filter(({ over, receipts }) => over === 'sf2900' && receipts.size > 0)) {
      if (left.has(document.fileName ?? '')) this.#ledger.find('stuck', document, 'its file is left at the far end');
      const code = { journalized: 'ACCEPTERET', rejected: 'AFVIST', deleted: 'AFVIST' }[document.status as string];
      const ofIt = told.filter(({ transactionId }) => document.uuid.startsWith(transactionId));
      if (code && !ofIt.some((receipt) => receipt.code === code))
        this.#ledger.find('stuck', document, `its sender was not told that it is ${document.status}`);
      for (const each of ['ACCEPTERET', 'AFVIST']) {
        const decisions = new Set(ofIt.filter((receipt) => receipt.code === each).map(({ callId }) => callId));
        if (decisions.size > 1)
          this.#ledger.find('twice', document, `its sender was told ${each} for ${decisions.size} decisions`);
      }
    }
  }

  /**
   * When all is quiet, each message that was asked to be sent on is sent on, once: a whole file at the far end, and one call for it,
   * however often it was made. Nothing else is there.
   */
  async sentOn(kill: Kill, run: number): Promise<void> {
    const { farEnd } = this.#stage;
    const rows = await this.#stage.sql<SentOnRow>(
      'SELECT o.id, m.external_id, o.status FROM onward_distributions o JOIN messages m ON m.id = o.message_id',
    );
    const files = new Set(await farEnd.filesSentOn());
    const objects = grouped(farEnd.objects(), ({ transactionId }) => transactionId);
    const byUuid = grouped(rows, ({ external_id }) => external_id);
    for (const memo of this.#ledger.sent) {
      const [row, ...others] = byUuid.get(memo.uuid) ?? [];
      if (!row && memo.sentOn === 'answered') this.#ledger.find('lost', memo, 'it is not sent on, as the answer said');
      if (row && memo.sentOn === undefined) this.#ledger.find('lost', memo, 'it is sent on, and nobody asked for it');
      if (others.length > 0) this.#ledger.find('twice', memo, `it is sent on ${others.length + 1} times`);
      if (!row) continue;
      const told = objects.get(row.id) ?? [];
      objects.delete(row.id);
      await this.#compareSentOn(memo, row, told, files);
      for (const { fileName } of told) files.delete(fileName);
    }
    for (const id of objects.keys()) this.#ledger.find('lost', { uuid: id, kill, run }, 'nobody asked to send it on');
    for (const name of files)
      this.#ledger.find('half', { uuid: name, kill, run }, 'the far end has it, and no call for it');
  }

  async #compareSentOn(
    memo: SentMemo,
    { status }: SentOnRow,
    [told, ...others]: readonly ToldObject[],
    files: ReadonlySet<string>,
  ): Promise<void> {
    const find = this.#ledger.find.bind(this.#ledger);
    if (!told) return find('lost', memo, `it is ${status}, and the far end was not told of it`);
    if (others.length > 0) find('twice', memo, `the far end was told of it in ${others.length + 1} ways`);
    const answered = told.code === 'MODTAGET' ? 'sent' : 'rejected';
    if (status !== answered) find('lost', memo, `it is ${status}, and the far end answered ${told.code}`);
    if (!files.has(told.fileName)) return find('lost', memo, 'its file is not at the far end');
    try {
      const content = await this.#stage.farEnd.fileSentOn(told.fileName);
      const inside = told.fileName.endsWith('.zip') ? [...unzip(content).values()] : [content];
      if (inside.map(sha256).sort().join() !== [...memo.files].sort().join())
        find('half', memo, 'its file at the far end is not what was sent');
    } catch (error) {
      find('half', memo, `its file at the far end cannot be read: ${(error as Error).message}`);
    }
  }

  /** Checks suggestions when all is quiet. A message that left the inbox before its suggestion run may have none. */
  async suggestions(): Promise<void> {
    const rows = await this.#rows(this.#ledger.sent);
    for (const memo of this.#ledger.sent) {
      const row = rows.get(memo.uuid)?.[0];
      if (row?.status !== 'pending' || row.suggestion_run_at === null || memo.caseId === undefined) continue;
      if (row.suggested_case_id === memo.caseId) continue;
      this.#ledger.find('stuck', memo, `case ${row.suggested_case_id} is suggested instead of ${memo.caseId}`);
    }
  }

  /** Compares the content store with the rows, after a sweep of orphans. */
  async content(kill: Kill, run: number): Promise<void> {
    const rows = await this.#stage.sql<{ blob_name: string }>(
      `SELECT blob_name FROM messages WHERE blob_name IS NOT NULL
       UNION ALL SELECT blob_name FROM extract_files WHERE blob_name IS NOT NULL
       UNION ALL SELECT blob_name FROM access_packages WHERE blob_name IS NOT NULL
       UNION ALL SELECT blob_name FROM zip_downloads WHERE blob_name IS NOT NULL
       UNION ALL SELECT blob_name FROM quarantine_entries WHERE blob_name IS NOT NULL`,
    );
    const named = new Set(rows.map(({ blob_name }) => blob_name));
    for (const { name, finished } of await this.#blobs()) {
      if (finished && named.has(name)) continue;
      const memo = this.#ledger.sent.find(({ blobName }) => blobName === name);
      const isBack = memo?.status === 'deleted';
      this.#ledger.find(
        isBack ? 'back' : 'half',
        memo ?? { uuid: name, kill, run },
        `${name} belongs to no message, extract, package, zip or entry in quarantine`,
      );
    }
  }

  /** What could not be read has one entry, with the bytes that were sent, if it was answered so; and none once it was removed. */
  async quarantine(run: number, url: string): Promise<void> {
    const find = this.#ledger.find.bind(this.#ledger);
    for (const unreadable of this.#ledger.unreadable.filter((each) => each.run === run)) {
      const { uuid, body, sent, refused, removal } = unreadable;
      const [entry, ...others] = await this.#stage.sql<{ id: string; count: number }>(
        'SELECT id, count FROM quarantine_entries WHERE message_uuid = $1',
        [uuid],
      );
      if (others.length > 0) find('twice', unreadable, `has ${others.length + 1} entries in quarantine`);
      if (entry && removal === 'done') find('back', unreadable, 'is removed from quarantine, but there');
      if (!entry && removal === 'none' && refused > 0)
        find('lost', unreadable, 'was refused, but is not in quarantine');
      if (!entry) continue;
      if (entry.count < refused || entry.count > sent)
        find('twice', unreadable, `was sent ${sent} times and counted ${entry.count} times`);
      const content = await asOperator(this.#stage, url, 'GET', `/${entry.id}/content`);
      if (!Buffer.from(await content.arrayBuffer()).equals(body))
        find('half', unreadable, 'has other bytes in quarantine');
    }
  }

  /** With a scanner, when all is quiet, every file is found clean. */
  async scans(kill: Kill, run: number): Promise<void> {
    if (this.#stage.env.CLAMD_URL === undefined) return;
    const rows = await this.#stage.sql<{ external_id: string; scan: string | null }>(
      `SELECT DISTINCT m.external_id, f.scan FROM files f JOIN messages m ON m.id = f.message_id
       WHERE f.status = 'stored' AND f.scan IS DISTINCT FROM 'clean'`,
    );
    for (const { external_id: uuid, scan } of rows)
      this.#ledger.find('half', { uuid, kill, run }, `a file of it is ${scan ?? 'not to be scanned'}`);
  }

  /** Verifies the audit log, after its old months were dropped. */
  async auditLog(kill: Kill, run: number): Promise<void> {
    for (const fault of await this.#stage.verifyAuditLog())
      this.#ledger.find('lost', { uuid: 'audit log', kill, run }, fault);
    const [old] = await this.#stage.sql<{ month: string }>('SELECT audit_months_before(13) AS month');
    if (old) this.#ledger.find('stuck', { uuid: 'audit log', kill, run }, `${old.month} is not dropped`);
  }

  #compareUuid(first: SentMemo, sameUuid: readonly SentMemo[], rows: readonly Row[]): void {
    const find = this.#ledger.find.bind(this.#ledger);
    const isDeleted = sameUuid.some(({ status }) => status === 'deleted');
    if (rows.length > sameUuid.length) find(isDeleted ? 'back' : 'twice', first, `${rows.length} rows`);
    if (new Set(rows.map(({ fingerprint }) => fingerprint)).size < rows.length) find('twice', first, 'two equal rows');

    for (const memo of sameUuid) {
      if (memo.over === 'sf2900') {
        this.#compareDocument(memo, rows);
        continue;
      }
      for (const receipt of memo.receipts) {
        const { transmissionId, timeStamp } = JSON.parse(receipt) as { transmissionId: string; timeStamp: string };
        const row = rows.find((candidate) => candidate.transmission_id === transmissionId);
        if (!row) find('lost', memo, `the message of receipt ${transmissionId} is missing`);
        else if (row.received_at.toISOString() !== timeStamp) find('lost', memo, 'the receipt has another time');
        else if (sameUuid.length === 1) this.#compareStatus(memo, row);
      }
    }
    for (const row of rows) {
      const missing = [
        ...(row.status === 'deleted' ? this.#leftOf(row) : this.#missingOf(row, first)),
        ...this.#wrongIn(row, first),
      ];
      if (missing.length > 0) find('half', first, `${row.status}, with the wrong ${missing.join(', ')}`);
    }
  }

  #compareStatus(memo: SentMemo, row: Row): void {
    if (memo.asked !== undefined || memo.busy || row.status === memo.status) return;
    const verdict = memo.status === 'deleted' ? 'back' : 'lost';
    this.#ledger.find(verdict, memo, `is ${row.status}, but the answer said ${memo.status}`);
  }

  /** Its receipt names no message. */
  #compareDocument(memo: SentMemo, [row]: readonly Row[]): void {
    if (memo.receipts.size === 0) return;
    if (row) this.#compareStatus(memo, row);
    else this.#ledger.find('lost', memo, 'it was accepted, and is missing');
  }

  /** Parts that a stored message lacks; of a document, without those that come with its file. */
  #missingOf(row: Row, { over }: SentMemo): string[] {
    const isFileAwaited = over === 'sf2900' && row.files === 0;
    const ofContent = isFileAwaited
      ? { content: row.blob_name !== null || row.contents + row.keys > 0 }
      : {
          files: row.files !== row.file_count,
          key: row.keys !== 1,
          content: row.blob_name === null ? row.contents !== 1 : row.contents !== 0 || !this.#stored.has(row.blob_name),
        };
    const wrong = {
      ...ofContent,
      details: row.details !== 1,
      words: row.words !== 1,
      documents: row.documents !== row.document_count,
      journalizations: row.journalizations > 0 !== (row.status === 'journalized'),
    };
    return namesOf(wrong);
  }

  /** Whatever the status: each change has its event and audit row, and all is of one municipality. */
  #wrongIn(row: Row, { municipality }: SentMemo): string[] {
    return namesOf({
      events: row.events !== row.version,
      audit: row.audited !== row.version,
      municipality: row.municipality !== municipality || row.strange > 0,
      place: row.misplaced > 0,
    });
  }

  /** Parts left of a deleted message. */
  #leftOf(row: Row): string[] {
    const { details, words, parties, keys, contents, documents, files, refs, journalizations } = row;
    const counts = Object.entries({ details, words, parties, keys, contents, documents, files, refs, journalizations });
    return namesOf({
      ...Object.fromEntries(counts.map(([name, left]) => [name, left !== 0])),
      content: row.blob_name !== null,
    });
  }

  async #blobs(): Promise<BlobEntry[]> {
    const entries: BlobEntry[] = [];
    for await (const entry of this.#stage.blobs.list()) entries.push(entry);
    return entries;
  }

  async #rows(memos: readonly SentMemo[]): Promise<Map<string, Row[]>> {
    const found = await this.#stage.sql<Row>(ROWS, [[...new Set(memos.map(({ uuid }) => uuid))]]);
    return grouped(found, ({ external_id }) => external_id);
  }
}

function grouped<T>(items: readonly T[], by: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(by(item), [...(groups.get(by(item)) ?? []), item]);
  return groups;
}

function namesOf(flags: Record<string, boolean>): string[] {
  return Object.entries(flags).flatMap(([name, isSo]) => (isSo ? [name] : []));
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Runs `work` on every item, at most `limit` at a time. */
export async function concurrently<T>(
  limit: number,
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  const waiting = [...items];
  const worker = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
}
