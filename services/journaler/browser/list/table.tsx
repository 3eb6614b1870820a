import type { DocumentSummary } from '@indbakke/shared/api';
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { inBoth, useLanguage, useTexts } from '../language.js';
import { COLUMN_TEXTS, COLUMNS, type ColumnId } from './columns.js';
import type { Seen, Sort } from './query.js';
import type { Selection } from './selection.js';
import { LIST_WORDS } from './words.js';

const texts = inBoth({
  da: { select: 'Vælg', selectPage: 'Vælg alle på siden', selectOne: (subject: string) => `Vælg ${subject}` },
  en: { select: 'Select', selectPage: 'Select all on the page', selectOne: (subject: string) => `Select ${subject}` },
});

interface TableProps {
  readonly caption: string;
  readonly letters: readonly DocumentSummary[];
  readonly columns: readonly ColumnId[];
  readonly sort: Sort;
  readonly selection: Selection;
  readonly now: number;
}

/** A page of the list. What had the focus has it again after the page was read anew. */
export function Table({ caption, letters, columns, sort, selection: { selected, change }, now }: TableProps) {
  const own = useTexts(texts);
  const names = useTexts(COLUMN_TEXTS);
  const body = useRef<HTMLTableSectionElement>(null);
  useKeptFocus(body.current, letters);
  const chosen = letters.filter(({ id }) => selected.has(id)).length;
  return (
    <div class="scroll">
      <table class="letters">
        <caption class="sr-only">{caption}</caption>
        <thead>
          <tr>
            <th scope="col" class="select">
              <PageBox
                label={own.selectPage}
                state={chosen === 0 ? 'none' : chosen === letters.length ? 'all' : 'some'}
                onChange={(isOn) => (isOn ? change.add(letters) : change.remove(letters))}
              />
            </th>
            {columns.map((id) => (
              <th
                key={id}
                scope="col"
                class={COLUMNS[id].isNumber && 'number'}
                aria-sort={
                  COLUMNS[id].sort === sort.replace('-', '')
                    ? sort.startsWith('-')
                      ? 'descending'
                      : 'ascending'
                    : undefined
                }
              >
                {names[id]}
              </th>
            ))}
          </tr>
        </thead>
        <tbody ref={body}>
          {letters.map((letter) => (
            <Row
              key={letter.id}
              letter={letter}
              columns={columns}
              isSelected={selected.has(letter.id)}
              onToggle={change.toggle}
              now={now}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface RowProps {
  readonly letter: DocumentSummary;
  readonly columns: readonly ColumnId[];
  readonly isSelected: boolean;
  readonly onToggle: (letter: Seen) => void;
  readonly now: number;
}

function Row({ letter, columns, isSelected, onToggle, now }: RowProps) {
  const own = useTexts(texts);
  const names = useTexts(COLUMN_TEXTS);
  const { noSubject } = useTexts(LIST_WORDS);
  const language = useLanguage();
  // The same element as before is not compared anew, so a change costs its own row only.
  return useMemo(
    () => (
      <tr data-id={letter.id} class={isSelected ? 'selected' : undefined}>
        <td class="select">
          <input
            type="checkbox"
            aria-label={own.selectOne(letter.subject || noSubject)}
            checked={isSelected}
            onChange={() => onToggle(letter)}
          />
        </td>
        {columns.map((id) => {
          const { Cell, isNumber } = COLUMNS[id];
          return (
            <td key={id} class={isNumber ? `of-${id} number` : `of-${id}`} data-title={names[id]}>
              <Cell letter={letter} now={now} />
            </td>
          );
        })}
      </tr>
    ),
    [letter, columns, isSelected, onToggle, now, language],
  );
}

interface PageBoxProps {
  readonly label: string;
  readonly state: 'none' | 'some' | 'all';
  readonly onChange: (isOn: boolean) => void;
}

function PageBox({ label, state, onChange }: PageBoxProps) {
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (box.current) box.current.indeterminate = state === 'some';
  }, [state]);
  return (
    <input
      ref={box}
      type="checkbox"
      aria-label={label}
      checked={state === 'all'}
      onChange={({ currentTarget }) => onChange(currentTarget.checked)}
    />
  );
}

/** What in a row takes the focus: the link to the letter, and the box. */
const TARGETS = ['a', 'input'] as const;

/**
 * A row that is moved or goes takes the focus from the page. Afterwards it is on the same row again, or on the one that is in its
 * place now.
 */
function useKeptFocus(body: HTMLTableSectionElement | null, letters: readonly DocumentSummary[]): void {
  const active = document.activeElement;
  const row = body?.contains(active) ? active?.closest('tr') : undefined;
  const before = row && {
    id: row.dataset.id,
    at: row.sectionRowIndex,
    target: active?.tagName === 'INPUT' ? TARGETS[1] : TARGETS[0],
  };
  useLayoutEffect(() => {
    if (!before || !body || body.contains(document.activeElement)) return;
    const same = letters.findIndex(({ id }) => id === before.id);
    const place = body.rows[same >= 0 ? same : Math.min(before.at, body.rows.length - 1)];
    place?.querySelector<HTMLElement>(before.target)?.focus({ preventScroll: same >= 0 });
  }, [letters]);
}

/** After a page turn: from its top. */
export function focusFirstRow(): void {
  const list = document.querySelector('.letters');
  list?.querySelector<HTMLElement>('tbody a')?.focus({ preventScroll: true });
  if (list && list.getBoundingClientRect().top < 0) list.scrollIntoView();
}

export function focusLetter(id: string): void {
  document.querySelector<HTMLElement>(`.letters tr[data-id="${CSS.escape(id)}"] a`)?.focus();
}

/** Moves the focus to the next row, or the previous one. @returns whether there is one */
export function focusRow(by: 1 | -1): boolean {
  const rows = [...document.querySelectorAll<HTMLTableRowElement>('.letters tbody tr')];
  const active = document.activeElement;
  const at = rows.findIndex((row) => row.contains(active));
  const next = at < 0 ? rows[0] : rows[at + by];
  const target = active?.closest('td.select') ? TARGETS[1] : TARGETS[0];
  const found = next?.querySelector<HTMLElement>(target);
  found?.focus();
  found?.scrollIntoView({ block: 'nearest' });
  return found !== undefined;
}

/** The id of the letter whose row has the focus. */
export const focusedLetter = (): string | undefined =>
  document.activeElement?.closest<HTMLTableRowElement>('.letters tbody tr')?.dataset.id;
