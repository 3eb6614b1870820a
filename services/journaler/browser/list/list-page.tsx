import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { ErrorAlert } from '../errors.js';
import { Title } from '../frame.js';
import { inBoth, useFormat, useTexts } from '../language.js';
import { HowToGetLetters } from '../newcomer.js';
import { remember, remembered } from '../session.js';
import { type Asked, Bulk, isPossible } from './bulk.js';
import { beginToFollow, useChanges } from './changes.js';
import { COLUMNS, type ColumnId, USUAL_COLUMNS } from './columns.js';
import { ColumnsDialog } from './columns-dialog.js';
import { Tiles, useCounts } from './counts.js';
import { Filters } from './filters.js';
import { KeysDialog, useKeys } from './keys.js';
import { useNews } from './news.js';
import { Pager } from './pager.js';
import { type Filter, isSame, sortsFor, WAITING } from './query.js';
import { useSelection } from './selection.js';
import { focusedLetter, focusFirstRow, focusLetter, Table } from './table.js';
import { Tools } from './tools.js';
import { useList } from './use-list.js';
import { Views } from './views.js';
import { Zips } from './zips.js';

const texts = inBoth({
  da: {
    title: 'Indkomne dokumenter',
    none: 'Her er ingen breve.',
    nonePassed: 'Ingen breve passer til filteret.',
    reading: 'Henter …',
    page: (from: string, to: string, of: string | undefined) =>
      of === undefined ? `Breve ${from}–${to}` : `Breve ${from}–${to} af ${of}`,
    select: 'Vælg først et eller flere breve med x.',
  },
  en: {
    title: 'Incoming documents',
    none: 'There are no letters here.',
    nonePassed: 'No letters match the filter.',
    reading: 'Reading …',
    page: (from: string, to: string, of: string | undefined) =>
      of === undefined ? `Letters ${from}–${to}` : `Letters ${from}–${to} of ${of}`,
    select: 'Select one or more letters with x first.',
  },
});

const MINUTE = 60_000;

/** Those that there still are; without the subject, no letter could be opened. */
function rememberedColumns(): readonly ColumnId[] {
  const known = Object.keys(COLUMNS) as ColumnId[];
  const ids = remembered<readonly ColumnId[]>('columns', USUAL_COLUMNS).filter((id) => known.includes(id));
  return ids.includes('subject') ? ids : USUAL_COLUMNS;
}

/** Indkomne dokumenter. */
export function ListPage() {
  const own = useTexts(texts);
  const format = useFormat();
  const following = useMemo(beginToFollow, []);
  const list = useList(following);
  const { query, page, number } = list;
  const counts = useCounts(query.filter);
  const selection = useSelection();
  const news = useNews(page?.items);
  const now = useNow();
  const [columns, setColumns] = useState(rememberedColumns);
  const [hasKeys, setHasKeys] = useState(() => remembered('keys', true));
  const [dialog, setDialog] = useState<'columns' | 'keys'>();
  const [asked, setAsked] = useState<Asked>();
  const [zipsAsked, setZipsAsked] = useState(0);
  const [told, setTold] = useState('');
  const [failure, setFailure] = useState<unknown>();

  const turning = useRef(0);
  useLayoutEffect(() => {
    if (turning.current > 0) focusFirstRow();
  }, [number]);
  useReturn();

  useChanges(async (events) => {
    await list.again();
    counts.again();
    const sentence = news.of(events);
    if (sentence) setTold(sentence);
  });

  const open = (filter: Filter, sort = query.sort) => {
    const sorts = sortsFor(filter);
    list.open({ ...query, filter, sort: sorts.includes(sort) ? sort : '-receivedAt' });
    setTold('');
    news.forget();
  };
  const turn = async (by: 1 | -1) => {
    turning.current += 1;
    await list.turn(by);
    turning.current -= 1;
  };
  const ask = (what: 'assign' | 'reject') => {
    if (!isPossible(what, query.filter)) return;
    if (selection.selected.size > 0) setAsked(what);
    else setTold(own.select);
  };
  useKeys(hasKeys, (key) => {
    const letter = page?.items.find(({ id }) => id === focusedLetter());
    if (key === 'x' && letter) selection.change.toggle(letter);
    if (key === 'n') void turn(1);
    if (key === 'p') void turn(-1);
    if (key === 't') ask('assign');
    if (key === 'a') ask('reject');
    if (key === '?') setDialog('keys');
  });

  const first = number * query.pageSize + 1;
  const { matching } = counts;
  const total = matching && `${format.number(matching.total)}${matching.isMore ? '+' : ''}`;
  const count = page?.items.length ?? 0;
  const place = own.page(format.number(first), format.number(first + count - 1), total);
  const none = isSame(query.filter, WAITING) ? own.none : own.nonePassed;
  return (
    <div class="list-page">
      <Title>{own.title}</Title>
      <p class={told ? 'told' : 'told told-nothing'} role="status">
        {told}
      </p>
      {counts.waiting && <Tiles counts={counts.waiting} filter={query.filter} now={now} onFilter={open} />}
      <Views filter={query.filter} onFilter={open} />
      <Filters filter={query.filter} contactPoints={counts.waiting?.contactPoint ?? []} onFilter={open} />
      <ErrorAlert error={list.error ?? failure} />
      <Zips asked={zipsAsked} onTell={setTold} />
      <Bulk
        filter={query.filter}
        matching={total}
        selection={selection}
        asked={asked}
        onAsk={setAsked}
        onDone={() => void list.again()}
        onZip={() => setZipsAsked((times) => times + 1)}
      />
      <div id="list" aria-busy={list.isReading}>
        <div class="list-head">
          <p class="place" role="status">
            {list.isReading || !page ? !list.error && own.reading : count > 0 ? place : none}
          </p>
          <Tools query={query} onSort={(sort) => open(query.filter, sort)} onAsk={setDialog} onError={setFailure} />
        </div>
        {page && count === 0 && isSame(query.filter, WAITING) && <HowToGetLetters />}
        {page && count > 0 && (
          <Table
            caption={place}
            letters={page.items}
            columns={columns}
            sort={query.sort}
            selection={selection}
            now={now}
          />
        )}
      </div>
      <Pager
        number={number}
        hasNext={page?.next != null}
        pageSize={query.pageSize}
        onTurn={(by) => void turn(by)}
        onSize={(pageSize) => list.open({ ...query, pageSize })}
      />
      {dialog === 'columns' && (
        <ColumnsDialog
          columns={columns}
          onClose={() => setDialog(undefined)}
          onSave={(chosen) => {
            remember('columns', chosen);
            setColumns(chosen);
            setDialog(undefined);
          }}
        />
      )}
      {dialog === 'keys' && (
        <KeysDialog
          isOn={hasKeys}
          onClose={() => setDialog(undefined)}
          onSwitch={(isOn) => {
            remember('keys', isOn);
            setHasKeys(isOn);
          }}
        />
      )}
    </div>
  );
}

/** Where one was when a letter was opened. */
let opened: string | undefined;

/** Who comes back from a letter has the focus on its row. */
function useReturn(): void {
  useLayoutEffect(() => {
    if (opened !== undefined) focusLetter(opened);
    return () => {
      opened = focusedLetter();
    };
  }, []);
}

/** The time, by the minute. */
function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), MINUTE);
    return () => clearInterval(timer);
  }, []);
  return now;
}
