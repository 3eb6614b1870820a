import type { ChangeAnswer } from '@indbakke/shared/api';
import type { Status } from '@indbakke/shared/lifecycle';
import type { InboxClient } from '../../testkit/inbox-client.js';
import type { Kill, Work } from './kills.js';

/** A MeMo, or a document, as the harness sent it, and everything that it was answered about it. */
export interface SentMemo {
  readonly uuid: string;
  /** Tells MeMos with the same id and different contents apart. */
  readonly variant: number;
  readonly municipality: string;
  readonly xml: Buffer;
  /** As what it is sent: a MeMo over REST or over SOAP, or a document from Fordelingskomponenten. */
  readonly over: 'rest' | 'soap' | 'sf2900';
  /** Of a document: the name of its file on the SFTP server. */
  readonly fileName?: string;
  /** SHA-256 of each file, in order. */
  readonly files: readonly string[];
  /** The case that must be suggested; null = none may be; undefined = not checked. */
  readonly caseId: string | null | undefined;
  readonly run: number;
  readonly kill: Kill;
  /** The different receipts that arrived whole. */
  readonly receipts: Set<string>;
  /** How often it was sent. */
  sent: number;
  /** According to the answers to caseworkers’ requests. */
  status: Status;
  /** A request without an answer. */
  asked: Exclude<Work, 'bulk'> | undefined;
  /** Whether it was asked to be sent on, and that was answered. */
  sentOn: 'asked' | 'answered' | undefined;
  /** A caseworker is working on it. */
  busy: boolean;
  /** Not retried, although unanswered. */
  givenUp: boolean;
  id: string | undefined;
  blobName: string | null | undefined;
}

/** A change that a caseworker asked for, of one message or in bulk, which can be asked for again with its Idempotency-Key. */
export interface AskedChange {
  readonly run: number;
  /** With the version that was read. */
  readonly items: readonly { readonly memo: SentMemo; readonly id: string; readonly version: number }[];
  readonly asked: NonNullable<SentMemo['asked']>;
  /** @returns what was done, in order; of a bulk perhaps not everything */
  readonly ask: (client: InboxClient) => Promise<readonly ChangeAnswer[]>;
  /** What the first answer said. */
  answer: readonly ChangeAnswer[] | undefined;
}

/** An extract of which one file was due, an access package, or a zip of many messages. */
export interface DueFile {
  /** What findings name. */
  readonly uuid: string;
  /** Of its owner. */
  readonly token: string;
  readonly run: number;
  readonly kill: Kill;
}

/** A delivery that cannot be read, as the harness sent it. */
export interface SentUnreadable {
  /** The id in it; what findings name. */
  readonly uuid: string;
  readonly body: Buffer;
  readonly run: number;
  readonly kill: Kill;
  /** How often it was sent, and how often it was answered that it is refused. */
  sent: number;
  refused: number;
  /** What the operator knows of its removal. */
  removal: 'none' | 'asked' | 'done';
}

export const VERDICTS = ['lost', 'twice', 'stuck', 'half', 'back'] as const;
/**
 * lost: not as a receipt, an answer or an error said; twice: stored or shown twice; half: incomplete; back: deleted, but not
 * gone.
 */
export type Verdict = (typeof VERDICTS)[number];

export interface Finding {
  readonly verdict: Verdict;
  readonly kill: Kill;
  readonly run: number;
  readonly what: string;
}

/** All MeMos of a harness, and the findings. */
export class Ledger {
  readonly byUuid = new Map<string, SentMemo[]>();
  /** All of them, in the order of writing. */
  readonly sent: SentMemo[] = [];
  readonly findings: Finding[] = [];
  /** Without those that were refused. */
  readonly changes = new Set<AskedChange>();
  readonly extracts: DueFile[] = [];
  readonly packages: DueFile[] = [];
  readonly zips: DueFile[] = [];
  readonly unreadable: SentUnreadable[] = [];
  readonly #found = new Set<string>();

  add(memos: readonly SentMemo[]): void {
    for (const memo of memos) {
      this.byUuid.set(memo.uuid, [...(this.byUuid.get(memo.uuid) ?? []), memo]);
      this.sent.push(memo);
    }
  }

  ofRun(run: number): SentMemo[] {
    return this.sent.filter((memo) => memo.run === run);
  }

  /** Sent but never answered. */
  unanswered(): SentMemo[] {
    return this.sent.filter((memo) => memo.sent > 0 && memo.receipts.size === 0);
  }

  /** Records a finding, once per MeMo and verdict. */
  find(verdict: Verdict, of: Pick<SentMemo, 'uuid' | 'kill' | 'run'>, what: string): void {
    const key = `${verdict} ${of.uuid}`;
    if (this.#found.has(key)) return;
    this.#found.add(key);
    this.findings.push({ verdict, kill: of.kill, run: of.run, what: `${of.uuid}: ${what}` });
  }
}
