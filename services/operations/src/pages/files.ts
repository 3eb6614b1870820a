import { currentTime } from '@indbakke/shared/clock';
import { html } from '@indbakke/shared/html';
import { askForFile } from '@indbakke/shared/inbox';
import { z } from 'zod';
import { table } from '../html/table.js';
import { FETCHES_IN_WORDS, type FileOnItsWay, readFilesOnTheirWay } from '../sections/files.js';
import { inBoth } from './language.js';
import { defineAction, definePage } from './page.js';

const texts = inBoth({
  da: {
    title: 'Filer fra Fordelingskomponenten',
    statuses: FETCHES_IN_WORDS.da,
    intro:
      'Filer til dokumenter, som andre systemer har sendt, og som ikke er hentet endnu. De hentes af sig selv, når de kommer. En fil, som ikke kom, hentes her, når afsenderen har lagt den på SFTP-serveren igen.',
    none: 'Alle filer er hentet.',
    message: 'Brev',
    municipality: 'Kommune',
    status: 'Tilstand',
    since: 'Ventet siden',
    attempts: 'Forsøg',
    fault: 'Seneste fejl',
    action: 'Handling',
    fetch: 'Hent igen',
    ask: (id: string, cvr: string) => `Skal filen til brevet ${id} i kommunen ${cvr} hentes igen?`,
    done: (id: string) => `Filen til brevet ${id} hentes nu.`,
  },
  en: {
    title: 'Files of Fordelingskomponenten',
    statuses: FETCHES_IN_WORDS.en,
    intro:
      'Files of documents that other systems have sent, and that are not fetched yet. They are fetched by themselves when they come. One that never came is fetched here when its sender has put it on the SFTP server again.',
    none: 'All files are fetched.',
    message: 'Message',
    municipality: 'Municipality',
    status: 'State',
    since: 'Waiting since',
    attempts: 'Attempts',
    fault: 'Last fault',
    action: 'Action',
    fetch: 'Fetch again',
    ask: (id: string, cvr: string) =>
      `Shall the file of the message ${id} of the municipality ${cvr} be fetched again?`,
    done: (id: string) => `The file of the message ${id} is fetched now.`,
  },
});

/** Files that are not fetched, and what asks for one again. */
export const FILES_PAGE = definePage({
  name: 'files',
  texts,
  async show({ store }, { texts: own, format, button }) {
    const files = await readFilesOnTheirWay(store);
    if (files.length === 0) return html`<p>${own.intro}</p><p>${own.none}</p>`;
    return html`<p>${own.intro}</p>${table(
      own.title,
      [
        { heading: own.message, of: ({ messageId }: FileOnItsWay) => html`<code>${messageId}</code>` },
        { heading: own.municipality, of: ({ municipality }) => html`<code>${municipality}</code>` },
        { heading: own.status, of: ({ status }) => own.statuses[status] },
        { heading: own.since, of: ({ since }) => format.time(since) },
        { heading: own.attempts, of: ({ attempts }) => format.number(attempts), isNumber: true },
        { heading: own.fault, of: ({ fault }) => (fault === null ? '–' : html`<code>${fault}</code>`) },
        {
          heading: own.action,
          of: ({ messageId, municipality, status }) =>
            status === 'stored' ? '–' : button('fetch', own.fetch, { municipality, message: messageId }, messageId),
        },
      ],
      files,
    )}`;
  },
  actions: {
    fetch: defineAction({
      input: z.object({ municipality: z.string().regex(/^\d{8}$/), message: z.uuid() }),
      ask: ({ municipality, message }, own: (typeof texts)['da']) => own.ask(message, municipality),
      async act({ store }, operator, { municipality, message: id }) {
        const principal = { ...operator, municipality };
        await askForFile(store, { principal, id, expectedVersion: undefined, at: currentTime() });
        return id;
      },
      answer: (id, own) => own.done(id),
    }),
  },
});
