import type { ComponentChildren } from 'preact';
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { inBoth, useTexts } from '../language.js';

const texts = inBoth({
  da: { ask: 'Vil du kassere det, du har skrevet?', discard: 'Kassér', goOn: 'Skriv videre' },
  en: { ask: 'Do you want to discard what you typed?', discard: 'Discard', goOn: 'Go on' },
});

interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  /** `close` asks first when something was typed. */
  readonly children: (close: () => void) => ComponentChildren;
}

/**
 * A dialog over the page. The focus goes in (to what has `data-first`, else to the first field), and back when it is gone. Escape closes it, and asks first
 * when something was typed.
 */
export function Dialog({ title, onClose, children }: DialogProps) {
  const own = useTexts(texts);
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  const isTyped = useRef(false);
  const [asks, setAsks] = useState(false);
  useLayoutEffect(() => {
    const before = document.activeElement;
    const shown = dialog.current;
    shown?.showModal();
    shown?.querySelector<HTMLElement>('[data-first]')?.focus();
    return () => {
      shown?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  const close = () => (isTyped.current ? setAsks(true) : onClose());
  return (
    <dialog
      ref={dialog}
      class="action"
      aria-labelledby={heading}
      onInput={() => {
        isTyped.current = true;
      }}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || event.isComposing) return;
        // Here and not at `cancel`, which a browser lets nobody prevent twice.
        event.preventDefault();
        close();
      }}
      onCancel={(event) => {
        if (event.target !== dialog.current) return;
        event.preventDefault();
        close();
      }}
    >
      <h2 id={heading}>{title}</h2>
      {asks && <Question onYes={onClose} onNo={() => setAsks(false)} ask={own.ask} yes={own.discard} no={own.goOn} />}
      {children(close)}
    </dialog>
  );
}

interface QuestionProps {
  readonly ask: string;
  readonly yes: string;
  readonly no: string;
  readonly onYes: () => void;
  readonly onNo: () => void;
}

function Question({ ask, yes, no, onYes, onNo }: QuestionProps) {
  const first = useRef<HTMLButtonElement>(null);
  const before = useRef(document.activeElement);
  useEffect(() => first.current?.focus(), []);
  const stay = () => {
    onNo();
    if (before.current instanceof HTMLElement) before.current.focus();
  };
  return (
    <div class="alert alert-warning" role="alert">
      <p>{ask}</p>
      <div class="answers">
        <button ref={first} class="button button-primary" type="button" onClick={stay}>
          {no}
        </button>
        <button class="button button-secondary" type="button" onClick={onYes}>
          {yes}
        </button>
      </div>
    </div>
  );
}
