import { useState } from 'preact/hooks';
import { ActionForm, TextField } from '../actions/form.js';
import { inBoth, useTexts } from '../language.js';
import { hasRole, remember, remembered } from '../session.js';
import { MAY_SEE_HELD } from './counts.js';
import { type Filter, isSame, keepable, WAITING } from './query.js';

const texts = inBoth({
  da: {
    title: 'Visninger',
    all: 'Alle, der venter',
    mine: 'Mine sager',
    assigned: 'Tildelt mig',
    nobodys: 'Ingens',
    absent: 'Fraværende kolleger',
    late: 'Forsinkede',
    concern: 'Underretninger',
    rejected: 'Vis kun afvist post',
    deletion: 'Sletning venter',
    held: 'Tilbageholdt',
    colleagues: 'Hvem er fraværende?',
    userIds: 'Brugernavne',
    colleaguesHint: 'Med mellemrum eller komma imellem. De huskes i denne browser.',
    show: 'Vis',
    save: 'Gem dette filter …',
    saveTitle: 'Gem filteret',
    name: 'Navn',
    saveHint: 'Det huskes i denne browser. Søgeord og numre huskes ikke.',
    remove: (name: string) => `Fjern ${name}`,
    keep: 'Gem',
  },
  en: {
    title: 'Views',
    all: 'All that wait',
    mine: 'My cases',
    assigned: 'Assigned to me',
    nobodys: 'Nobody’s',
    absent: 'Absent colleagues',
    late: 'Late',
    concern: 'Reports of concern',
    rejected: 'Rejected post only',
    deletion: 'Deletion waits',
    held: 'Held',
    colleagues: 'Who is absent?',
    userIds: 'User names',
    colleaguesHint: 'With spaces or commas between. This browser remembers them.',
    show: 'Show',
    save: 'Save this filter …',
    saveTitle: 'Save the filter',
    name: 'Name',
    saveHint: 'This browser remembers it. Search words and numbers are not remembered.',
    remove: (name: string) => `Remove ${name}`,
    keep: 'Save',
  },
});

type Fixed = 'all' | 'mine' | 'assigned' | 'nobodys' | 'late' | 'concern' | 'rejected' | 'deletion' | 'held';

const FIXED: readonly { readonly name: Fixed; readonly filter: Filter; readonly isShown: boolean }[] = [
  { name: 'all', filter: WAITING, isShown: true },
  { name: 'mine', filter: { ...WAITING, view: 'mine' }, isShown: true },
  { name: 'assigned', filter: { ...WAITING, view: 'assigned' }, isShown: true },
  { name: 'nobodys', filter: { ...WAITING, view: 'nobodys' }, isShown: hasRole('IndkomneDokumenter.SeAlle') },
  { name: 'late', filter: { ...WAITING, view: 'late' }, isShown: true },
  { name: 'concern', filter: { ...WAITING, concern: 'open' }, isShown: true },
  { name: 'rejected', filter: { status: ['rejected'] }, isShown: true },
  {
    name: 'deletion',
    filter: { status: ['rejected'], deletion: 'requested' },
    isShown: hasRole('DigitalPost.Slet'),
  },
  { name: 'held', filter: { status: ['held'] }, isShown: MAY_SEE_HELD },
];

interface Saved {
  readonly name: string;
  readonly filter: Filter;
}

interface ViewsProps {
  readonly filter: Filter;
  readonly onFilter: (filter: Filter) => void;
}

/** Filters under a name: those that everybody has, and one’s own. */
export function Views({ filter, onFilter }: ViewsProps) {
  const own = useTexts(texts);
  const [saved, setSaved] = useState(() => remembered<readonly Saved[]>('filters', []));
  const [asks, setAsks] = useState<'colleagues' | 'name'>();
  const keep = (list: readonly Saved[]) => {
    remember('filters', list);
    setSaved(list);
  };
  const view = (title: string, to: Filter) => (
    <button
      type="button"
      class="button button-secondary view"
      aria-pressed={isSame(filter, to)}
      onClick={() => onFilter(to)}
    >
      {title}
    </button>
  );
  const isNew =
    !FIXED.some((fixed) => isSame(fixed.filter, filter)) && !saved.some((one) => isSame(one.filter, filter));
  return (
    <nav class="views" aria-label={own.title}>
      <ul class="plain no-max-width">
        {FIXED.filter(({ isShown }) => isShown).map(({ name, filter: to }) => (
          <li key={name}>{view(own[name], to)}</li>
        ))}
        <li>
          <button
            type="button"
            class="button button-secondary view"
            aria-pressed={filter.view === 'absent'}
            aria-haspopup="dialog"
            onClick={() => setAsks('colleagues')}
          >
            {own.absent} …
          </button>
        </li>
        {saved.map(({ name, filter: to }) => (
          <li key={`saved ${name}`} class="saved">
            {view(name, to)}
            <button
              type="button"
              class="button button-unstyled"
              aria-label={own.remove(name)}
              onClick={() => keep(saved.filter((one) => one.name !== name))}
            >
              ✕
            </button>
          </li>
        ))}
        {isNew && !isSame(keepable(filter), WAITING) && (
          <li>
            <button type="button" class="button button-unstyled" onClick={() => setAsks('name')}>
              {own.save}
            </button>
          </li>
        )}
      </ul>
      {asks === 'colleagues' && (
        <AskText
          title={own.colleagues}
          label={own.userIds}
          hint={own.colleaguesHint}
          initial={remembered<readonly string[]>('colleagues', []).join(', ')}
          submit={own.show}
          onCancel={() => setAsks(undefined)}
          onSubmit={(text) => {
            const colleagues = text.split(/[\s,;]+/).filter(Boolean);
            remember('colleagues', colleagues);
            setAsks(undefined);
            if (colleagues.length > 0) onFilter({ ...WAITING, view: 'absent', colleagues });
          }}
        />
      )}
      {asks === 'name' && (
        <AskText
          title={own.saveTitle}
          label={own.name}
          hint={own.saveHint}
          initial=""
          submit={own.keep}
          onCancel={() => setAsks(undefined)}
          onSubmit={(name) => {
            setAsks(undefined);
            keep([...saved.filter((one) => one.name !== name), { name, filter: keepable(filter) }]);
          }}
        />
      )}
    </nav>
  );
}

interface AskTextProps {
  readonly title: string;
  readonly label: string;
  readonly hint?: string;
  readonly initial: string;
  readonly submit: string;
  readonly onSubmit: (text: string) => void;
  readonly onCancel: () => void;
}

function AskText({ title, label, hint, initial, submit, onSubmit, onCancel }: AskTextProps) {
  const [text, setText] = useState(initial);
  return (
    <ActionForm
      title={title}
      submit={submit}
      isBusy={false}
      onCancel={onCancel}
      onSubmit={() => text.trim() !== '' && onSubmit(text.trim())}
    >
      <TextField
        id="ask-text"
        label={label}
        {...(hint !== undefined && { hint })}
        value={text}
        onType={setText}
        max={2_000}
        isFirst
      />
    </ActionForm>
  );
}
