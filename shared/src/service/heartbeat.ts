import { readFileSync } from 'node:fs';
import { currentTime } from '../clock/index.js';
import { SECOND } from '../config/index.js';
import type { KeyRing } from '../keys/index.js';
import type { Log } from '../log/index.js';
import { newId, type Store } from '../store/index.js';
import type { Counted, Tally } from './tally.js';

export const HEARTBEAT_MS = 10 * SECOND;

/** After three missed heartbeats a process counts as gone, and a time without any receiver as an outage. */
export const GONE_SECONDS = 30;

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  readonly version: string;
};

interface HeartbeatParts {
  readonly store: Store;
  readonly keys: KeyRing;
  readonly log: Log;
  readonly tally: Tally;
}

interface Beat extends Counted {
  readonly number: number;
  readonly isAble: boolean;
  readonly isLast: boolean;
}

/**
 * What this process says of itself every ten seconds, in one statement: that it runs, its master keys, whether it could store
 * messages, and what it has counted since. A receiver that finds that no receiver could for over 30 seconds writes down the outage.
 */
export class Heartbeat {
  readonly #id = newId();
  #startedAt: Date | undefined;
  readonly #parts: HeartbeatParts;
  readonly #services: readonly string[];
  #number = 0;
  /** It may have been written: so it is sent again under its number, which counts once. */
  #unanswered: Beat | undefined;

  constructor(parts: HeartbeatParts, services: readonly string[]) {
    this.#parts = parts;
    this.#services = services;
  }

  /** @param isReady whether all parts say that messages can be stored; if a probe was late, a receipt shows that they can */
  beat(isReady: boolean): Promise<void> {
    return this.#beat({ isAble: isReady || this.#parts.tally.hasReceipts, isLast: false });
  }

  /** The last one, with what was counted since the one before. Never fails: without a database it is lost. */
  end(): Promise<void> {
    return this.#beat({ isAble: false, isLast: true }).catch(() => {});
  }

  async #beat(says: Pick<Beat, 'isAble' | 'isLast'>): Promise<void> {
    if (this.#unanswered) await this.#send(this.#unanswered);
    this.#number += 1;
    await this.#send({ number: this.#number, ...says, ...this.#parts.tally.take() });
  }

  async #send(beat: Beat): Promise<void> {
    this.#unanswered = beat;
    this.#startedAt ??= currentTime();
    const { store, keys } = this.#parts;
    const [found] = await store.sweep<{ from: Date; until: Date }>(BEAT, [
      this.#id,
      this.#services,
      version,
      this.#startedAt,
      beat.isAble,
      beat.isLast,
      beat.number,
      JSON.stringify(beat.figures),
      JSON.stringify(beat.refusals),
      keys.currentKeyId,
      [...keys.keyIds],
    ]);
    this.#unanswered = undefined;
    if (found) this.#parts.log.error('outage', { from: found.from.toISOString(), until: found.until.toISOString() });
  }
}

// All parts see the table as it was before. Rows are locked in order, so that two processes do not wait for each other.
const BEAT = `
  WITH before AS (
    SELECT max(able_at) AS at FROM copies WHERE 'receiver' = ANY (services)
  ), copy AS (
    INSERT INTO copies AS c (id, services, version, started_at, seen_at, able_at, stopped_at, beat, current_master_key, master_keys)
    VALUES ($1, $2, $3, $4, now(), CASE WHEN $5 THEN now() END, CASE WHEN $6 THEN now() END, $7, $10, $11)
    ON CONFLICT (id) DO UPDATE SET seen_at = EXCLUDED.seen_at, able_at = coalesce(EXCLUDED.able_at, c.able_at),
      stopped_at = EXCLUDED.stopped_at, beat = EXCLUDED.beat
    WHERE c.beat < EXCLUDED.beat
    RETURNING id
  ), figures AS (
    INSERT INTO minute_figures AS f (minute, figure, label, count, seconds, longest)
    SELECT given.* FROM copy, jsonb_to_recordset($8::jsonb)
      AS given (minute timestamptz, figure text, label text, count int, seconds float8, longest float8)
    ORDER BY minute, figure, label
    ON CONFLICT (minute, figure, label) DO UPDATE SET count = f.count + EXCLUDED.count, seconds = f.seconds + EXCLUDED.seconds,
      longest = greatest(f.longest, EXCLUDED.longest)
  ), refusals AS (
    INSERT INTO refused_deliveries AS r (external_id, code, count, first_at, last_at)
    SELECT given.* FROM copy, jsonb_to_recordset($9::jsonb)
      AS given (external_id text, code text, count int, first_at timestamptz, last_at timestamptz)
    ORDER BY external_id, code
    ON CONFLICT (external_id, code) DO UPDATE SET count = r.count + EXCLUDED.count, last_at = greatest(r.last_at, EXCLUDED.last_at)
  )
  INSERT INTO outages (from_at, until_at)
  SELECT at, now() FROM before
  WHERE $5 AND 'receiver' = ANY ($2) AND at < now() - interval '${GONE_SECONDS} seconds'
  ON CONFLICT DO NOTHING
  RETURNING from_at AS from, until_at AS until`;
