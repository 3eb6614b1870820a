import type { SettingsChangeList } from '@indbakke/shared/api';
import { useEffect, useState } from 'preact/hooks';
import { call } from '../api.js';
import { ErrorAlert } from '../errors.js';
import { Title } from '../frame.js';
import { inBoth, useFormat, useTexts } from '../language.js';
import { type Change, useWords } from './labels.js';

const texts = inBoth({
  da: {
    title: 'Ændringer i opsætningen',
    intro: 'Hvem der ændrede hvad og hvornår, nyeste først; de seneste 200.',
    none: 'Intet er ændret endnu.',
    at: 'Hvornår',
    by: 'Hvem',
    what: 'Hvad',
    change: 'Ændring',
    onBehalfOf: (by: string, whom: string) => `${by} for ${whom}`,
    from: (before: string, after: string) => `${before} → ${after}`,
    actions: {
      'municipality-changed': 'Kommunens indstillinger ændret',
      'contact-point-added': 'Kontaktpunkt oprettet',
      'contact-point-changed': 'Kontaktpunkt ændret',
      'contact-point-removed': 'Kontaktpunkt fjernet',
      'department-added': 'Afdeling oprettet',
      'department-changed': 'Afdeling ændret',
      'department-removed': 'Afdeling fjernet',
    } satisfies Record<Change['action'], string>,
  },
  en: {
    title: 'Changes of the set-up',
    intro: 'Who changed what and when, newest first; the last 200.',
    none: 'Nothing has been changed yet.',
    at: 'When',
    by: 'Who',
    what: 'What',
    change: 'Change',
    onBehalfOf: (by, whom) => `${by} for ${whom}`,
    from: (before, after) => `${before} → ${after}`,
    actions: {
      'municipality-changed': 'Settings of the municipality changed',
      'contact-point-added': 'Contact point added',
      'contact-point-changed': 'Contact point changed',
      'contact-point-removed': 'Contact point removed',
      'department-added': 'Department added',
      'department-changed': 'Department changed',
      'department-removed': 'Department removed',
    },
  },
});

/** Who changed what and when. */
export function Changes() {
  const own = useTexts(texts);
  const [items, setItems] = useState<readonly Change[]>();
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    call<SettingsChangeList>('GET', '/municipality/changes').then((list) => setItems(list.items), setError);
  }, []);
  return (
    <>
      <Title>{own.title}</Title>
      <p>{own.intro}</p>
      <ErrorAlert error={error} />
      {items?.length === 0 && <p>{own.none}</p>}
      {items && items.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
        <section class="scroll" tabIndex={0} aria-label={own.title}>
          <table class="cards">
            <thead>
              <tr>
                <th scope="col">{own.at}</th>
                <th scope="col">{own.by}</th>
                <th scope="col">{own.what}</th>
                <th scope="col">{own.change}</th>
              </tr>
            </thead>
            <tbody>
              {items.map((item, at) => (
                <Row key={`${item.at} ${at}`} item={item} />
              ))}
            </tbody>
          </table>
        </section>
      )}
    </>
  );
}

function Row({ item }: { readonly item: Change }) {
  const own = useTexts(texts);
  const format = useFormat();
  const { differences } = useWords();
  const { at, by, onBehalfOf, action, contactPoint, department, before, after } = item;
  const id = contactPoint ?? department;
  return (
    <tr>
      <td class="nowrap" data-title={own.at}>
        {format.time(at)}
      </td>
      <td data-title={own.by}>{onBehalfOf ? own.onBehalfOf(by, onBehalfOf) : by}</td>
      <td data-title={own.what}>
        {own.actions[action]} {id && <code class="id">{id}</code>}
      </td>
      <td data-title={own.change}>
        <ul class="plain">
          {differences(before, after).map((each) => (
            <li key={each.field}>
              {each.field}: {own.from(each.before, each.after)}
            </li>
          ))}
        </ul>
      </td>
    </tr>
  );
}
