import { Gauge } from 'prom-client';
import { describeError, type Log } from '../log/index.js';
import { NotReady, type Part, REASONS } from '../readiness/index.js';
import type { Parts } from './parts.js';
import { within } from './within.js';

// A probe that hangs is useless to the router.
const CHECK_MS = 3_000;

/** Of each part: `ready`, or a reason of REASONS. The standby is a part only where one is set. */
export type States = Readonly<Record<Exclude<Part, 'standby'>, string> & { standby?: string }>;

/** Whether a process in these states should get requests. */
export function isReady(states: States): boolean {
  return Object.entries(states).every(([part, state]) => state === 'ready' || rowOf(part as Part, state)?.http === 200);
}

/**
 * Asks every part what it says of itself, for 3 seconds at most. The states are in the metric `indbakke_part_state`; a change
 * is logged once, with what to do about it.
 */
export function watchParts({ store, keys, blobs, queues, tokens, log, metrics }: Parts): () => Promise<States> {
  const registers = [metrics.registry];
  const clock = new Gauge({
    name: 'indbakke_database_clock_ahead_seconds',
    help: 'How far the clock of the database is ahead of ours',
    registers,
  });
  const asynchronous = new Gauge({
    name: 'indbakke_database_asynchronous',
    help: '1 when the database has standbys and COMMIT waits for none: a failover may lose what was acknowledged',
    registers,
  });
  const gauge: StateGauge = new Gauge({
    name: 'indbakke_part_state',
    help: '1 for the state that each part was last found in',
    labelNames: ['part', 'state'],
    registers,
  });
  const { standby } = store;
  const checks: Record<Exclude<Part, 'standby'>, () => Promise<void>> & { standby?: () => Promise<void> } = {
    async database() {
      const { clockAheadMs, isAsynchronous, masterKeys } = await store.check();
      clock.set(clockAheadMs / 1_000);
      asynchronous.set(isAsynchronous ? 1 : 0);
      if (!masterKeys.every((id) => keys.keyIds.has(id))) throw new NotReady('key-missing');
    },
    content: () => blobs.check().catch(explainContent),
    queue: () => queues.check(),
    tokens: () => tokens.check().catch(explainTokens),
    ...(standby && { standby: async () => standby.check() }),
  };
  const watched = Object.entries(checks).map(([part, check]) => new WatchedPart(part as Part, check, log, gauge));
  return async () => {
    const entries = await Promise.all(watched.map(async (part) => [part.name, await part.state()]));
    return Object.fromEntries(entries);
  };
}

type StateGauge = Gauge<'part' | 'state'>;

class WatchedPart {
  readonly name: Part;
  readonly #check: () => Promise<void>;
  readonly #log: Log;
  readonly #gauge: StateGauge;
  #asked: Promise<string> | undefined;
  #last: string | undefined;

  constructor(name: Part, check: () => Promise<void>, log: Log, gauge: StateGauge) {
    this.name = name;
    this.#check = check;
    this.#log = log;
    this.#gauge = gauge;
  }

  /** Probes that come while the part is being asked share its answer: one that hangs is not asked again and again. */
  async state(): Promise<string> {
    let state = 'no-answer';
    this.#asked ??= this.#ask();
    const answered = this.#asked.then((answer) => {
      state = answer;
    });
    if (!(await within(CHECK_MS, answered))) this.#tell('no-answer', undefined);
    return state;
  }

  async #ask(): Promise<string> {
    let [state, fault]: [string, unknown] = ['ready', undefined];
    try {
      await this.#check();
    } catch (error) {
      state = error instanceof NotReady && rowOf(this.name, error.reason) ? error.reason : 'failing';
      fault = error;
    }
    this.#asked = undefined;
    this.#tell(state, fault);
    return state;
  }

  #tell(state: string, fault: unknown): void {
    const last = this.#last;
    if (state === last) return;
    this.#last = state;
    if (last !== undefined) this.#gauge.remove({ part: this.name, state: last });
    this.#gauge.set({ part: this.name, state }, 1);
    if (state === 'ready') {
      if (last !== undefined) this.#log.info('ready-again', { part: this.name });
      return;
    }
    const { role, cause } = fault instanceof NotReady ? fault : { role: undefined, cause: fault };
    const detail = rowOf(this.name, state)?.meaning;
    this.#log.warn('not-ready', {
      part: this.name,
      reason: state,
      detail,
      role,
      ...(cause !== undefined && describeError(cause)),
    });
  }
}

function rowOf(part: Part, reason: string): { http: number; meaning: string } | undefined {
  return (REASONS[part] as Record<string, { http: number; meaning: string }>)[reason];
}

// errno(3)
const CONTENT: Readonly<Record<string, NotReady['reason']>> = {
  ENOENT: 'missing',
  ENOTDIR: 'missing',
  EACCES: 'no-access',
  EPERM: 'no-access',
  EROFS: 'read-only',
  ENOSPC: 'full',
  EDQUOT: 'full',
};

function explainContent(error: unknown): never {
  const reason = CONTENT[(error as { code?: string }).code ?? ''];
  throw reason ? new NotReady(reason, { cause: error }) : error;
}

function explainTokens(cause: unknown): never {
  throw new NotReady('no-answer', { cause });
}
