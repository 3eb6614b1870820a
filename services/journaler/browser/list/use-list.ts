import type { DocumentSummary } from '@indbakke/shared/api';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { remember, remembered } from '../session.js';
import { isSame, type Page, type Query, readPage, WAITING } from './query.js';

interface Place {
  readonly query: Query;
  /** What the pages up to this one begin with; undefined: the first. */
  readonly cursors: readonly (string | undefined)[];
  readonly page: Page | undefined;
}

/** Who comes back from a letter is where they were. */
let left: Place | undefined;

const first = (query: Query): Place => ({ query, cursors: [undefined], page: undefined });

function begin(): Place {
  const { sort, pageSize } = remembered<Pick<Query, 'sort' | 'pageSize'>>('order', {
    sort: '-receivedAt',
    pageSize: 50,
  });
  return first({ filter: WAITING, sort, pageSize });
}

export interface List {
  readonly query: Query;
  readonly page: Page | undefined;
  /** Of the page; from 0. */
  readonly number: number;
  readonly isReading: boolean;
  readonly error: unknown;
  open(query: Query): void;
  /** From the page that comes, if one does. Resolves when the page is there. @param by 1 or -1 */
  turn(by: 1 | -1): Promise<void>;
  /** Reads the present page anew, in place. */
  again(): Promise<void>;
}

/**
 * The pages of a query, one at a time.
 *
 * @param ready what has to be known before something is read
 */
export function useList(ready: Promise<unknown>): List {
  const [place, setPlace] = useState<Place>(() => left ?? begin());
  const [isReading, setReading] = useState(false);
  const [error, setError] = useState<unknown>();
  const now = useRef(place);
  const reading = useRef<AbortController | undefined>(undefined);
  const read = useRef(Promise.resolve());
  const turned = useRef(Promise.resolve());

  const readPlace = useCallback(async (to: Place, isQuiet: boolean) => {
    reading.current?.abort();
    const mine = new AbortController();
    reading.current = mine;
    if (!isQuiet) setReading(true);
    try {
      await ready;
      let next = to;
      let page = await readPage(next.query, next.cursors.at(-1), mine.signal);
      if (page.items.length === 0 && next.cursors.length > 1) {
        // What was on the last page is gone.
        next = { ...next, cursors: next.cursors.slice(0, -1) };
        page = await readPage(next.query, next.cursors.at(-1), mine.signal);
      }
      if (mine.signal.aborted) return;
      now.current = { ...next, page: { ...page, items: keepSame(now.current.page?.items ?? [], page.items) } };
      left = now.current;
      setPlace(now.current);
      setError(undefined);
    } catch (failure) {
      if (mine.signal.aborted) return;
      setError(failure);
    }
    if (reading.current === mine) setReading(false);
  }, []);
  const go = useCallback((to: Place, isQuiet = false) => {
    read.current = readPlace(to, isQuiet);
    return read.current;
  }, []);

  useEffect(() => {
    void go(now.current, left !== undefined);
    return () => reading.current?.abort();
  }, []);

  return {
    query: place.query,
    page: place.page,
    number: place.cursors.length - 1,
    isReading,
    error,
    open(query) {
      remember('order', { sort: query.sort, pageSize: query.pageSize });
      now.current = { ...first(query), page: now.current.page };
      setPlace(now.current);
      void go(now.current);
    },
    turn(by) {
      const asked = now.current.query;
      const turn = async () => {
        await read.current;
        const { query, cursors, page } = now.current;
        // Meanwhile one has asked for something else.
        if (query !== asked) return;
        if (by === 1 && page?.next) await go({ query, page, cursors: [...cursors, page.next] });
        if (by === -1 && cursors.length > 1) await go({ query, page, cursors: cursors.slice(0, -1) });
      };
      turned.current = turned.current.then(turn);
      return turned.current;
    },
    async again() {
      // After what one has asked for, also meanwhile, which it must not end.
      for (let waited: Promise<void> | undefined; waited !== read.current; ) {
        waited = read.current;
        await waited;
      }
      await go(now.current, true);
    },
  };
}

/** The same object for a letter that has not changed: its row is not compared anew. */
function keepSame(before: readonly DocumentSummary[], items: readonly DocumentSummary[]): readonly DocumentSummary[] {
  const known = new Map(before.map((letter) => [letter.id, letter]));
  return items.map((letter) => {
    const old = known.get(letter.id);
    return old && isSame(old, letter) ? old : letter;
  });
}
