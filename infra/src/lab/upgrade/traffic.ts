import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Status } from '@indbakke/shared/lifecycle';
import { REST_PATH } from '../../testkit/deliver.js';
import { InboxClient, InboxError } from '../../testkit/inbox-client.js';
import { writeMemo } from '../../testkit/write-memo.js';
import type { Kill } from '../crash/kills.js';
import type { Ledger, SentMemo } from '../crash/ledger.js';
import { clientsOf, Load, type LoadStyle, send } from '../crash/load.js';
import type { Stage } from '../crash/stage.js';
import { MUNICIPALITIES, type Sent, writeMemos } from '../crash/write-memos.js';
import type { Random } from '../random.js';

/** Nothing is killed here: what findings of the crash lab are filed under. */
export const RUN: { readonly run: number; readonly kill: Kill } = { run: 0, kill: 'random' };

const LASTS_MS = 3_600_000;
const REST_MS = 100;
const LISTED: readonly Status[] = ['pending', 'journalized', 'rejected'];
const CHANGED_MEANWHILE = new Set([409, 412]);
const LARGE_BYTES = 4_000_000;
/** Slow enough that copies are stopped meanwhile. */
const UPLOAD_MS = 3_000;
const PIECES = 30;

/** What was seen from outside, by the phase that it began in. */
export interface Seen {
  deliveries: number;
  /** Cases, letters that were sent, changes and reads. */
  calls: number;
  refused: number;
  /** How long each delivery took, in milliseconds, from its last byte. */
  readonly took: number[];
}

/** Everybody who calls Indbakke: senders, caseworkers, and the core. */
export class Traffic {
  /** By phase, in order. */
  readonly seen = new Map<string, Seen>();
  /** Why somebody was refused, and how often. */
  readonly refusals = new Map<string, number>();
  /** The cases that the core was told are registered. */
  readonly registered: { municipality: string; caseId: string }[] = [];
  readonly #stage: Stage;
  readonly #ledger: Ledger;
  readonly #url: string;
  readonly #load: Load;
  readonly #others: Promise<unknown>;
  readonly #stopping = new AbortController();
  #phase = '';

