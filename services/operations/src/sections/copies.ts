import { html } from '@indbakke/shared/html';
import { GONE_SECONDS, type Parts } from '@indbakke/shared/service';
import { table } from '../html/table.js';
import { inBoth } from '../pages/language.js';
import { defineSection } from './section.js';

/** A process of ours. `lost`: it was killed, or its machine is gone, and none like it has started since. */
export interface Copy {
  readonly id: string;
  readonly services: readonly string[];
  readonly version: string;
  readonly state: 'running' | 'stopped' | 'lost' | 'replaced';
  readonly startedAt: Date;
  readonly seenAt: Date;
}

export function readCopies({ store }: Pick<Parts, 'store'>): Promise<Copy[]> {
  return store.sweep<Copy>(
    `SELECT id, services, version, started_at AS "startedAt", seen_at AS "seenAt",
       CASE WHEN stopped_at IS NOT NULL THEN 'stopped'
         WHEN seen_at > now() - interval '${GONE_SECONDS} seconds' THEN 'running'
         WHEN EXISTS (SELECT FROM copies n WHERE n.id <> c.id AND n.services = c.services AND n.started_at > c.seen_at) THEN 'replaced'
         ELSE 'lost' END AS state
     FROM copies c ORDER BY services, started_at`,
  );
}

/** Removes copies a day after they were last seen, but for the receiver by which an outage is reckoned. */
export async function sweepGoneCopies({ store }: Pick<Parts, 'store'>): Promise<void> {
  await store.sweep(
    `DELETE FROM copies WHERE seen_at < now() - interval '1 day' AND id IS DISTINCT FROM
       (SELECT id FROM copies WHERE 'receiver' = ANY (services) AND able_at IS NOT NULL ORDER BY able_at DESC LIMIT 1)`,
  );
}

/** Every process of ours, with its version. */
export const COPIES = defineSection({
  name: 'copies',
  texts: inBoth({
    da: {
      title: 'Kørende processer',
      services: 'Tjeneste',
      version: 'Version',
      state: 'Tilstand',
      since: 'Startet',
      seen: 'Sidst set',
      running: 'kører',
      stopped: 'stoppet',
      lost: 'forsvundet',
      replaced: 'forsvundet, afløst',
      concern: (count: string) => `${count} er forsvundet`,
    },
    en: {
      title: 'Running processes',
      services: 'Service',
      version: 'Version',
      state: 'State',
      since: 'Started',
      seen: 'Last seen',
      running: 'running',
      stopped: 'stopped',
      lost: 'vanished',
      replaced: 'vanished, replaced',
      concern: (count: string) => `${count} vanished`,
    },
  }),
  read: (parts) => readCopies(parts),
  view(copies, texts, { number, time }) {
    const lost = copies.filter(({ state }) => state === 'lost').length;
    return {
      title: texts.title,
      concern: lost > 0 ? texts.concern(number(lost)) : undefined,
      body: table(
        texts.title,
        [
          { heading: texts.services, of: ({ services }) => html`<code>${services.join(', ')}</code>` },
          { heading: texts.version, of: ({ version }) => version },
          { heading: texts.state, of: ({ state }) => texts[state] },
          { heading: texts.since, of: ({ startedAt }) => time(startedAt) },
          { heading: texts.seen, of: ({ seenAt }) => time(seenAt) },
        ],
        copies,
      ),
    };
  },
});
