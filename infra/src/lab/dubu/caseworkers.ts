import { createHash } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import type { ChangeAnswer, DocumentAnswer } from '@indbakke/shared/api';
import { checkedFetch } from '../../testkit/checked-fetch.js';
import { InboxClient, InboxError } from '../../testkit/inbox-client.js';
import { unzip } from '../../testkit/unzip.js';
import type { Random } from '../random.js';

/** What the core calls Indbakke with for two caseworkers of a municipality: one who handles letters, and one who confirms deletions. */
export interface Desk {
  readonly token: string;
  readonly secondToken: string;
  /** Cases to journalize on. */
  readonly cases: readonly string[];
}

export interface CaseworkersPlan {
  readonly url: string;
  readonly desks: readonly Desk[];
  readonly caseworkers: number;
  /** Between two calls of a caseworker, on average. */
  readonly thinkMs: number;
  readonly random: Random;
}

/** What a caseworker does, and how often in a thousand times. */
const DEEDS = {
  handle: 920,
  zip: 30,
  'zip of many': 15,
  excel: 15,
  'audit search': 10,
  'audit sheet': 5,
  'access package': 5,
} as const;
export type Deed = keyof typeof DEEDS;

const LISTED = 50;
const MANY = 5;
const REJECTED_SHARE = 0.25;
const ASSIGNED_SHARE = 0.3;
const DELETED_SHARE = 0.4;
const REOPENED_SHARE = 0.1;
const OPENED_SHARE = 0.7;
/** What a caseworker opens and zips here has at most so many bytes: the whole of it is kept in memory. */
const OPENED_BYTES = 5_000_000;
const ANSWERED_WITHIN_MS = 120_000;
const MADE_WITHIN_MS = 120_000;
const POLL_MS = 1_000;
/** A colleague has changed the letter meanwhile, or deleted it. */
const CHANGED_STATUSES: ReadonlySet<number> = new Set([404, 409, 412]);

/** A call that did nothing, which is no fault by itself. */
export interface Interruption {
  /** Unix time in ms. */
  readonly at: number;
  /** `colleague`: somebody was first; `away`: nobody answered, or not now (503). */
  readonly by: 'colleague' | 'away';
  readonly what: string;
}

/** Caseworkers of all municipalities, who think between their calls. */
export class Caseworkers {
  /** What they were told is done. */
  readonly answered: ChangeAnswer[] = [];
  readonly done = new Map<Deed, number>();
  /** Answers that no caseworker should get, in words. */
  readonly findings: string[] = [];
  readonly interruptions: Interruption[] = [];
  readonly #plan: CaseworkersPlan;
  readonly #stopping = new AbortController();
  readonly #clients: ReadonlyMap<Desk, InboxClient>;
  readonly #working: Promise<unknown>;

