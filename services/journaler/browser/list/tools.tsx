import { inBoth, useTexts } from '../language.js';
import { ExcelButton } from './excel.js';
import { type Query, type Sort, sortsFor } from './query.js';

const texts = inBoth({
  da: {
    columns: 'Kolonner …',
    keys: 'Genvejstaster …',
    sort: 'Rækkefølge',
    sorts: {
      '-receivedAt': 'Modtaget, nyeste først',
      receivedAt: 'Modtaget, ældste først',
      '-letterAt': 'Brevdato, nyeste først',
      letterAt: 'Brevdato, ældste først',
      replyBy: 'Svarfrist, nærmeste først',
      '-replyBy': 'Svarfrist, fjerneste først',
      concernDue: 'Underretningsfrist, nærmeste først',
      '-concernDue': 'Underretningsfrist, fjerneste først',
    } satisfies Record<Sort, string>,
  },
  en: {
    columns: 'Columns …',
    keys: 'Keys …',
    sort: 'Order',
    sorts: {
      '-receivedAt': 'Received, newest first',
      receivedAt: 'Received, oldest first',
      '-letterAt': 'Letter date, newest first',
      letterAt: 'Letter date, oldest first',
      replyBy: 'Reply by, nearest first',
      '-replyBy': 'Reply by, farthest first',
      concernDue: 'Concern due, nearest first',
      '-concernDue': 'Concern due, farthest first',
    },
  },
});

interface ToolsProps {
  readonly query: Query;
  readonly onSort: (sort: Sort) => void;
  readonly onAsk: (dialog: 'columns' | 'keys') => void;
  readonly onError: (error: unknown) => void;
}

/** How the list is shown, and the list as Excel. */
export function Tools({ query, onSort, onAsk, onError }: ToolsProps) {
  const own = useTexts(texts);
  const opener = (dialog: 'columns' | 'keys') => (
    <button type="button" class="button button-secondary" onClick={() => onAsk(dialog)}>
      {own[dialog]}
    </button>
  );
  return (
    <div class="tools">
      <label class="form-label" for="sort">
        {own.sort}
      </label>
      <select
        class="form-select"
        id="sort"
        value={query.sort}
        onChange={({ currentTarget }) => onSort(currentTarget.value as Sort)}
      >
        {sortsFor(query.filter).map((sort) => (
          <option key={sort} value={sort}>
            {own.sorts[sort]}
          </option>
        ))}
      </select>
      {opener('columns')}
      <ExcelButton query={query} onError={onError} />
      {opener('keys')}
    </div>
  );
}
