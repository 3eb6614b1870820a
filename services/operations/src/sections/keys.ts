import { html } from '@indbakke/shared/html';
import type { Parts } from '@indbakke/shared/service';
import { table } from '../html/table.js';
import { inBoth } from '../pages/language.js';
import { defineSection } from './section.js';

export interface MasterKey {
  readonly id: string;
  /** `current`: new content is sealed with it. `known`: something is sealed with it. `missing`: so it is, and the key file lacks it. */
  readonly state: 'current' | 'known' | 'missing';
  /** When it was first seen in use; null = not yet. */
  readonly firstAt: Date | null;
}

export async function readMasterKeys({ store, keys }: Pick<Parts, 'store' | 'keys'>): Promise<MasterKey[]> {
  const used = await store.sweep<Omit<MasterKey, 'state'>>(
    `SELECT id, first_at AS "firstAt" FROM (SELECT master_keys_in_use() AS id UNION SELECT $1) AS used LEFT JOIN master_keys USING (id)
     ORDER BY id`,
    [keys.currentKeyId],
  );
  return used.map(({ id, firstAt }) => ({
    id,
    state: id === keys.currentKeyId ? 'current' : keys.keyIds.has(id) ? 'known' : 'missing',
    firstAt,
  }));
}

/** Notes master keys that are seen for the first time. */
export async function noteMasterKeys({ store, keys }: Pick<Parts, 'store' | 'keys'>): Promise<void> {
  await store.sweep(
    `INSERT INTO master_keys (id, first_at) SELECT id, now() FROM (SELECT master_keys_in_use() AS id UNION SELECT $1) AS used
     ON CONFLICT DO NOTHING`,
    [keys.currentKeyId],
  );
}

/** The master keys that something is sealed under, and whether this copy has them. */
export const KEYS = defineSection({
  name: 'master-keys',
  texts: inBoth({
    da: {
      title: 'Hovednøgler i brug',
      key: 'Nøgle',
      state: 'Tilstand',
      since: 'I brug siden',
      current: 'bruges til nyt',
      known: 'bruges til gammelt',
      missing: 'mangler her',
      concern: (keys: string) => `Nøgler mangler: ${keys}. Det, de har forseglet, kan ikke åbnes`,
    },
    en: {
      title: 'Master keys in use',
      key: 'Key',
      state: 'State',
      since: 'In use since',
      current: 'seals what is new',
      known: 'opens what is old',
      missing: 'missing here',
      concern: (keys: string) => `Keys are missing: ${keys}. What they have sealed cannot be opened`,
    },
  }),
  read: readMasterKeys,
  view(keys, texts, { time }) {
    const missing = keys.filter(({ state }) => state === 'missing').map(({ id }) => id);
    return {
      title: texts.title,
      concern: missing.length > 0 ? texts.concern(missing.join(', ')) : undefined,
      body: table(
        texts.title,
        [
          { heading: texts.key, of: ({ id }) => html`<code>${id}</code>` },
          { heading: texts.state, of: ({ state }) => texts[state] },
          { heading: texts.since, of: ({ firstAt }) => (firstAt ? time(firstAt) : '–') },
        ],
        keys,
      ),
    };
  },
});
