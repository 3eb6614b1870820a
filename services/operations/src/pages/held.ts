import type { Principal } from '@indbakke/shared/access';
import { currentTime } from '@indbakke/shared/clock';
import { Problem } from '@indbakke/shared/errors';
import { html } from '@indbakke/shared/html';
import { changeMessage } from '@indbakke/shared/inbox';
import type { HeldCause } from '@indbakke/shared/lifecycle';
import { tryEach } from '@indbakke/shared/service';
import { Prisma, type Store } from '@indbakke/shared/store';
import { z } from 'zod';
import { chart } from '../html/chart.js';
import { table } from '../html/table.js';
import { CAUSES, CAUSES_IN_WORDS, type HeldGroup, readHeld, readHeldByDay } from '../sections/held.js';
import { inBoth } from './language.js';
import { defineAction, definePage } from './page.js';

const { sql } = Prisma;
const SHOWN = 20;
const MOST_AT_ONCE = 500;

const texts = inBoth({
  da: {
    title: 'Tilbageholdte breve',
    causes: CAUSES_IN_WORDS.da,
    intro:
      'Breve, som kommunen ikke er sat op til at tage ind. De frigives af sig selv, når opsætningen rettes; et brev frigives her, når kommunen beder om det.',
    none: 'Ingen breve holdes tilbage.',
    municipality: 'Kommune',
    cause: 'Årsag',
    count: 'Breve',
    oldest: 'Ældste',
    action: 'Handling',
    releaseAll: 'Frigiv alle',
    release: 'Frigiv',
    onlyMunicipality: 'Kun kommunen kan se, hvilket der er det rigtige',
    letters: (count: string) => `De ældste breve (højst ${count})`,
    letter: 'Brev',
    received: 'Modtaget',
    byDay: 'Tilbageholdte breve efter den dag, de kom',
    askOne: (id: string, cvr: string) =>
      `Skal brevet ${id} i kommunen ${cvr} frigives til indbakken? Det kan ikke holdes tilbage igen.`,
    askAll: (cause: string, cvr: string) =>
      `Skal alle breve i kommunen ${cvr} med årsagen “${cause}” frigives til indbakken? De kan ikke holdes tilbage igen.`,
    oneDone: (id: string) => `Brevet ${id} er frigivet.`,
    allDone: { one: '1 brev er frigivet.', more: (count: string) => `${count} breve er frigivet.` },
  },
  en: {
    title: 'Held messages',
    causes: CAUSES_IN_WORDS.en,
    intro:
      'Messages that the municipality is not set up to take in. They are released by themselves when the set-up is mended; one is released here when the municipality asks for it.',
    none: 'No messages are held.',
    municipality: 'Municipality',
    cause: 'Cause',
    count: 'Messages',
    oldest: 'Oldest',
    action: 'Action',
    releaseAll: 'Release all',
    release: 'Release',
    onlyMunicipality: 'Only the municipality can tell which one is right',
    letters: (count: string) => `The oldest messages (at most ${count})`,
    letter: 'Message',
    received: 'Received',
    byDay: 'Held messages by the day that they came',
    askOne: (id: string, cvr: string) =>
      `Shall the message ${id} of the municipality ${cvr} be released into the inbox? It cannot be held again.`,
    askAll: (cause: string, cvr: string) =>
      `Shall all messages of the municipality ${cvr} with the cause “${cause}” be released into the inbox? They cannot be held again.`,
    oneDone: (id: string) => `The message ${id} is released.`,
    allDone: { one: '1 message is released.', more: (count: string) => `${count} messages are released.` },
  },
});

const Cvr = z.string().regex(/^\d{8}$/);
const ONLY_MUNICIPALITY: HeldCause = 'conflict';
const mayRelease = (cause: HeldCause) => cause !== ONLY_MUNICIPALITY;

