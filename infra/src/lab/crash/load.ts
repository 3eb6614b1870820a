import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { deliver } from '../../testkit/deliver.js';
import { InboxClient, InboxError } from '../../testkit/inbox-client.js';
import { unzip } from '../../testkit/unzip.js';
import type { Random } from '../random.js';
import type { Kill, Work } from './kills.js';
import { roadTo } from './kills.js';
import type { Ledger, Letter } from './ledger.js';
import type { Stage } from './stage.js';
import { KNOWN, writeMemos } from './write-memos.js';

const ANSWER_WITHIN_MS = 30_000;
const SENDERS = 4;
const CASEWORKERS = 2;
// A kill that does not come must not let the load grow without end.
const MAX_MEMOS_EACH = 15;
// Among the latest, so that choosing stays cheap.
const ON_THE_DESK = 400;

/** Sends a letter and notes its receipt, if one comes. Gives the HTTP status; 0 = no answer came, or not whole. */
export async function send(url: string, letter: Letter, ledger: Ledger): Promise<number> {
  letter.sent += 1;
  try {
    const response = await deliver(url, letter.xml, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    const body = await response.text();
    if (response.status === 200) {
      letter.receipts.add(body);
      if (letter.receipts.size > 1) ledger.find('twice', letter, `got ${letter.receipts.size} different receipts`);
    } else if (response.status !== 503) ledger.find('lost', letter, `was answered ${response.status}: ${body}`);
    return response.status;
  } catch {
    return 0;
  }
}

/** Senders and caseworkers at once, until `stop`. */
export class Load {
  readonly #stage: Stage;
  readonly #ledger: Ledger;
  readonly #url: string;
  readonly #client: InboxClient;
  readonly #stopping = new AbortController();
  readonly #done: Promise<unknown>;

  constructor(
    stage: Stage,
    ledger: Ledger,
    url: string,
    { random, run, kill }: { random: Random; run: number; kill: Kill },
  ) {
    this.#stage = stage;
    this.#ledger = ledger;
    this.#url = url;
    this.#client = new InboxClient(url, stage.token, AbortSignal.timeout(ANSWER_WITHIN_MS));
    this.#done = Promise.all([
      ...Array.from({ length: SENDERS }, (_, index) => this.#sendMemos(random.fork(`sender ${index}`), run, kill)),
      ...Array.from({ length: CASEWORKERS }, (_, index) => this.#work(random.fork(`caseworker ${index}`), kill)),
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
    for (let sent = 0; sent < MAX_MEMOS_EACH && !this.#stopped; sent++) {
      if (random.chance(0.1)) await this.#sendAgain(random);
      const letters = writeMemos(random, run, kill);
      this.#ledger.add(letters);
      const copies = random.chance(0.25) ? random.between(2, 4) : 1;
      const statuses = await Promise.all(
        letters.flatMap((letter) => Array.from({ length: copies }, () => send(this.#url, letter, this.#ledger))),
      );
      // Away: whoever comes after must not be drawn into it too fast.
      if (statuses.includes(0) || statuses.includes(503)) await pause(20);
    }
  }

  /** What was answered long ago gets its receipt again, deleted or not. */
  async #sendAgain(random: Random): Promise<void> {
    const answered = this.#latest().filter(({ receipts }) => receipts.size > 0);
    const deleted = answered.filter(({ status }) => status === 'deleted');
    const from = deleted.length > 0 && random.chance(0.5) ? deleted : answered;
    if (from.length > 0) await send(this.#url, random.pick(from), this.#ledger);
  }

  async #work(random: Random, kill: Kill): Promise<void> {
    const wanted = roadTo(kill).work;
    while (!this.#stopped) {
      const work =
        wanted && random.chance(0.8)
          ? wanted
          : random.pick<Work>(['journalize', 'journalize', 'zip', 'reject', 'delete']);
      const letter = this.#onDesk(work, random);
      if (!letter) {
        await pause(5);
        continue;
      }
      letter.busy = true;
      try {
        await this.#do(work, letter);
      } catch (error) {
        // An answer that is a refusal says that nothing was done; what is away may have done it.
        if (error instanceof InboxError && error.status < 500) letter.asked = undefined;
        else await pause(20);
      } finally {
        letter.busy = false;
      }
    }
  }

  async #do(work: Work, letter: Letter): Promise<void> {
    const id = await this.#idOf(letter);
    if (id === undefined) return;
    if (work === 'zip') return this.#zip(id, letter);
    let seen = await this.#client.read(id);
    if (work === 'journalize') {
      letter.asked = 'journalize';
      await this.#client.journalize(seen, { caseIds: [KNOWN.caseId] });
      letter.status = 'journalized';
    }
    if (work === 'reject' || (work === 'delete' && letter.status === 'pending')) {
      letter.asked = 'reject';
      await this.#client.reject(seen, { reason: 'unwanted', explanation: 'Reklame' });
      letter.status = 'rejected';
      letter.asked = undefined;
      if (work === 'delete') seen = await this.#client.read(id);
    }
    if (work === 'delete') {
      letter.asked = 'delete';
      await this.#client.deleteForGood(seen);
      letter.status = 'deleted';
    }
    letter.asked = undefined;
  }

  async #zip(id: string, letter: Letter): Promise<void> {
    const zip = await this.#client.zip(id); // fails when it ends early
    const inside = [...unzip(zip).values()].map((content) => createHash('sha256').update(content).digest('hex'));
    const missing = letter.files.filter((file) => !inside.includes(file));
    if (missing.length > 0) this.#ledger.find('lost', letter, `${missing.length} files are not in its zip`);
  }

  async #idOf(letter: Letter): Promise<string | undefined> {
    if (letter.id === undefined) {
      const [row] = await this.#stage.sql<{ id: string; blob_name: string | null }>(
        'SELECT id, blob_name FROM messages WHERE external_id = $1',
        [letter.uuid],
      );
      letter.id = row?.id;
      letter.blobName = row?.blob_name;
    }
    return letter.id;
  }

  #latest(): Letter[] {
    return this.#ledger.letters.slice(-ON_THE_DESK);
  }

  #onDesk(work: Work, random: Random): Letter | undefined {
    const fits = (letter: Letter) =>
      letter.receipts.size === 1 &&
      !letter.busy &&
      letter.asked === undefined &&
      this.#ledger.groups.get(letter.uuid)?.length === 1 &&
      (letter.status === 'pending' || (work === 'delete' && letter.status === 'rejected'));
    const fitting = this.#latest().filter(fits);
    return fitting.length > 0 ? random.pick(fitting) : undefined;
  }
}
