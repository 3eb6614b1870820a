import { inBoth, useTexts } from '../language.js';
import type { Query } from './query.js';

const texts = inBoth({
  da: {
    title: 'Sider',
    previous: 'Forrige',
    next: 'Næste',
    page: (number: number) => `Side ${number}`,
    size: 'Breve på siden',
  },
  en: {
    title: 'Pages',
    previous: 'Previous',
    next: 'Next',
    page: (number: number) => `Page ${number}`,
    size: 'Letters on the page',
  },
});

interface PagerProps {
  /** From 0. */
  readonly number: number;
  readonly hasNext: boolean;
  readonly pageSize: Query['pageSize'];
  readonly onTurn: (by: 1 | -1) => void;
  readonly onSize: (size: Query['pageSize']) => void;
}

export function Pager({ number, hasNext, pageSize, onTurn, onSize }: PagerProps) {
  const own = useTexts(texts);
  const button = (title: string, by: 1 | -1, isPossible: boolean) => (
    <button
      type="button"
      class="button button-secondary"
      aria-disabled={!isPossible}
      onClick={() => isPossible && onTurn(by)}
    >
      {title}
    </button>
  );
  return (
    <nav class="pager" aria-label={own.title}>
      {button(own.previous, -1, number > 0)}
      <span>{own.page(number + 1)}</span>
      {button(own.next, 1, hasNext)}
      <label for="page-size">{own.size}</label>
      <select
        class="form-select"
        id="page-size"
        value={String(pageSize)}
        onChange={({ currentTarget }) => onSize(currentTarget.value === '100' ? 100 : 50)}
      >
        <option value="50">50</option>
        <option value="100">100</option>
      </select>
    </nav>
  );
}
