import type { Status } from '@indbakke/shared/lifecycle';
import type { Kill, Work } from './kills.js';

/** A letter as the harness sent it, and everything that it was really told about it. */
export interface Letter {
  readonly uuid: string;
  /** Which of the contents that go by this id. */
  readonly variant: number;
  readonly xml: Buffer;
  /** SHA-256 of each file, in order. */
  readonly files: readonly string[];
  /** The case that must be suggested; null when none may be; undefined when that is not looked at. */
  readonly caseId: string | null | undefined;
  readonly run: number;
  readonly kill: Kill;
  /** Each different receipt that came whole. */
  readonly receipts: Set<string>;
  /** How often it was sent. */
  sent: number;
  /** What the answers to the caseworkers’ steps say. */
  status: Status;
  /** A step that was asked for and not answered. */
  asked: Work | undefined;
  /** A caseworker has it on the desk. */
  busy: boolean;
  /** It is not sent again, although it got no answer. */
  givenUp: boolean;
  id: string | undefined;
  blobName: string | null | undefined;
}

export const VERDICTS = ['lost', 'twice', 'stuck', 'half', 'back'] as const;
/** lost: a receipt or an answer without what it says; twice; stuck; half there; back: deleted, and here again. */
export type Verdict = (typeof VERDICTS)[number];

export interface Finding {
  readonly verdict: Verdict;
  readonly kill: Kill;
  readonly run: number;
  readonly what: string;
}

/** All letters of a harness, and what was found wrong with them. */
export class Ledger {
  readonly groups = new Map<string, Letter[]>();
  /** Every one, in the order in which they were written. */
  readonly letters: Letter[] = [];
  readonly findings: Finding[] = [];
  readonly #found = new Set<string>();

  add(letters: readonly Letter[]): void {
    for (const letter of letters) {
      const group = this.groups.get(letter.uuid) ?? [];
      group.push(letter);
      this.groups.set(letter.uuid, group);
      this.letters.push(letter);
    }
  }

  ofRun(run: number): Letter[] {
    return this.letters.filter((letter) => letter.run === run);
  }

  /** Sent, and never answered. */
  unanswered(): Letter[] {
    return this.letters.filter((letter) => letter.sent > 0 && letter.receipts.size === 0);
  }

  /** One letter is found once under each verdict, however often it is compared. */
  find(verdict: Verdict, of: Pick<Letter, 'uuid' | 'kill' | 'run'>, what: string): void {
    const key = `${verdict} ${of.uuid}`;
    if (this.#found.has(key)) return;
    this.#found.add(key);
    this.findings.push({ verdict, kill: of.kill, run: of.run, what: `${of.uuid}: ${what}` });
  }
}
