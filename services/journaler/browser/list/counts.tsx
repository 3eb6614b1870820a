import type { DocumentCounts } from '@indbakke/shared/api';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { call } from '../api.js';
import { inBoth, useFormat, useLanguage, useTexts } from '../language.js';
import { hasRole, SESSION } from '../session.js';
import { distance } from './clocks.js';
import { type Filter, isPersonal, isSame, searchParamsOf, WAITING } from './query.js';

/** However fast letters come, they are counted so often only. */
const REST_MS = 5_000;

export const MAY_SEE_HELD = hasRole('Indbakke.Opsætning') || hasRole('Indbakke.Drift');
const ALL_THAT_WAITS: Filter = { status: MAY_SEE_HELD ? ['pending', 'held'] : ['pending'] };

export interface Counts {
  /** Of all letters that wait. */
  readonly waiting: DocumentCounts | undefined;
  /** Of the filter; undefined: not known, as for a personal one, which no URL may have. */
  readonly matching: DocumentCounts | undefined;
  again(): void;
}

const count = (filter: Filter) => call<DocumentCounts>('GET', `/incoming-documents/summary?${searchParamsOf(filter)}`);

export function useCounts(filter: Filter): Counts {
  const [waiting, setWaiting] = useState<DocumentCounts>();
  const [matching, setMatching] = useState<{ readonly of: Filter; readonly counts: DocumentCounts }>();
  const latest = useRef(filter);
  latest.current = filter;
  const due = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);

  // What cannot be counted is not shown; the list says what is wrong.
  const countMatching = useCallback((of: Filter) => {
    if (isPersonal(of)) return;
    count(of).then(
      (counts) => setMatching({ of, counts }),
      () => setMatching(undefined),
    );
  }, []);
  const countAll = useCallback(() => {
    due.current = undefined;
    count(ALL_THAT_WAITS).then(setWaiting, () => undefined);
    countMatching(latest.current);
  }, []);

  useEffect(() => {
    countAll();
    return () => clearTimeout(due.current);
  }, []);
  const isFirst = useRef(true);
  useEffect(() => {
    if (!isFirst.current) countMatching(filter);
    isFirst.current = false;
  }, [filter]);

  return {
    waiting,
    matching: matching && isSame(matching.of, filter) ? matching.counts : undefined,
    again() {
      due.current ??= setTimeout(countAll, REST_MS);
    },
  };
}

const texts = inBoth({
  da: {
    title: 'Overblik',
    waiting: 'Venter',
    assigned: 'Tildelt mig og mine team',
    concerns: 'Mulige underretninger',
    concernsOver: (overdue: string) => `${overdue} overskredet`,
    nextDue: (when: string) => `næste frist ${when}`,
    replies: 'Svarfrist overskredet',
    old: 'Ældre end 3 dage',
    late: 'Forsinkede',
    held: 'Tilbageholdt',
  },
  en: {
    title: 'Overview',
    waiting: 'Waiting',
    assigned: 'Assigned to me and my teams',
    concerns: 'Possible reports of concern',
    concernsOver: (overdue: string) => `${overdue} overdue`,
    nextDue: (when: string) => `next due ${when}`,
    replies: 'Reply overdue',
    old: 'Older than 3 days',
    late: 'Late',
    held: 'Held',
  },
});

interface TilesProps {
  readonly counts: DocumentCounts;
  readonly filter: Filter;
  readonly now: number;
  readonly onFilter: (filter: Filter, sort?: 'replyBy' | 'concernDue') => void;
}

/** What waits, in numbers that lead to it. */
export function Tiles({ counts, filter, now, onFilter }: TilesProps) {
  const own = useTexts(texts);
  const format = useFormat();
  const language = useLanguage();
  const { concern, age, assignee, team, status } = counts;
  const sum = (groups: readonly { readonly count: number }[]) => groups.reduce((total, { count }) => total + count, 0);
  const ofStatus = (wanted: string) => sum(status.filter((group) => group.status === wanted));
  const overdue = concern.assessOverdue + concern.confirmOverdue;
  const tiles = [
    { title: own.waiting, count: ofStatus('pending'), to: WAITING },
    {
      title: own.assigned,
      count:
        sum(assignee.filter(({ id }) => id === SESSION.id)) + sum(team.filter(({ id }) => SESSION.teams.includes(id))),
      to: { ...WAITING, view: 'assigned' } as Filter,
    },
    {
      title: own.concerns,
      count: concern.open,
      to: { ...WAITING, concern: 'open' } as Filter,
      sort: 'concernDue' as const,
      isBad: overdue > 0,
      note:
        overdue > 0
          ? `⚠ ${own.concernsOver(format.number(overdue))}`
          : concern.nextDue && own.nextDue(distance(concern.nextDue, now, language)),
    },
    {
      title: own.replies,
      count: counts.replyOverdue,
      to: WAITING,
      sort: 'replyBy' as const,
      isBad: counts.replyOverdue > 0,
    },
    {
      title: own.old,
      count: sum(age.filter(({ olderThan }) => !['P0D', 'P1D'].includes(olderThan))),
      to: { ...WAITING, view: 'unhandled', olderThan: 'P3D' } as Filter,
    },
    { title: own.late, count: counts.late, to: { ...WAITING, view: 'late' } as Filter },
    ...(MAY_SEE_HELD
      ? [{ title: own.held, count: ofStatus('held'), to: { status: ['held'] } as Filter, isBad: ofStatus('held') > 0 }]
      : []),
  ];
  return (
    <section aria-label={own.title}>
      <ul class="tiles plain no-max-width">
        {tiles.map(({ title, count, to, sort, isBad, note }) => (
          <li key={title}>
            <button
              type="button"
              class={isBad ? 'tile tile-bad' : 'tile'}
              aria-pressed={isSame(filter, to) && sort === undefined}
              onClick={() => onFilter(to, sort)}
            >
              <span class="tile-count">
                {isBad && <span aria-hidden="true">⚠ </span>}
                {format.number(count)}
                {counts.isMore && '+'}
              </span>
              <span class="tile-title">{title}</span>
              {note && <span class="quiet">{note}</span>}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
