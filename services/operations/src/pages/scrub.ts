import { recordAudit } from '@indbakke/shared/audit';
import { currentTime } from '@indbakke/shared/clock';
import { html } from '@indbakke/shared/html';
import { z } from 'zod';
import { readScrub } from '../sections/scrub.js';
import { inBoth } from './language.js';
import { defineAction, definePage } from './page.js';

const texts = inBoth({
  da: {
    title: 'Rensning',
    intro:
      'Slettede rækker efterlader bytes i databasens filer, til de renses. Det sker om natten (SCRUB_WINDOW); her kan det gøres nu, mens alt andet kører.',
    running: 'En rensning er i gang.',
    nothing: 'Intet er slettet siden den sidste rensning.',
    due: 'Tabeller, der venter på rensning',
    last: 'Sidst renset',
    start: 'Rens nu',
    ask: 'Skal databasen renses nu? Det belaster databasen, men intet står stille.',
    done: 'Rensningen er begyndt; siden viser, når den er færdig.',
    already: 'En rensning er allerede i gang.',
    nothingDone: 'Der er intet at rense.',
  },
  en: {
    title: 'Scrub',
    intro:
      'Deleted rows leave bytes in the database’s files until those are scrubbed. That happens at night (SCRUB_WINDOW); here it can be done now, while everything goes on.',
    running: 'A scrub is running.',
    nothing: 'Nothing was deleted since the last scrub.',
    due: 'Tables that wait to be scrubbed',
    last: 'Last scrubbed',
    start: 'Scrub now',
    ask: 'Shall the database be scrubbed now? It loads the database, but nothing stops.',
    done: 'The scrub has begun; the page shows when it is done.',
    already: 'A scrub is running already.',
    nothingDone: 'There is nothing to scrub.',
  },
});

/** What waits to be scrubbed, and what starts it. */
export const SCRUB_PAGE = definePage({
  name: 'scrub',
  texts,
  async show({ store }, { texts: own, format, button }) {
    const { due, isRunning, lastAt } = await readScrub(store);
    const state = isRunning ? own.running : due.length === 0 ? own.nothing : undefined;
    return html`<p>${own.intro}</p>
${lastAt !== null && html`<p>${own.last}: ${format.time(lastAt)}</p>`}
${state && html`<p>${state}</p>`}
${due.length > 0 && html`<h2>${own.due}</h2><ul>${due.map((name) => html`<li><code>${name}</code></li>`)}</ul>`}
${due.length > 0 && !isRunning && html`<p>${button('start', own.start, {}, '')}</p>`}`;
  },
  actions: {
    start: defineAction({
      input: z.object({}),
      ask: (_, own: (typeof texts)['da']) => own.ask,
      async act({ store, scrubbing }, by) {
        const { due, isRunning } = await readScrub(store);
        if (isRunning) return 'already';
        if (due.length === 0) return 'nothingDone';
        await recordAudit(store, { by, at: currentTime(), action: 'scrub-started' });
        scrubbing.begin();
        return 'done';
      },
      answer: (outcome, own) => own[outcome],
    }),
  },
});
