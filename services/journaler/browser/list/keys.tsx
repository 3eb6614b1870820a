import { useEffect, useRef } from 'preact/hooks';
import { Dialog } from '../actions/dialog.js';
import { inBoth, useTexts } from '../language.js';
import { focusRow } from './table.js';

const texts = inBoth({
  da: {
    title: 'Genvejstaster',
    keys: {
      j: 'Næste brev (også ↓ i listen og fra søgefeltet)',
      k: 'Forrige brev (også ↑ i listen)',
      Enter: 'Åbn brevet',
      x: 'Vælg eller fravælg brevet',
      n: 'Næste side',
      p: 'Forrige side',
      t: 'Tildel de valgte',
      a: 'Afvis de valgte',
      '/': 'Søg',
      '?': 'Vis disse taster',
    } as Record<string, string>,
    on: 'Brug enkelte taster som genveje',
    close: 'Luk',
  },
  en: {
    title: 'Keys',
    keys: {
      j: 'Next letter (also ↓ in the list, and from the search field)',
      k: 'Previous letter (also ↑ in the list)',
      Enter: 'Open the letter',
      x: 'Select or deselect the letter',
      n: 'Next page',
      p: 'Previous page',
      t: 'Assign those selected',
      a: 'Reject those selected',
      '/': 'Search',
      '?': 'Show these keys',
    },
    on: 'Use single keys',
    close: 'Close',
  },
});

/** Tildel and afvis have the keys that they have on the page of one letter. */
export type Key = 'x' | 'n' | 'p' | 't' | 'a' | '?';

/**
 * Single keys, while nobody types and no dialog is open.
 *
 * @param isOn whoever dictates, or hits keys by accident, can switch them off (WCAG 2.1.4); arrows in the list go on working
 */
export function useKeys(isOn: boolean, onKey: (key: Key) => void): void {
  const latest = useRef({ isOn, onKey });
  latest.current = { isOn, onKey };
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
      if (isTyping(event.target) || document.querySelector('dialog[open]')) return;
      if (act(event)) event.preventDefault();
    };
    addEventListener('keydown', listen);
    return () => removeEventListener('keydown', listen);
  }, []);

  const act = ({ key, target }: KeyboardEvent): boolean => {
    const isInList = target instanceof Element && target.closest('.letters') !== null;
    if (isInList && (key === 'ArrowDown' || key === 'ArrowUp')) return focusRow(key === 'ArrowDown' ? 1 : -1);
    if (!latest.current.isOn) return false;
    if (key === 'j' || key === 'k') return focusRow(key === 'j' ? 1 : -1);
    if (key === '/') {
      document.getElementById('search')?.focus();
      return true;
    }
    if (!['x', 'n', 'p', 't', 'a', '?'].includes(key)) return false;
    latest.current.onKey(key as Key);
    return true;
  };
}

const NO_TEXT = ['checkbox', 'radio', 'button', 'submit'];

function isTyping(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement) return !NO_TEXT.includes(target.type);
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}

interface KeysDialogProps {
  readonly isOn: boolean;
  readonly onSwitch: (isOn: boolean) => void;
  readonly onClose: () => void;
}

export function KeysDialog({ isOn, onSwitch, onClose }: KeysDialogProps) {
  const own = useTexts(texts);
  return (
    <Dialog title={own.title} onClose={onClose}>
      {() => (
        <>
          <dl>
            {Object.entries(own.keys).map(([key, meaning]) => (
              <div key={key}>
                <dt>
                  <kbd>{key}</kbd>
                </dt>
                <dd>{meaning}</dd>
              </div>
            ))}
          </dl>
          <div class="choice">
            <label>
              <input
                type="checkbox"
                checked={isOn}
                // It counts at once: there is nothing that would be lost.
                onInput={(event) => event.stopPropagation()}
                onChange={({ currentTarget }) => onSwitch(currentTarget.checked)}
              />
              <span>{own.on}</span>
            </label>
          </div>
          <div class="answers">
            <button type="button" class="button button-primary" data-first onClick={onClose}>
              {own.close}
            </button>
          </div>
        </>
      )}
    </Dialog>
  );
}
