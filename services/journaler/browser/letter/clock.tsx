import { inBoth, useFormat, useTexts } from '../language.js';

const texts = inBoth({
  da: { over: 'Overskredet' },
  en: { over: 'Overdue' },
});

/** A time by which something is to be done. */
export function Clock({ at, isOver }: { readonly at: string; readonly isOver: boolean }) {
  const own = useTexts(texts);
  const format = useFormat();
  return (
    <>
      {format.time(at)} {isOver && <strong class="badge badge-error">{own.over}</strong>}
    </>
  );
}
