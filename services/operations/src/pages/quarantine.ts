import { INSTALLATION } from '@indbakke/shared/audit';
import { currentTime } from '@indbakke/shared/clock';
import { html } from '@indbakke/shared/html';
import { acceptEntry } from '@indbakke/shared/quarantine';
import { Prisma } from '@indbakke/shared/store';
import { z } from 'zod';
import { table } from '../html/table.js';
import { inBoth } from './language.js';
import { defineAction, definePage } from './page.js';

const { sql } = Prisma;
const SHOWN = 100;

const texts = inBoth({
  da: {
    title: 'Karantæne',
    intro:
      'Leverancer, der ikke kunne læses. Serviceplatformen sender dem igen og igen. Når du vælger, at der skal kvitteres for en, får de samme bytes en kvittering fra da af, og gensendelsen hører op; intet af den kommer i en indbakke.',
    none: 'Karantænen er tom.',
    entry: 'Nummer',
    state: 'Tilstand',
    message: 'Brevets id',
    reason: 'Fejl',
    endpoint: 'Indgang',
    size: 'Størrelse',
    count: 'Gange',
    first: 'Første gang',
    last: 'Sidste gang',
    action: 'Handling',
    loop: 'Gensendes igen og igen',
    kept: 'Afvises',
    accepted: 'Kvitteres',
    accept: 'Kvittér fremover',
    ask: (id: string) =>
      `Skal der kvitteres for leverancen ${id} fra nu af? Den når ikke frem til nogen indbakke: hent den først, og aftal med afsenderen, hvordan indholdet kommer frem.`,
    done: (id: string) => `Leverancen ${id} får en kvittering, næste gang den kommer.`,
  },
  en: {
    title: 'Quarantine',
    intro:
      'Deliveries that could not be read. Serviceplatformen sends them again and again. Once you accept one, the same bytes get a receipt from then on, and the resending ends; nothing of it reaches an inbox.',
    none: 'The quarantine is empty.',
    entry: 'Entry',
    state: 'State',
    message: 'Id of the message',
    reason: 'Error',
    endpoint: 'Endpoint',
    size: 'Size',
    count: 'Times',
    first: 'First',
    last: 'Last',
    action: 'Action',
    loop: 'Resend loop',
    kept: 'Refused',
    accepted: 'Gets a receipt',
    accept: 'Accept',
    ask: (id: string) =>
      `Shall the delivery ${id} get a receipt from now on? It reaches no inbox: download it first, and agree with the sender how its content gets here.`,
    done: (id: string) => `The delivery ${id} gets a receipt the next time it comes.`,
  },
});

interface Entry {
  readonly id: string;
  readonly status: 'kept' | 'answer-accepted';
  readonly messageUuid: string | null;
  readonly reason: string;
  readonly endpoint: string;
  readonly size: number;
  readonly count: number;
  readonly firstAt: Date;
  readonly lastAt: Date;
}

/** What is in quarantine, loops first, and what ends one. */
export const QUARANTINE_PAGE = definePage({
  name: 'quarantine',
  texts,
  async show({ store, config }, { texts: own, format, button }) {
    const entries = await store.query<Entry>(
      INSTALLATION,
      sql`
        SELECT id, status, message_uuid AS "messageUuid", reason, endpoint, size::float8 AS size, count, first_at AS "firstAt", last_at AS "lastAt"
        FROM quarantine_entries ORDER BY status = 'kept' DESC, count DESC, last_at DESC, id LIMIT ${SHOWN}::int`,
      'kept',
    );
    if (entries.length === 0) return html`<p>${own.intro}</p><p>${own.none}</p>`;
    const stateOf = ({ status, count }: Entry) =>
      status !== 'kept' ? own.accepted : count >= config.QUARANTINE_LOOP_AFTER ? own.loop : own.kept;
    return html`<p>${own.intro}</p>${table(
      own.title,
      [
        { heading: own.entry, of: ({ id }: Entry) => html`<code>${id}</code>` },
        { heading: own.state, of: stateOf },
        { heading: own.message, of: ({ messageUuid }) => (messageUuid ? html`<code>${messageUuid}</code>` : '–') },
        { heading: own.reason, of: ({ reason }) => html`<code>${reason}</code>` },
        { heading: own.endpoint, of: ({ endpoint }) => endpoint.toUpperCase() },
        { heading: own.size, of: ({ size }) => format.bytes(size), isNumber: true },
        { heading: own.count, of: ({ count }) => format.number(count), isNumber: true },
        { heading: own.first, of: ({ firstAt }) => format.time(firstAt) },
        { heading: own.last, of: ({ lastAt }) => format.time(lastAt) },
        {
          heading: own.action,
          of: ({ id, status }) => (status === 'kept' ? button('accept', own.accept, { entry: id }, id) : '–'),
        },
      ],
      entries,
    )}`;
  },
  actions: {
    accept: defineAction({
      input: z.object({ entry: z.uuid() }),
      ask: ({ entry }, own: (typeof texts)['da']) => own.ask(entry),
      async act(parts, principal, { entry }) {
        await acceptEntry(parts, { principal, at: currentTime() }, entry);
        return entry;
      },
      answer: (entry, own) => own.done(entry),
    }),
  },
});