  /** @param style what is different from a load that any version takes */
  constructor(
    stage: Stage,
    ledger: Ledger,
    url: string,
    random: Random,
    phase: string,
    style: Partial<LoadStyle> = {},
  ) {
    this.#stage = stage;
    this.#ledger = ledger;
    this.#url = url;
    this.begin(phase);
    this.#load = new Load(
      stage,
      ledger,
      url,
      { ...RUN, random: random.fork('load') },
      {
        ...this.#style(),
        ...style,
      },
    );
    this.#others = Promise.all([
      ...MUNICIPALITIES.map((municipality) =>
        this.#registerAndReply(municipality, random.fork(`core ${municipality}`)),
      ),
      this.#sendLarge(random.fork('large')),
      this.#list(random.fork('list')),
    ]);
  }

  /** What is seen from now on belongs to this phase. */
  begin(phase: string): void {
    this.#phase = phase;
    this.seen.set(phase, { deliveries: 0, calls: 0, refused: 0, took: [] });
  }

  /** Resolves when everything that was asked for is answered. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([this.#load.stop(), this.#others]);
  }

  get #now(): Seen {
    return this.seen.get(this.#phase) as Seen;
  }

  get #isStopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  #style(): LoadStyle {
    return {
      memosEach: Number.POSITIVE_INFINITY,
      restMs: REST_MS,
      works: ['journalize', 'journalize', 'bulk', 'zip', 'reject'],
      overSoap: 0.3,
      documents: 0, // the version before does not take them
      lastsMs: LASTS_MS,
      ask: this.#ask,
      onDelivery: (status, tookMs) => this.#delivered(status, tookMs),
      onError: (error) => this.#failed(error),
    };
  }

  /** Counts calls; what the API description says of their answers is another version’s. */
  readonly #ask: typeof fetch = (...request) => {
    this.#now.calls += 1;
    return fetch(...request);
  };

  #delivered(status: number, tookMs: number): void {
    this.#now.deliveries += 1;
    this.#now.took.push(tookMs);
    if (status !== 200) this.#refuse(`a delivery: ${status || 'no answer'}`);
  }

  #failed(error: unknown): void {
    if (!(error instanceof InboxError)) {
      const { message, cause } = error as Error & { cause?: { code?: string; message?: string } };
      this.#refuse(`a call: ${[message, cause?.code ?? cause?.message].filter(Boolean).join(', ')}`);
    } else if (!CHANGED_MEANWHILE.has(error.status)) this.#refuse(`a call: ${error.status} ${error.code}`);
  }

  #refuse(why: string): void {
    this.#now.refused += 1;
    this.refusals.set(why, (this.refusals.get(why) ?? 0) + 1);
  }

  /** The core registers a case and a letter that it sent; the citizen replies. */
  async #registerAndReply(municipality: string, random: Random): Promise<void> {
    const token = await this.#stage.systemToken(municipality);
    const core = new InboxClient(this.#url, token, AbortSignal.timeout(LASTS_MS), this.#ask);
    for (let number = 1; !this.#isStopped; number += 1) {
      const sent: Sent = { caseId: `SAG-${municipality}-${number}`, messageUUID: random.uuid() };
      try {
        await core.upsertCase(sent.caseId, { status: 'open', parties: ['4101019999'] });
        this.registered.push({ municipality, caseId: sent.caseId });
        await core.registerSentMessage(sent.messageUUID, { caseId: sent.caseId });
        const replies = writeMemos(random, RUN.run, RUN.kill, { municipality, to: sent });
        this.#ledger.add(replies);
        for (const memo of replies) await this.#send(memo);
      } catch (error) {
        this.#failed(error);
      }
      await pause(random.between(REST_MS, 4 * REST_MS));
    }
  }

  async #send(memo: SentMemo): Promise<void> {
    const began = performance.now();
    this.#delivered(await send(this.#url, memo, this.#ledger), performance.now() - began);
  }

  /** One large letter after the other, over a slow line. */
  async #sendLarge(random: Random): Promise<void> {
    while (!this.#isStopped) {
      const memo = largeMemo(random);
      this.#ledger.add([memo]);
      memo.sent += 1;
      let whole = 0;
      const body = ReadableStream.from(
        slowly(memo.xml, () => {
          whole = performance.now();
        }),
      );
      const headers = { 'content-type': 'application/xml', accept: 'application/json' };
      const status = await fetch(this.#url + REST_PATH, {
        method: 'POST',
        headers,
        body,
        duplex: 'half',
      } as RequestInit)
        .then(async (response) => {
          const receipt = await response.text();
          if (response.ok) memo.receipts.add(receipt);
          return response.status;
        })
        .catch(() => 0);
      this.#delivered(status, performance.now() - (whole || performance.now()));
    }
  }

  /** Caseworkers look through their lists. */
  async #list(random: Random): Promise<void> {
    const clients = [...clientsOf(this.#stage, this.#url, LASTS_MS, this.#ask).values()];
    while (!this.#isStopped) {
      try {
        const client = random.pick(clients);
        const { items } = await client.list({ status: random.pick(LISTED), limit: 50 });
        if (items.length > 0) await client.read(random.pick(items).id);
      } catch (error) {
        this.#failed(error);
      }
      await pause(REST_MS);
    }
  }
}

function largeMemo(random: Random): SentMemo {
  const [municipality, uuid, content] = [random.pick(MUNICIPALITIES), random.uuid(), random.bytes(LARGE_BYTES)];
  return {
    uuid,
    variant: 0,
    municipality,
    xml: writeMemo({
      messageUUID: uuid,
      recipient: { id: municipality },
      documents: [{ files: [{ name: 'bilag.pdf', type: 'application/pdf', content }] }],
    }),
    over: 'rest',
    files: [createHash('sha256').update(content).digest('hex')],
    caseId: null,
    ...RUN,
    receipts: new Set(),
    sent: 0,
    status: 'pending',
    asked: undefined,
    sentOn: undefined,
    busy: true, // caseworkers leave them: to read one takes long
    givenUp: false,
    id: undefined,
    blobName: undefined,
  };
}

async function* slowly(bytes: Buffer, onEnd: () => void): AsyncGenerator<Buffer> {
  const size = Math.ceil(bytes.length / PIECES);
  for (let at = 0; at < bytes.length; at += size) {
    yield bytes.subarray(at, at + size);
    await pause(UPLOAD_MS / PIECES);
  }
  onEnd();
}
