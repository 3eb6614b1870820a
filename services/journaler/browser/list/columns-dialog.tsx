import { useState } from 'preact/hooks';
import { ActionForm } from '../actions/form.js';
import { inBoth, useTexts } from '../language.js';
import { COLUMN_TEXTS, COLUMNS, type ColumnId, USUAL_COLUMNS } from './columns.js';

const texts = inBoth({
  da: {
    title: 'Vælg kolonner',
    submit: 'Gem',
    hint: 'De vises i denne rækkefølge. Emne er altid med.',
    legend: 'Kolonner',
    up: (name: string) => `Flyt ${name} op`,
    down: (name: string) => `Flyt ${name} ned`,
    moved: (name: string, place: number) => `${name} er nu nummer ${place}`,
    usual: 'Som fra begyndelsen',
  },
  en: {
    title: 'Choose columns',
    submit: 'Save',
    hint: 'They are shown in this order. Subject is always there.',
    legend: 'Columns',
    up: (name: string) => `Move ${name} up`,
    down: (name: string) => `Move ${name} down`,
    moved: (name: string, place: number) => `${name} is number ${place} now`,
    usual: 'As in the beginning',
  },
});

interface ColumnsDialogProps {
  readonly columns: readonly ColumnId[];
  readonly onSave: (columns: readonly ColumnId[]) => void;
  readonly onClose: () => void;
}

/** Shown ones first, in their order. */
const listed = (shown: readonly ColumnId[]): readonly ColumnId[] => [
  ...shown,
  ...(Object.keys(COLUMNS) as ColumnId[]).filter((id) => !shown.includes(id)),
];

/** Which columns the list has, and in which order. */
export function ColumnsDialog({ columns, onSave, onClose }: ColumnsDialogProps) {
  const own = useTexts(texts);
  const names = useTexts(COLUMN_TEXTS);
  const [order, setOrder] = useState(() => listed(columns));
  const [shown, setShown] = useState<ReadonlySet<ColumnId>>(() => new Set(columns));
  const [told, setTold] = useState('');

  const move = (id: ColumnId, by: 1 | -1) => {
    const at = order.indexOf(id);
    const to = Math.min(order.length - 1, Math.max(0, at + by));
    const others = order.filter((each) => each !== id);
    setOrder([...others.slice(0, to), id, ...others.slice(to)]);
    setTold(own.moved(names[id], to + 1));
  };
  const choose = (id: ColumnId, isShown: boolean) => {
    const next = new Set(shown);
    if (isShown) next.add(id);
    else next.delete(id);
    setShown(next);
  };
  return (
    <ActionForm
      title={own.title}
      submit={own.submit}
      isBusy={false}
      onSubmit={() => onSave(order.filter((id) => shown.has(id)))}
      onCancel={onClose}
    >
      <p class="hint">{own.hint}</p>
      <fieldset class="choice">
        <legend class="form-label">{own.legend}</legend>
        <ol class="choose-columns plain no-max-width">
          {order.map((id) => (
            <li key={id}>
              <label>
                <input
                  type="checkbox"
                  checked={shown.has(id)}
                  aria-disabled={id === 'subject'}
                  onClick={(event) => {
                    if (id === 'subject') event.preventDefault();
                  }}
                  onChange={({ currentTarget }) => choose(id, currentTarget.checked)}
                />
                <span>{names[id]}</span>
              </label>
              <button type="button" class="button button-secondary" onClick={() => move(id, -1)}>
                <span aria-hidden="true">↑</span>
                <span class="sr-only">{own.up(names[id])}</span>
              </button>
              <button type="button" class="button button-secondary" onClick={() => move(id, 1)}>
                <span aria-hidden="true">↓</span>
                <span class="sr-only">{own.down(names[id])}</span>
              </button>
            </li>
          ))}
        </ol>
      </fieldset>
      <p class="sr-only" role="status">
        {told}
      </p>
      <button
        type="button"
        class="button button-unstyled"
        onClick={() => {
          setOrder(listed(USUAL_COLUMNS));
          setShown(new Set(USUAL_COLUMNS));
        }}
      >
        {own.usual}
      </button>
    </ActionForm>
  );
}
