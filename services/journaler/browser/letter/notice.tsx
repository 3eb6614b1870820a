import { useEffect, useRef } from 'preact/hooks';
import { inBoth, useTexts } from '../language.js';
import { CHANGE_TEXTS } from './change-texts.js';
import type { Step } from './changes.js';
import type { Done } from './use-letter.js';

const texts = inBoth({
  da: { undo: 'Fortryd', undone: 'Fortrudt.' },
  en: { undo: 'Undo', undone: 'Undone.' },
});

interface NoticeProps {
  readonly done: Done | undefined;
  /** A dialog is over it still. */
  readonly isCovered: boolean;
  readonly onUndo: (step: Step) => void;
}

/** What was done last, with a way back. It gets the focus, as the button that was pressed may be gone. */
export function Notice({ done, isCovered, onUndo }: NoticeProps) {
  const own = useTexts(texts);
  const { done: sentences } = useTexts(CHANGE_TEXTS);
  const place = useRef<HTMLDivElement>(null);
  const told = useRef<Done | undefined>(undefined);
  useEffect(() => {
    if (isCovered || told.current === done) return;
    told.current = done;
    place.current?.focus();
  }, [done, isCovered]);
  const { undo } = done ?? {};
  return (
    <div ref={place} role="status" class={done ? 'alert alert-success notice' : ''} tabIndex={-1}>
      {done && (
        <p>
          {done.isUndoing && `${own.undone} `}
          {sentences[done.change](done.after)}
        </p>
      )}
      {undo && (
        <button class="button button-secondary" type="button" onClick={() => onUndo(undo)}>
          {own.undo}
        </button>
      )}
    </div>
  );
}
