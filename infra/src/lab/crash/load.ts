import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { ChangeAnswer } from '@indbakke/shared/api';
import { distribute } from '../../local/distribution/write-distribution.js';
import { checkedFetch } from '../../testkit/checked-fetch.js';
import { deliver, deliverOverSoap } from '../../testkit/deliver.js';
import { InboxClient, InboxError, type Seen } from '../../testkit/inbox-client.js';
import { unzip } from '../../testkit/unzip.js';
import type { Random } from '../random.js';
import { RECIPIENTS } from './far-end.js';
import { isOfDocuments, type Kill, sendsUnreadable, type Work, workBefore } from './kills.js';
import type { AskedChange, Ledger, SentMemo } from './ledger.js';
import type { Stage } from './stage.js';
import { sendUnreadable } from './unreadable.js';
import { REGISTERED, writeDocument, writeMemos } from './write-memos.js';

const ANSWER_WITHIN_MS = 30_000;
const SENDERS = 4;
const CASEWORKERS = 2;
// More, so that one of them is likely to be waiting for COMMIT when PostgreSQL falls silent.
const CASEWORKERS_IN_SILENCE = 8;
const SENDERS_OF_UNREADABLE = 2;
/** How much later than its document a file may come. */
const LATE_MS = 1_000;
const BULK_OF = 8;
/** What is done to rejected messages; one that waits is rejected before. */
const AFTER_REJECTION: ReadonlySet<Work> = new Set(['send-on', 'delete']);
// Caseworkers choose among the latest, so that choosing stays cheap.
const LATEST = 400;

/** Sends a MeMo and records its receipt. @returns the HTTP status; 0 = no whole answer */
export async function send(url: string, memo: SentMemo, ledger: Ledger): Promise<number> {
  memo.sent += 1;
  try {
    const { ok, status, body } = await answerTo(url, memo);
    if (ok) {
      memo.receipts.add(body);
      if (memo.receipts.size > 1) ledger.find('twice', memo, `got ${memo.receipts.size} different receipts`);
    } else if (status !== 503) ledger.find('lost', memo, `was answered ${status}: ${body}`);
    return status;
  } catch {
    return 0;
  }
}

/** @returns the receipt; of a document, that it is accepted. 503 = it is to be sent again */
async function answerTo(url: string, { over, xml }: SentMemo): Promise<{ ok: boolean; status: number; body: string }> {
  const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
  if (over !== 'sf2900') {
    const response = await (over === 'soap' ? deliverOverSoap : deliver)(url, xml, { signal });
    return { ok: response.status === 200, status: response.status, body: await response.text() };
  }
  const response = await distribute(url, xml, { signal });
  const body = await response.text();
  if (body.includes('>ACCEPTERET<')) return { ok: true, status: 200, body: 'ACCEPTERET' };
  return { ok: false, status: body.includes('TransportKvittering') ? 503 : response.status, body };
}

/** A caseworker’s client of each municipality, usable for so long. */
export function clientsOf(
  stage: Stage,
  url: string,
  forMs: number,
  ask: typeof checkedFetch = checkedFetch,
): ReadonlyMap<string, InboxClient> {
  const signal = AbortSignal.timeout(forMs);
  return new Map(
    [...stage.tokens].map(([municipality, token]) => [municipality, new InboxClient(url, token, signal, ask)]),
  );
}

/** What a load is like, and who is told how it goes. */
export interface LoadStyle {
  /** The most that a sender sends. */
  readonly memosEach: number;
  /** Between two of a sender or caseworker. */
  readonly restMs: number;
  readonly works: readonly Work[];
  /** Share of the MeMos that come over SOAP. */
  readonly overSoap: number;
  /** Share of documents from Fordelingskomponenten. */
  readonly documents: number;
  /** In which callers are answered. */
  readonly lastsMs: number;
  readonly ask: typeof checkedFetch;
  readonly onDelivery: (status: number, tookMs: number) => void;
  /** Of a caseworker’s call. */
  readonly onError: (error: unknown) => void;
}

/** Before a kill: as much as possible. */
const BEFORE_KILL: LoadStyle = {
  memosEach: 15, // bounds the load when the kill does not come
  restMs: 0,
  works: ['journalize', 'journalize', 'bulk', 'zip', 'reject', 'send-on', 'delete'],
  overSoap: 0,
  documents: 0.1,
  lastsMs: ANSWER_WITHIN_MS,
  ask: checkedFetch,
  onDelivery() {},
  onError() {},
};

type Call = (client: InboxClient, seen: Seen, key: string) => Promise<ChangeAnswer>;

/** Notes the status of the messages that were changed, and which are sent on. */
export function noteDone({ items, asked }: Pick<AskedChange, 'items' | 'asked'>, done: readonly ChangeAnswer[]): void {
  for (const { id, status } of done) {
    const item = items.find((candidate) => candidate.id === id);
    if (item) item.memo.status = status;
    if (item && asked === 'send-on') item.memo.sentOn = 'answered';
  }
}

/** Any error but this one means that nothing was done; without an answer it may have been done. */
function isRefusal(error: unknown): boolean {
  return error instanceof InboxError && error.code !== 'unknown-outcome';
}