/** Held messages by municipality and cause, and what releases them. */
export const HELD_PAGE = definePage({
  name: 'held',
  texts,
  async show({ store }, { texts: own, common, format, now, button }) {
    const groups = await readHeld(store);
    if (groups.length === 0) return html`<p>${own.intro}</p><p>${own.none}</p>`;
    const letters = await store.sweep<{
      id: string;
      municipality: string;
      cause: HeldGroup['cause'];
      receivedAt: Date;
    }>(
      `SELECT id, municipality, held_cause AS cause, received_at AS "receivedAt"
       FROM messages JOIN municipalities ON cvr = municipality
       WHERE status = 'held' AND held_cause <> 'conflict' AND NOT is_training ORDER BY received_at, id LIMIT $1`,
      [SHOWN],
    );
    const days = await readHeldByDay(store, now);
    return html`<p>${own.intro}</p>
${table(
  own.title,
  [
    { heading: own.municipality, of: ({ municipality }: HeldGroup) => html`<code>${municipality}</code>` },
    { heading: own.cause, of: ({ cause }) => own.causes[cause] },
    { heading: own.count, of: ({ count }) => format.number(count), isNumber: true },
    { heading: own.oldest, of: ({ oldest }) => format.time(oldest) },
    {
      heading: own.action,
      of: ({ municipality, cause }) =>
        mayRelease(cause)
          ? button('release-all', own.releaseAll, { municipality, cause }, `${municipality}, ${own.causes[cause]}`)
          : own.onlyMunicipality,
    },
  ],
  groups,
)}
${chart({ id: 'held-by-day', title: own.byDay, times: days.map(({ day }) => day), series: [{ label: own.count, values: days.map(({ count }) => count) }] }, common, format)}
${
  letters.length > 0 &&
  html`<h2>${own.letters(format.number(SHOWN))}</h2>${table(
    own.letters(format.number(SHOWN)),
    [
      { heading: own.letter, of: ({ id }: (typeof letters)[number]) => html`<code>${id}</code>` },
      { heading: own.municipality, of: ({ municipality }) => html`<code>${municipality}</code>` },
      { heading: own.cause, of: ({ cause }) => own.causes[cause] },
      { heading: own.received, of: ({ receivedAt }) => format.time(receivedAt) },
      {
        heading: own.action,
        of: ({ id, municipality }) => button('release', own.release, { municipality, message: id }, id),
      },
    ],
    letters,
  )}`
}`;
  },
  actions: {
    release: defineAction({
      input: z.object({ municipality: Cvr, message: z.uuid() }),
      ask: ({ municipality, message }, own: (typeof texts)['da']) => own.askOne(message, municipality),
      async act({ store }, operator, { municipality, message: id }) {
        await release(store, { ...operator, municipality }, id);
        return id;
      },
      answer: (id, own) => own.oneDone(id),
    }),
    'release-all': defineAction({
      input: z.object({ municipality: Cvr, cause: z.enum(CAUSES) }),
      ask: ({ municipality, cause }, own: (typeof texts)['da']) => own.askAll(own.causes[cause], municipality),
      async act({ store }, operator, { municipality, cause }) {
        if (!mayRelease(cause)) throw notForUs();
        const principal = { ...operator, municipality };
        const held = await store.sweep<{ id: string }>(
          `SELECT id FROM messages WHERE municipality = $1 AND status = 'held' AND held_cause = $2 ORDER BY received_at, id LIMIT $3`,
          [municipality, cause, MOST_AT_ONCE],
        );
        return tryEach(held, ({ id }) =>
          release(store, principal, id).catch((error: unknown) => {
            if (error instanceof Problem) return false; // somebody else has changed it
            throw error;
          }),
        );
      },
      answer: (count, own, { counted }) => counted(count, own.allDone),
    }),
  },
});

const notForUs = () => new Problem('not-found', 'That is for the municipality to decide.');

/** @throws Problem also when only the municipality may: the page does not offer that, but a form may be of anybody's making */
function release(store: Store, principal: Principal, id: string) {
  const isPossible = { condition: sql`m.held_cause <> ${ONLY_MUNICIPALITY}`, otherwise: notForUs };
  return changeMessage(store, { principal, id, expectedVersion: undefined, at: currentTime() }, 'released', {
    isPossible,
  });
}
