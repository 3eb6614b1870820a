import type { AuditEvent } from '@indbakke/shared/api';
import { FUNCTIONS } from '@indbakke/shared/danish-words';
import { useState } from 'preact/hooks';
import { call } from '../api.js';
import { ErrorAlert } from '../errors.js';
import { inBoth, useFormat, useLanguage, useTexts } from '../language.js';
import { deedOf, doerOf } from './deeds.js';

const texts = inBoth({
  da: {
    title: 'Hvem har læst brevet?',
    hint: 'Af revisionsloggen, nyeste først. At se her bliver også skrevet i loggen.',
    none: 'Ingen har læst brevet.',
    more: 'Vis flere',
    who: 'Hvem',
    what: 'Hvad',
    when: 'Hvornår',
    onBehalf: (id: string) => `for ${id}`,
    refused: 'fik afslag',
  },
  en: {
    title: 'Who has read the letter?',
    hint: 'From the audit log, newest first. Looking here is recorded too.',
    none: 'Nobody has read the letter.',
    more: 'Show more',
    who: 'Who',
    what: 'What',
    when: 'When',
    onBehalf: (id: string) => `for ${id}`,
    refused: 'was refused',
  },
});

interface Page {
  readonly items: readonly AuditEvent[];
  readonly nextCursor: string | null;
}

/** For who has Revisionslog.Læs; asked for when it is opened, since that is recorded. */
export function Readers({ letterId }: { readonly letterId: string }) {
  const own = useTexts(texts);
  const language = useLanguage();
  const format = useFormat();
  const [page, setPage] = useState<Page>();
  const [error, setError] = useState<unknown>();
  const read = (cursor?: string) => {
    const more = cursor ? `&cursor=${encodeURIComponent(cursor)}` : '';
    call<Page>('GET', `/audit-events?message=${letterId}&limit=200${more}`).then(
      (next) =>
        setPage({ items: [...(cursor ? (page?.items ?? []) : []), ...next.items], nextCursor: next.nextCursor }),
      setError,
    );
  };
  const reads = page?.items.filter(({ action }) => action.startsWith('read')) ?? [];
  const cursor = page?.nextCursor;
  return (
    <details onToggle={({ currentTarget: { open } }) => open && !page && read()}>
      <summary>{own.title}</summary>
      <p class="hint">{own.hint}</p>
      <ErrorAlert error={error} />
      {page && reads.length === 0 && <p>{own.none}</p>}
      {reads.length > 0 && (
        <div class="scroll">
          <table>
            <thead>
              <tr>
                <th scope="col">{own.when}</th>
                <th scope="col">{own.who}</th>
                <th scope="col">{own.what}</th>
              </tr>
            </thead>
            <tbody>
              {reads.map(({ id, at, actor, role, action, result }) => (
                <tr key={id}>
                  <td>{format.time(at)}</td>
                  <td>
                    {doerOf(actor.id, language)}
                    {actor.onBehalfOf && ` ${own.onBehalf(actor.onBehalfOf)}`}
                    {language === 'da' && functionOf(role) && <span class="quiet"> {functionOf(role)}</span>}
                  </td>
                  <td>
                    {deedOf(action, language)}
                    {result !== 'done' && `: ${own.refused}`}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {cursor && (
        <button class="button button-secondary" type="button" onClick={() => read(cursor)}>
          {own.more}
        </button>
      )}
    </details>
  );
}

const functionOf = (role: string | null): string | undefined =>
  (FUNCTIONS as Readonly<Record<string, string>>)[role ?? ''];
