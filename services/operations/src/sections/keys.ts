import { html } from '../html/html.js';
import { table } from '../html/table.js';
import { inBoth } from '../pages/language.js';
import { defineSection } from './section.js';

/** The master keys that something is sealed under, and whether this copy has them. */
export const KEYS = defineSection({
  name: 'master-keys',
  texts: inBoth({
    da: {
      title: 'Hovednøgler i brug',
      key: 'Nøgle',
      state: 'Tilstand',
      current: 'bruges til nyt',
      known: 'bruges til gammelt',
      missing: 'mangler her',
      concern: (keys: string) => `Nøgler mangler: ${keys}. Det, de har forseglet, kan ikke åbnes`,
    },
    en: {
      title: 'Master keys in use',
      key: 'Key',
      state: 'State',
      current: 'seals what is new',
      known: 'opens what is old',
      missing: 'missing here',
      concern: (keys: string) => `Keys are missing: ${keys}. What they have sealed cannot be opened`,
    },
  }),
  async read({ store, keys }) {
    const used = await store.sweep<{ id: string }>('SELECT master_keys_in_use() AS id');
    const ids = [...new Set([keys.currentKeyId, ...used.map(({ id }) => id)])].sort();
    return ids.map((id) => ({
      id,
      state: id === keys.currentKeyId ? ('current' as const) : keys.has(id) ? ('known' as const) : ('missing' as const),
    }));
  },
  view(keys, texts) {
    const missing = keys.filter(({ state }) => state === 'missing').map(({ id }) => id);
    return {
      title: texts.title,
      concern: missing.length > 0 ? texts.concern(missing.join(', ')) : undefined,
      body: table(
        texts.title,
        [
          { heading: texts.key, of: ({ id }) => html`<code>${id}</code>` },
          { heading: texts.state, of: ({ state }) => texts[state] },
        ],
        keys,
      ),
    };
  },
});
