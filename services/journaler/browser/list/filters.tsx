import type { DocumentCounts } from '@indbakke/shared/api';
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { inBoth, useTexts } from '../language.js';
import { WORDS } from '../words.js';
import { MAY_SEE_HELD } from './counts.js';
import { type Filter, isSame, type Status, WAITING } from './query.js';
import { focusRow } from './table.js';

const texts = inBoth({
  da: {
    search: 'Søg',
    searchHint: 'Ord, begyndelser af ord, CPR- eller CVR-nummer: i emne, afsender, vedrører og parter',
    find: 'Søg',
    more: 'Filtre',
    active: (count: number) => `Filtre (${count} i brug)`,
    reset: 'Nulstil',
    apply: 'Anvend filtre',
    any: 'Alle',
    yes: 'Ja',
    no: 'Nej',
    status: 'Status',
    kind: 'Type',
    channel: 'Kanal',
    contactPoint: 'Kontaktpunkt',
    case: 'Sag',
    assignee: 'Tildelt',
    assigneeHint: 'Bruger eller team; me = mig, none = ingen',
    from: 'Modtaget fra',
    to: 'Modtaget til og med',
    late: 'Forsinket',
    hasSuggestion: 'Har foreslået sag',
    hasMedia: 'Lyd eller video',
    concern: 'Mulig underretning',
    concerns: { any: 'Ja', open: 'Med frist, der løber', overdue: 'Med frist, der er overskredet' },
    sender: 'Afsenders CPR/CVR',
    concerning: 'Vedrører CPR/CVR',
  },
  en: {
    search: 'Search',
    searchHint: 'Words, beginnings of words, CPR or CVR number: in subject, sender, concerning and parties',
    find: 'Search',
    more: 'Filters',
    active: (count: number) => `Filters (${count} in use)`,
    reset: 'Reset',
    apply: 'Apply filters',
    any: 'All',
    yes: 'Yes',
    no: 'No',
    status: 'Status',
    kind: 'Kind',
    channel: 'Channel',
    contactPoint: 'Contact point',
    case: 'Case',
    assignee: 'Assigned to',
    assigneeHint: 'User or team; me, or none',
    from: 'Received from',
    to: 'Received until',
    late: 'Late',
    hasSuggestion: 'Has a suggested case',
    hasMedia: 'Sound or video',
    concern: 'Possible report of concern',
    concerns: { any: 'Yes', open: 'With a clock that runs', overdue: 'With a clock that is over' },
    sender: 'Sender’s CPR/CVR',
    concerning: 'Concerning CPR/CVR',
  },
});

const STATUSES: readonly Status[] = MAY_SEE_HELD
  ? ['pending', 'held', 'journalized', 'rejected']
  : ['pending', 'journalized', 'rejected'];

interface FiltersProps {
  readonly filter: Filter;
  /** What there is to choose from. */
  readonly contactPoints: DocumentCounts['contactPoint'];
  readonly onFilter: (filter: Filter) => void;
}