/** Concurrent senders and caseworkers, until `stop`. */
export class Load {
  readonly #stage: Stage;
  readonly #ledger: Ledger;
  readonly #url: string;
  readonly #clients: ReadonlyMap<string, InboxClient>;
  readonly #style: LoadStyle;
  readonly #stopping = new AbortController();
  readonly #done: Promise<unknown>;

  constructor(
    stage: Stage,
    ledger: Ledger,
    url: string,
    { random, run, kill }: { random: Random; run: number; kill: Kill },
    style: LoadStyle = BEFORE_KILL,
  ) {
    this.#stage = stage;
    this.#ledger = ledger;
    this.#url = url;
    this.#style = style;
    this.#clients = clientsOf(stage, url, style.lastsMs, style.ask);
    const caseworkers = kill === 'silent' ? CASEWORKERS_IN_SILENCE : CASEWORKERS;
    const { signal } = this.#stopping;
    const ofUnreadable = sendsUnreadable(kill) ? SENDERS_OF_UNREADABLE : 0;
    this.#done = Promise.all([
      ...Array.from({ length: ofUnreadable }, (_, index) =>
        sendUnreadable(stage, ledger, url, { random: random.fork(`unreadable ${index}`), run, kill, signal }),
      ),
      ...Array.from({ length: SENDERS }, (_, index) => this.#sendMemos(random.fork(`sender ${index}`), run, kill)),
      ...Array.from({ length: caseworkers }, (_, index) => this.#work(random.fork(`caseworker ${index}`), run, kill)),
    ]);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#done;
  }

  get #stopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #sendMemos(random: Random, run: number, kill: Kill): Promise<void> {
    const { memosEach, restMs, overSoap, documents } = this.#style;
    for (let sent = 0; sent < memosEach && !this.#stopped; sent++) {
      if (restMs > 0) await pause(random.between(0, 2 * restMs));
      if (random.chance(0.1)) await this.#sendAgain(random);
      const memos = random.chance(isOfDocuments(kill) ? 0.5 : documents)
        ? [await this.#prepareDocument(random, run, kill)]
        : writeMemos(random, run, kill).map((memo) => ({
            ...memo,
            over: random.chance(overSoap) ? 'soap' : memo.over,
          }));
      this.#ledger.add(memos);
      const copies = random.chance(0.25) ? random.between(2, 4) : 1;
      const statuses = await Promise.all(
        memos.flatMap((memo) => Array.from({ length: copies }, () => this.#send(memo))),
      );
      // Not available: wait, or all MeMos would be sent in vain.
      if (statuses.includes(0) || statuses.includes(503)) await pause(20);
    }
  }

  /** Its file is usually there before it, and sometimes comes a little later. */
  async #prepareDocument(random: Random, run: number, kill: Kill): Promise<SentMemo> {
    const { document, content } = writeDocument(random, run, kill);
    const put = () => this.#stage.farEnd.put(document.fileName as string, content);
    if (random.chance(0.8)) await put();
    else void pause(random.between(0, LATE_MS)).then(put);
    return document;
  }

  async #send(memo: SentMemo): Promise<number> {
    const began = performance.now();
    const status = await send(this.#url, memo, this.#ledger);
    this.#style.onDelivery(status, performance.now() - began);
    return status;
  }

  /** Sends an answered MeMo again, deleted or not: it must get its receipt. */
  async #sendAgain(random: Random): Promise<void> {
    const answered = this.#latest().filter(({ receipts }) => receipts.size > 0);
    const deleted = answered.filter(({ status }) => status === 'deleted');
    const from = deleted.length > 0 && random.chance(0.5) ? deleted : answered;
    if (from.length > 0) await this.#send(random.pick(from));
  }

