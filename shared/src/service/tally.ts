import { currentTime } from '../clock/index.js';
import { MINUTE } from '../config/index.js';

/** What is counted by the minute (`minute_figures`). */
export type Figure = 'receipt' | 'suggestion';

interface FigureRow {
  readonly minute: string;
  readonly figure: Figure;
  readonly label: string;
  count: number;
  seconds: number;
  longest: number;
}

interface RefusalRow {
  readonly external_id: string;
  readonly code: string;
  count: number;
  readonly first_at: string;
  last_at: string;
}

/** The rows of a heartbeat, named as in the database. */
export interface Counted {
  readonly figures: readonly FigureRow[];
  readonly refusals: readonly RefusalRow[];
}

// Between two heartbeats. More different ids than this is no resend loop, but a fault that all letters meet.
const MAX_REFUSALS = 1_000;

/** The answers to deliveries that are receipts; all else is the code of a refusal. None is given without the database. */
export const RECEIPTS: readonly string[] = ['accepted', 'held', 'duplicate', 'after-deletion', 'answer-accepted'];

/** What a process has counted since its last heartbeat: additions in memory, so that a delivery costs no statement more. */
export class Tally {
  #figures = new Map<string, FigureRow>();
  #refusals = new Map<string, RefusalRow>();

  add(figure: Figure, label: string, seconds: number): void {
    const minute = Math.floor(currentTime().getTime() / MINUTE);
    const key = `${minute} ${figure} ${label}`;
    const row = this.#figures.get(key);
    if (row) {
      row.count += 1;
      row.seconds += seconds;
      if (seconds > row.longest) row.longest = seconds;
      return;
    }
    const at = new Date(minute * MINUTE).toISOString();
    this.#figures.set(key, { minute: at, figure, label, count: 1, seconds, longest: seconds });
  }

  /** @param externalId in its normal form, or a hash: nothing personal */
  refused(externalId: string, code: string): void {
    const key = `${externalId} ${code}`;
    const at = currentTime().toISOString();
    const row = this.#refusals.get(key);
    if (row) {
      row.count += 1;
      row.last_at = at;
    } else if (this.#refusals.size < MAX_REFUSALS) {
      this.#refusals.set(key, { external_id: externalId, code, count: 1, first_at: at, last_at: at });
    }
  }

  /** Whether a receipt was given since the last heartbeat. */
  get hasReceipts(): boolean {
    return [...this.#figures.values()].some(({ figure, label }) => figure === 'receipt' && RECEIPTS.includes(label));
  }

  /** What was counted since the last call. */
  take(): Counted {
    const counted = { figures: [...this.#figures.values()], refusals: [...this.#refusals.values()] };
    this.#figures = new Map();
    this.#refusals = new Map();
    return counted;
  }
}