/** What is chosen here counts when it is sent; another filter takes its place. */
export function Filters({ filter, contactPoints, onFilter }: FiltersProps) {
  const own = useTexts(texts);
  const { status: statuses, kind: kinds, channel: channels } = useTexts(WORDS);
  const [draft, setDraft] = useState(filter);
  useEffect(() => setDraft(filter), [filter]);
  const set = (change: Partial<Filter>) => setDraft((before) => withoutEmpty({ ...before, ...change }));

  const text = (name: 'case' | 'assignee' | 'sender' | 'concerning', hint?: string) => (
    <Field name={name} title={own[name]} hint={hint}>
      <input
        class="form-input"
        id={`filter-${name}`}
        autocomplete="off"
        aria-describedby={hint && `filter-${name}-hint`}
        value={draft[name] ?? ''}
        onInput={({ currentTarget }) => set({ [name]: currentTarget.value.trim() })}
      />
    </Field>
  );
  const day = (name: 'fromDay' | 'toDay', title: string) => (
    <Field name={name} title={title}>
      <input
        class="form-input"
        type="date"
        id={`filter-${name}`}
        value={draft[name] ?? ''}
        onInput={({ currentTarget }) => set({ [name]: currentTarget.value })}
      />
    </Field>
  );
  const choice = (
    name: string,
    title: string,
    value: string | undefined,
    options: Readonly<Record<string, string>>,
    onChoose: (value: string) => void,
  ) => (
    <Field name={name} title={title}>
      <select
        class="form-select"
        id={`filter-${name}`}
        value={value ?? ''}
        onChange={({ currentTarget }) => onChoose(currentTarget.value)}
      >
        <option value="">{own.any}</option>
        {Object.entries(options).map(([key, word]) => (
          <option key={key} value={key}>
            {word}
          </option>
        ))}
      </select>
    </Field>
  );
  const yesOrNo = (name: 'late' | 'hasSuggestion' | 'hasMedia') =>
    choice(name, own[name], draft[name]?.toString(), { true: own.yes, false: own.no }, (value) =>
      set({ [name]: value === '' ? undefined : value === 'true' }),
    );
  const points = Object.fromEntries(contactPoints.flatMap(({ id, name }) => (id === null ? [] : [[id, name ?? id]])));
  const inUse = Object.keys(filter).filter((name) => !['status', 'q', 'view', 'olderThan'].includes(name)).length;

  return (
    <form
      class="filters"
      onSubmit={(event) => {
        event.preventDefault();
        onFilter(draft);
      }}
    >
      <search>
        <label class="sr-only" for="search">
          {own.search}
        </label>
        <div class="search-row">
          <input
            class="form-input"
            type="search"
            id="search"
            autocomplete="off"
            maxLength={200}
            aria-describedby="search-hint"
            value={draft.q ?? ''}
            onInput={({ currentTarget }) => set({ q: currentTarget.value })}
            onKeyDown={(event) => {
              if (event.key === 'ArrowDown' && focusRow(1)) event.preventDefault();
            }}
          />
          <button class="button button-primary" type="submit">
            {own.find}
          </button>
          {!isSame(filter, WAITING) && (
            <button class="button button-secondary" type="button" onClick={() => onFilter(WAITING)}>
              {own.reset}
            </button>
          )}
        </div>
        <p class="hint" id="search-hint">
          {own.searchHint}
        </p>
      </search>
      <details>
        <summary>{inUse > 0 ? own.active(inUse) : own.more}</summary>
        <fieldset class="statuses">
          <legend class="form-label">{own.status}</legend>
          {STATUSES.map((status) => (
            <label key={status} class="check">
              <input
                type="checkbox"
                checked={draft.status.includes(status)}
                onChange={({ currentTarget }) => {
                  const others = draft.status.filter((each) => each !== status);
                  const chosen = currentTarget.checked ? [...others, status] : others;
                  set({ status: STATUSES.filter((each) => chosen.includes(each)) });
                }}
              />
              {statuses[status]}
            </label>
          ))}
        </fieldset>
        <div class="fields">
          {choice('kind', own.kind, draft.kind, kinds, (kind) => set({ kind: kind as Filter['kind'] }))}
          {choice('channel', own.channel, draft.channel, channels, (channel) =>
            set({ channel: channel as Filter['channel'] }),
          )}
          {choice('contactPoint', own.contactPoint, draft.contactPoint, points, (contactPoint) =>
            set({ contactPoint }),
          )}
          {text('assignee', own.assigneeHint)}
          {text('case')}
          {day('fromDay', own.from)}
          {day('toDay', own.to)}
          {choice('concern', own.concern, draft.concern, own.concerns, (concern) =>
            set({ concern: concern as Filter['concern'] }),
          )}
          {yesOrNo('hasSuggestion')}
          {yesOrNo('late')}
          {yesOrNo('hasMedia')}
          {text('sender')}
          {text('concerning')}
        </div>
        <button class="button button-primary" type="submit">
          {own.apply}
        </button>
      </details>
    </form>
  );
}

interface FieldProps {
  readonly name: string;
  readonly title: string;
  readonly hint?: string | undefined;
  readonly children: ComponentChildren;
}

const Field = ({ name, title, hint, children }: FieldProps) => (
  <div>
    <label class="form-label" for={`filter-${name}`}>
      {title}
    </label>
    {hint && (
      <p class="hint" id={`filter-${name}-hint`}>
        {hint}
      </p>
    )}
    {children}
  </div>
);

/** An empty field is no filter; no status is all that wait. */
function withoutEmpty(filter: Filter): Filter {
  const entries = Object.entries(filter).filter(([, value]) => value !== '' && value !== undefined);
  const { status, ...others } = Object.fromEntries(entries) as unknown as Filter;
  return { ...others, status: status.length > 0 ? status : WAITING.status };
}