  async #work(random: Random, run: number, kill: Kill): Promise<void> {
    const wanted = workBefore(kill).work;
    while (!this.#stopped) {
      const work = wanted && random.chance(0.8) ? wanted : random.pick(this.#style.works);
      const memos = this.#choose(work, random);
      if (memos.length === 0) {
        await pause(5);
        continue;
      }
      for (const memo of memos) memo.busy = true;
      try {
        await pause(this.#style.restMs);
        await this.#do(work, memos, random, run);
      } catch (error) {
        this.#style.onError(error);
        if (!(error instanceof InboxError) || error.status >= 500) await pause(20);
      } finally {
        for (const memo of memos) memo.busy = false;
      }
    }
  }

  async #do(work: Work, memos: readonly SentMemo[], random: Random, run: number): Promise<void> {
    const [memo] = memos;
    const client = memo && this.#clients.get(memo.municipality);
    const id = memo && (await this.#idOf(memo));
    if (id === undefined || !client) return;
    if (work === 'bulk') return this.#journalizeAll(client, memos, random.uuid(), run);
    if (work === 'zip') return this.#zip(client, id, memo);
    const change = async (asked: NonNullable<SentMemo['asked']>, call: Call) => {
      const [seen, key] = [await client.read(id), random.uuid()];
      const items = [{ memo, id, version: seen.version }];
      await this.#ask(client, { run, items, asked, ask: async (asker) => [await call(asker, seen, key)] });
    };
    if (work === 'journalize') {
      const body = { caseIds: [REGISTERED.caseId] };
      await change('journalize', (asker, seen, key) => asker.journalize(seen, body, key));
    }
    if (work === 'reject' || (AFTER_REJECTION.has(work) && memo.status === 'pending')) {
      const body = { reason: 'unwanted', explanation: 'Reklame' } as const;
      await change('reject', (asker, seen, key) => asker.reject(seen, body, key));
    }
    if (work === 'send-on' && memo.status === 'rejected') {
      const body = { recipient: random.pick(RECIPIENTS), kle: '27.24.00', facet: 'G01' };
      await change('send-on', (asker, seen, key) => asker.sendOn(seen, body, key));
    }
    if (work === 'delete') await this.#delete(client, id, memo, change);
  }

  /** Where two persons are needed, the second one confirms what the first one asks for now, or has before a kill. */
  async #delete(
    client: InboxClient,
    id: string,
    memo: SentMemo,
    change: (asked: 'delete', call: Call) => Promise<void>,
  ): Promise<void> {
    const { deletion } = await client.read(id);
    if (!deletion) await change('delete', (asker, seen, key) => asker.deleteForGood(seen, key));
    const second = this.#stage.secondTokens.get(memo.municipality) as string;
    if (memo.status === 'rejected') {
      await change('delete', (asker, seen, key) => asker.as(second).confirmDeletion(seen, key));
    }
  }

  async #journalizeAll(client: InboxClient, memos: readonly SentMemo[], key: string, run: number): Promise<void> {
    const items: AskedChange['items'][number][] = [];
    for (const memo of memos) {
      const id = await this.#idOf(memo);
      if (id === undefined) continue;
      const { version } = await client.read(id);
      items.push({ memo, id, version });
    }
    const body = {
      action: 'journalize' as const,
      items: items.map(({ id, version }) => ({ id, version, caseIds: [REGISTERED.caseId] })),
    };
    const ask = async (asker: InboxClient) => {
      const answer = await asker.bulk(body, key);
      const isOpen = answer.items.some(({ problem }) => problem?.code === 'unknown-outcome');
      if (isOpen) throw new InboxError(503, 'unknown-outcome', 'Of some items it is unknown whether they were done.');
      return answer.items.flatMap(({ done }) => done ?? []);
    };
    await this.#ask(client, { run, items, asked: 'journalize', ask });
  }

  /** Asks for a change, and notes what the answer says. */
  async #ask(client: InboxClient, change: Omit<AskedChange, 'answer'>): Promise<void> {
    const noted: AskedChange = { ...change, answer: undefined };
    const isSendingOn = change.asked === 'send-on';
    this.#ledger.changes.add(noted);
    for (const { memo } of change.items) {
      memo.asked = change.asked;
      if (isSendingOn) memo.sentOn = 'asked';
    }
    try {
      noted.answer = await change.ask(client);
      noteDone(noted, noted.answer);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      this.#ledger.changes.delete(noted);
      if (isSendingOn) for (const { memo } of change.items) memo.sentOn = undefined;
    }
    for (const { memo } of change.items) memo.asked = undefined;
  }

  async #zip(client: InboxClient, id: string, memo: SentMemo): Promise<void> {
    const { documents } = await client.read(id);
    if (documents.some(({ files }) => files.some(({ status }) => status === 'expected'))) return;
    const zip = await client.zip(id); // throws when it ends early
    const inside = [...unzip(zip).values()].map((content) => createHash('sha256').update(content).digest('hex'));
    const missing = memo.files.filter((file) => !inside.includes(file));
    if (missing.length > 0) this.#ledger.find('lost', memo, `${missing.length} files are not in its zip`);
  }

  async #idOf(memo: SentMemo): Promise<string | undefined> {
    if (memo.id === undefined) {
      const [row] = await this.#stage.sql<{ id: string; blob_name: string | null }>(
        'SELECT id, blob_name FROM messages WHERE external_id = $1',
        [memo.uuid],
      );
      memo.id = row?.id;
      memo.blobName = row?.blob_name;
    }
    return memo.id;
  }

  #latest(): SentMemo[] {
    return this.#ledger.sent.slice(-LATEST);
  }

  /** Messages of one municipality: one, or for a bulk several. */
  #choose(work: Work, random: Random): readonly SentMemo[] {
    const isCandidate = (memo: SentMemo) =>
      memo.receipts.size === 1 &&
      !memo.busy &&
      memo.asked === undefined &&
      this.#ledger.byUuid.get(memo.uuid)?.length === 1 &&
      (memo.status === 'pending' || (AFTER_REJECTION.has(work) && memo.status === 'rejected')) &&
      (work !== 'send-on' || memo.sentOn === undefined);
    const candidates = this.#latest().filter(isCandidate);
    if (candidates.length === 0) return [];
    const first = random.pick(candidates);
    if (work !== 'bulk') return [first];
    const others = candidates.filter((memo) => memo !== first && memo.municipality === first.municipality);
    return [first, ...others.slice(-BULK_OF + 1)];
  }
}
