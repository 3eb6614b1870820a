import type { DISABLED_CAUSES } from '@indbakke/shared/api';
import { html } from '@indbakke/shared/html';
import type { Store } from '@indbakke/shared/store';
import { table } from '../html/table.js';
import { inBoth } from '../pages/language.js';
import { defineSection } from './section.js';

type State = 'retrying' | keyof typeof DISABLED_CAUSES;

export const STATES_IN_WORDS = inBoth<Readonly<Record<State, string>>>({
  da: {
    retrying: 'tager ikke imod, prøves igen',
    failing: 'slået fra: tog ikke imod i fem dage',
    gone: 'slået fra: modtageren svarede, at den ikke findes længere',
    'by-caller': 'slået fra af kommunen',
  },
  en: {
    retrying: 'fails, is tried again',
    failing: 'disabled: failed for five days',
    gone: 'disabled: the receiver answered that it is gone',
    'by-caller': 'disabled by the municipality',
  },
});

export interface TroubledWebhook {
  readonly id: string;
  readonly municipality: string;
  readonly state: State;
  readonly failingSince: Date | null;
  readonly waiting: number;
  readonly oldestSeconds: number | null;
  /** Of the last attempt: the HTTP status, or a code when there was no answer. */
  readonly lastAnswer: string | null;
}

const MOST_COUNTED = 10_000;

/** Webhooks that fail or are disabled, those that have failed longest first; none of training municipalities. */
export const readTroubledWebhooks = ({ sweep }: Store): Promise<TroubledWebhook[]> =>
  sweep<TroubledWebhook & Record<string, unknown>>(
    `SELECT w.id, w.municipality, coalesce(w.disabled_cause, 'retrying') AS state, w.failing_since AS "failingSince",
       coalesce(d.waiting, 0)::int AS waiting, extract(epoch FROM now() - d.oldest)::float8 AS "oldestSeconds",
       last.answer AS "lastAnswer"
     FROM webhooks w CROSS JOIN LATERAL (
       SELECT count(*) AS waiting, min(created_at) AS oldest FROM (
         SELECT created_at FROM webhook_deliveries WHERE webhook_id = w.id AND status = 'waiting' ORDER BY created_at LIMIT $1
       ) AS waiting) AS d
     LEFT JOIN LATERAL (
       SELECT coalesce(a.http_status::text, a.error) AS answer
       FROM webhook_deliveries f JOIN webhook_attempts a ON a.webhook_id = f.webhook_id AND a.delivery_id = f.id
       WHERE f.webhook_id = w.id AND f.status = 'waiting'
       ORDER BY f.created_at, f.id, a.number DESC LIMIT 1) AS last ON true
     WHERE (w.status = 'disabled' OR w.failing_since IS NOT NULL)
       AND w.municipality NOT IN (SELECT cvr FROM municipalities WHERE is_training)
     ORDER BY w.failing_since NULLS LAST, w.id LIMIT 200`,
    [MOST_COUNTED],
  );

/** Webhooks that do not get their events. */
export const WEBHOOKS = defineSection({
  name: 'webhooks',
  texts: inBoth({
    da: {
      title: 'Webhooks',
      states: STATES_IN_WORDS.da,
      none: 'Alle webhooks får deres hændelser.',
      webhook: 'Webhook',
      municipality: 'Kommune',
      state: 'Tilstand',
      waiting: 'Venter',
      oldest: 'Ældste har ventet',
      some: {
        one: '1 webhook får ikke sine hændelser',
        more: (count: string) => `${count} webhooks får ikke deres hændelser`,
      },
    },
    en: {
      title: 'Webhooks',
      states: STATES_IN_WORDS.en,
      none: 'All webhooks get their events.',
      webhook: 'Webhook',
      municipality: 'Municipality',
      state: 'State',
      waiting: 'Waiting',
      oldest: 'Oldest has waited',
      some: {
        one: '1 webhook does not get its events',
        more: (count: string) => `${count} webhooks do not get their events`,
      },
    },
  }),
  read: ({ store }) => readTroubledWebhooks(store),
  view(webhooks, texts, { number, duration, counted }) {
    const failing = webhooks.filter(({ state }) => state !== 'by-caller').length;
    return {
      title: texts.title,
      concern: failing > 0 ? counted(failing, texts.some) : undefined,
      body: table(
        texts.title,
        [
          { heading: texts.webhook, of: ({ id }) => html`<code>${id}</code>` },
          { heading: texts.municipality, of: ({ municipality }) => html`<code>${municipality}</code>` },
          { heading: texts.state, of: ({ state }) => texts.states[state] },
          { heading: texts.waiting, of: ({ waiting }) => number(waiting), isNumber: true },
          {
            heading: texts.oldest,
            of: ({ oldestSeconds }) => (oldestSeconds === null ? '–' : duration(oldestSeconds)),
            isNumber: true,
          },
        ],
        webhooks,
        texts.none,
      ),
    };
  },
});