  constructor(plan: CaseworkersPlan) {
    this.#plan = plan;
    setMaxListeners(0, this.#stopping.signal); // each caseworker thinks until it is aborted
    const never = new AbortController().signal;
    this.#clients = new Map(plan.desks.map((desk) => [desk, new InboxClient(plan.url, desk.token, never, inTime)]));
    this.#working = Promise.all(
      Array.from({ length: plan.caseworkers }, (_, n) => this.#work(plan.random.fork(`caseworker ${n}`))),
    );
  }

  /** Resolves when each has finished what was begun. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#working;
  }

  async #work(random: Random): Promise<void> {
    for (await this.#think(random); !this.#stopping.signal.aborted; await this.#think(random)) {
      const deed = pickDeed(random);
      const desk = random.pick(this.#plan.desks);
      try {
        await this.#do(deed, desk, random);
        this.done.set(deed, (this.done.get(deed) ?? 0) + 1);
      } catch (error) {
        this.#note(deed, error);
      }
    }
  }

  #think(random: Random): Promise<unknown> {
    return pause(random.gap(this.#plan.thinkMs), undefined, { signal: this.#stopping.signal }).catch(() => {});
  }

  #do(deed: Deed, desk: Desk, random: Random): Promise<void> {
    const client = this.#clients.get(desk) as InboxClient;
    if (deed === 'handle') return this.#handle(desk, client, random);
    if (deed === 'zip') return this.#zip(client, random);
    if (deed === 'zip of many') return this.#zipMany(client, random);
    if (deed === 'access package') return this.#askForPackage(client, random);
    if (deed === 'excel') return this.#export(client);
    return this.#askAuditLog(deed, client, random);
  }

  /** Takes a letter from the list, reads it, and journalizes or rejects it. */
  async #handle(desk: Desk, client: InboxClient, random: Random): Promise<void> {
    const letter = await this.#pickLetter(client, random);
    if (!letter) return;
    await this.#open(client, letter, random);
    await this.#think(random);
    let { version } = letter;
    const change = async (call: Promise<ChangeAnswer>) => {
      const answer = await call;
      this.answered.push(answer);
      version = answer.version;
      return answer;
    };
    const seen = () => ({ id: letter.id, version });
    if (random.chance(ASSIGNED_SHARE)) {
      await change(client.assign(seen(), { assignee: { kind: 'user', id: 'caseworker-1' } }, random.uuid()));
      await this.#think(random);
    }
    if (!random.chance(REJECTED_SHARE)) {
      await change(client.journalize(seen(), { caseIds: [random.pick(desk.cases)] }, random.uuid()));
      return;
    }
    const why = { reason: 'unwanted', explanation: 'Reklame' } as const;
    await change(client.reject(seen(), why, random.uuid()));
    await this.#think(random);
    if (random.chance(REOPENED_SHARE)) {
      await change(client.reopen(seen(), random.uuid()));
      return;
    }
    if (!random.chance(DELETED_SHARE)) return;
    const { status } = await change(client.deleteForGood(seen(), random.uuid()));
    // Not deleted yet: the municipality wants a second person to confirm it.
    if (status === 'rejected') await change(client.as(desk.secondToken).confirmDeletion(seen(), random.uuid()));
  }

