import type { DocumentSummary, EventList } from '@indbakke/shared/api';
import { useRef } from 'preact/hooks';
import { inBoth, useTexts } from '../language.js';
import { hasRole } from '../session.js';

const texts = inBoth({
  da: { letters: (count: number) => (count === 1 ? '1 nyt brev' : `${count} nye breve`) },
  en: { letters: (count: number) => (count === 1 ? '1 new letter' : `${count} new letters`) },
});

/** Events by which a letter comes in sight: for who sees only their own, it also does when it is found to be theirs. */
const COMES: readonly string[] = hasRole('IndkomneDokumenter.SeAlle')
  ? ['accepted', 'taken-over', 'released']
  : ['accepted', 'taken-over', 'released', 'suggested', 'assigned'];

/** How many letters are new since that was last seen, in words. A letter is new once, and not when it has been on the page. */
export function useNews(shown: readonly DocumentSummary[] | undefined) {
  const own = useTexts(texts);
  const known = useRef(new Set<string>());
  const count = useRef(0);
  const told = useRef(own);
  told.current = own;
  // What was on the page before the change.
  const before = useRef<readonly DocumentSummary[]>([]);
  if (shown && shown !== before.current) {
    for (const { id } of before.current) known.current.add(id);
    before.current = shown;
  }
  return {
    of(events: EventList['events']): string | undefined {
      const ids = events.filter(({ type }) => COMES.includes(type)).map(({ messageId }) => messageId);
      const fresh = new Set(ids.filter((id) => !known.current.has(id)));
      for (const id of fresh) known.current.add(id);
      count.current += fresh.size;
      return fresh.size > 0 ? told.current.letters(count.current) : undefined;
    },
    /** What was told is seen: it counts from nothing. */
    forget() {
      count.current = 0;
    },
  };
}
