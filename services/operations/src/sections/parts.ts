import { html } from '@indbakke/shared/html';
import type { States } from '@indbakke/shared/service';
import { list } from '../html/list.js';
import { inBoth } from '../pages/language.js';
import { defineSection } from './section.js';

type Part = keyof States;

/** What this copy works with, as /readyz tells. */
export const PARTS = defineSection({
  name: 'parts',
  texts: inBoth({
    da: {
      title: 'Delenes tilstand',
      database: 'Database',
      content: 'Filer',
      queue: 'Kø',
      tokens: 'Udsteder af tokens',
      standby: 'Kopi af databasen til lister',
      ready: 'klar',
      concern: (parts: string) => `Ikke klar: ${parts}`,
    },
    en: {
      title: 'State of the parts',
      database: 'Database',
      content: 'Content store',
      queue: 'Queue',
      tokens: 'Issuer of tokens',
      standby: 'Standby of the database, for lists',
      ready: 'ready',
      concern: (parts: string) => `Not ready: ${parts}`,
    },
  }),
  read: ({ askParts }) => askParts(),
  view(states, texts) {
    const all = Object.entries(states) as [Part, string][];
    const away = all.filter(([, state]) => state !== 'ready');
    return {
      title: texts.title,
      concern: away.length > 0 ? texts.concern(away.map(([part]) => texts[part]).join(', ')) : undefined,
      body: list(
        all.map(([part, state]) => [texts[part], state === 'ready' ? texts.ready : html`<code>${state}</code>`]),
      ),
    };
  },
});