  async #pickLetter(client: InboxClient, random: Random): Promise<DocumentAnswer | undefined> {
    const { items } = await client.list({ status: 'pending', limit: LISTED });
    if (items.length === 0) return undefined;
    await this.#think(random);
    return client.read(random.pick(items).id);
  }

  /** Downloads a file. */
  async #open(client: InboxClient, letter: DocumentAnswer, random: Random): Promise<void> {
    const files = storedFilesOf(letter);
    if (files.length === 0 || !random.chance(OPENED_SHARE)) return;
    const { id: fileId, size, sha256 } = random.pick(files);
    if (size > OPENED_BYTES) return;
    const content = Buffer.from(await (await client.file(letter.id, fileId)).arrayBuffer());
    const found = createHash('sha256').update(content).digest('hex');
    if (found !== sha256) this.findings.push(`a file of message ${letter.id} is not the one that was stored`);
  }

  async #zip(client: InboxClient, random: Random): Promise<void> {
    const { items } = await client.list({ limit: LISTED });
    const small = items.filter(({ contentSize }) => contentSize <= OPENED_BYTES);
    if (small.length === 0) return;
    const { id } = random.pick(small);
    const stored = storedFilesOf(await client.read(id)).length; // others may be on their way
    const files = unzip(await client.zip(id));
    if (files.size < stored) this.findings.push(`the zip of message ${id} has ${files.size} of ${stored} files`);
  }

  async #zipMany(client: InboxClient, random: Random): Promise<void> {
    const { items } = await client.list({ limit: LISTED });
    const some = items.filter(({ contentSize }) => contentSize <= OPENED_BYTES).slice(0, random.between(1, MANY));
    if (some.length === 0) return;
    const zip = await client.createZipDownload({ items: some.map(({ id }) => id) });
    const { status } = await this.#until(
      () => client.zipDownload(zip),
      (answer) => answer.status === 'ready' || answer.status === 'failed',
    );
    if (status === 'ready') unzip(await client.zipDownloadContent(zip));
    else this.findings.push(`zip ${zip} is ${status} after ${MADE_WITHIN_MS / 1_000} s`);
    await client.deleteZipDownload(zip);
  }

  async #askForPackage(client: InboxClient, random: Random): Promise<void> {
    const citizen = await this.#pickCitizen(client, random);
    if (citizen === undefined) return;
    const id = await client.createAccessPackage({ citizen });
    const { status } = await this.#until(
      () => client.accessPackage(id),
      (answer) => answer.status !== 'waiting',
    );
    if (status === 'made') await client.accessPackageContent(id);
    else this.findings.push(`access package ${id} is ${status} after ${MADE_WITHIN_MS / 1_000} s`);
    await client.deleteAccessPackage(id);
  }

  async #export(client: InboxClient): Promise<void> {
    const file = await client.exportList({ status: ['journalized'] });
    if (file.subarray(0, 2).toString() !== 'PK') this.findings.push('an export is no Excel file');
  }

  async #askAuditLog(deed: 'audit search' | 'audit sheet', client: InboxClient, random: Random): Promise<void> {
    const citizen = await this.#pickCitizen(client, random);
    if (citizen === undefined) return;
    if (deed === 'audit search') await client.searchAuditLog({ citizen });
    else await client.auditSheet({ citizen });
  }

  /** The sender of one of the newest letters. */
  async #pickCitizen(client: InboxClient, random: Random): Promise<string | undefined> {
    const { items } = await client.list({ status: 'pending', limit: LISTED });
    const numbers = items.flatMap(({ sender }) => (/^\d{10}$/.test(sender.id) ? sender.id : []));
    return numbers.length > 0 ? random.pick(numbers) : undefined;
  }

  /** @returns the last answer, when it is good or the time is over */
  async #until<Answer>(ask: () => Promise<Answer>, isGood: (answer: Answer) => boolean): Promise<Answer> {
    const limit = performance.now() + MADE_WITHIN_MS;
    for (;;) {
      const answer = await ask();
      if (isGood(answer) || performance.now() > limit) return answer;
      await pause(POLL_MS);
    }
  }

  #note(deed: Deed, error: unknown): void {
    const interruption = readInterruption(error);
    if (interruption)
      this.interruptions.push({ at: Date.now(), ...interruption, what: `${deed}: ${interruption.what}` });
    else this.findings.push(`${deed}: ${error instanceof InboxError ? `${error.status} ${error.code}` : error}`);
  }
}

const storedFilesOf = ({ documents }: DocumentAnswer) =>
  documents.flatMap(({ files }) => files).filter(({ status }) => status === 'stored');

/** A call that a restart left without an answer ends too. */
const inTime: typeof checkedFetch = (url, init) =>
  checkedFetch(url, { ...init, signal: AbortSignal.timeout(ANSWERED_WITHIN_MS) });

/** @returns undefined when it is a fault */
function readInterruption(error: unknown): Omit<Interruption, 'at'> | undefined {
  if (error instanceof InboxError) {
    const what = `${error.status} ${error.code}`;
    if (error.status === 503) return { by: 'away', what };
    return CHANGED_STATUSES.has(error.status) ? { by: 'colleague', what } : undefined;
  }
  const { name, message, cause } = error as Error & { cause?: NodeJS.ErrnoException };
  // undici: the connection could not be made, or ended before the whole answer.
  const isCut = error instanceof TypeError && (message === 'fetch failed' || message === 'terminated');
  return isCut || name === 'TimeoutError' ? { by: 'away', what: cause?.code ?? cause?.message ?? message } : undefined;
}

function pickDeed(random: Random): Deed {
  const deeds = Object.entries(DEEDS) as [Deed, number][];
  let left = random.below(deeds.reduce((sum, [, share]) => sum + share, 0));
  for (const [deed, share] of deeds) {
    if (left < share) return deed;
    left -= share;
  }
  throw new Error('The shares do not add up.');
}
