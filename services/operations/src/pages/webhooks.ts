import { currentTime } from '@indbakke/shared/clock';
import { html } from '@indbakke/shared/html';
import { changeWebhook } from '@indbakke/shared/webhooks';
import { z } from 'zod';
import { table } from '../html/table.js';
import { readTroubledWebhooks, STATES_IN_WORDS, type TroubledWebhook } from '../sections/webhooks.js';
import { inBoth } from './language.js';
import { defineAction, definePage } from './page.js';

const texts = inBoth({
  da: {
    title: 'Webhooks',
    states: STATES_IN_WORDS.da,
    intro:
      'Webhooks, som ikke tager imod, eller som er slået fra. Når en slås til igen, sendes det, der venter, med det samme. Hændelser, som er prøvet i tre dage, sendes kun, hvis kommunen beder om dem.',
    none: 'Alle webhooks får deres hændelser.',
    webhook: 'Webhook',
    municipality: 'Kommune',
    state: 'Tilstand',
    since: 'Fejler siden',
    answer: 'Seneste svar',
    waiting: 'Venter',
    oldest: 'Ældste har ventet',
    action: 'Handling',
    enable: 'Slå til',
    ask: (id: string, cvr: string) => `Skal webhooken ${id} i kommunen ${cvr} slås til igen?`,
    done: (id: string) => `Webhooken ${id} er slået til igen; det, der venter, sendes nu.`,
  },
  en: {
    title: 'Webhooks',
    states: STATES_IN_WORDS.en,
    intro:
      'Webhooks that fail, or are disabled. When one is enabled again, what waits is sent at once. Events that were tried for three days are sent only when the municipality asks for them.',
    none: 'All webhooks get their events.',
    webhook: 'Webhook',
    municipality: 'Municipality',
    state: 'State',
    since: 'Failing since',
    answer: 'Last answer',
    waiting: 'Waiting',
    oldest: 'Oldest has waited',
    action: 'Action',
    enable: 'Enable',
    ask: (id: string, cvr: string) => `Shall the webhook ${id} of the municipality ${cvr} be enabled again?`,
    done: (id: string) => `The webhook ${id} is enabled again; what waits is sent now.`,
  },
});

/** Webhooks that fail or are disabled, and what enables one again. */
export const WEBHOOKS_PAGE = definePage({
  name: 'webhooks',
  texts,
  async show({ store }, { texts: own, format, button }) {
    const webhooks = await readTroubledWebhooks(store);
    if (webhooks.length === 0) return html`<p>${own.intro}</p><p>${own.none}</p>`;
    return html`<p>${own.intro}</p>${table(
      own.title,
      [
        { heading: own.webhook, of: ({ id }: TroubledWebhook) => html`<code>${id}</code>` },
        { heading: own.municipality, of: ({ municipality }) => html`<code>${municipality}</code>` },
        { heading: own.state, of: ({ state }) => own.states[state] },
        { heading: own.since, of: ({ failingSince }) => (failingSince ? format.time(failingSince) : '–') },
        { heading: own.answer, of: ({ lastAnswer }) => (lastAnswer ? html`<code>${lastAnswer}</code>` : '–') },
        { heading: own.waiting, of: ({ waiting }) => format.number(waiting), isNumber: true },
        {
          heading: own.oldest,
          of: ({ oldestSeconds }) => (oldestSeconds === null ? '–' : format.duration(oldestSeconds)),
          isNumber: true,
        },
        {
          heading: own.action,
          of: ({ id, municipality, state }) =>
            state === 'retrying' ? '–' : button('enable', own.enable, { municipality, webhook: id }, id),
        },
      ],
      webhooks,
    )}`;
  },
  actions: {
    enable: defineAction({
      input: z.object({ municipality: z.string().regex(/^\d{8}$/), webhook: z.uuid() }),
      ask: ({ municipality, webhook }, own: (typeof texts)['da']) => own.ask(webhook, municipality),
      async act(parts, operator, { municipality, webhook }) {
        const principal = { ...operator, municipality };
        await changeWebhook(parts, { principal, at: currentTime() }, webhook, { status: 'active' });
        return webhook;
      },
      answer: (webhook, own) => own.done(webhook),
    }),
  },
});
