import type { DocumentAnswer } from '@indbakke/shared/api';
import { useEffect, useState } from 'preact/hooks';
import { inBoth, useTexts } from '../language.js';
import { remember, remembered } from '../session.js';
import { CHANGE_TEXTS } from './change-texts.js';
import { CHANGES, type Change, KEYS } from './changes.js';

const texts = inBoth({
  da: { actions: 'Handlinger', more: 'Flere handlinger', keys: 'Brug genvejstaster' },
  en: { actions: 'Actions', more: 'More actions', keys: 'Use shortcut keys' },
});

/** Done often enough to be in sight always. */
const FIRST: ReadonlySet<Change> = new Set<Change>([
  'journalized',
  'assigned',
  'rejected',
  'released',
  'reopened',
  'outcome-told',
  'distribution-asked',
  'taken-back',
  'concern-assessed',
  'concern-confirmed',
  'deletion-confirmed',
  'deletion-cancelled',
]);

interface ActionBarProps {
  readonly letter: DocumentAnswer;
  readonly onChoose: (change: Change) => void;
}

/** What this caller may do now, as buttons and keys. */
export function ActionBar({ letter, onChoose }: ActionBarProps) {
  const own = useTexts(texts);
  const allowed = CHANGES.filter((change) => letter.allowed.includes(change));
  const [hasKeys, setKeys] = useState(() => remembered('keys', true));
  useKeys(hasKeys ? allowed : [], onChoose);
  const buttonsOf = (changes: readonly Change[]) =>
    changes.map((change) => <ActionButton key={change} change={change} hasKeys={hasKeys} onChoose={onChoose} />);
  const more = allowed.filter((change) => !FIRST.has(change));
  if (allowed.length === 0) return null;
  return (
    <section class="actions" aria-label={own.actions}>
      <div class="buttons">{buttonsOf(allowed.filter((change) => FIRST.has(change)))}</div>
      <details>
        <summary>{own.more}</summary>
        <div class="buttons">{buttonsOf(more)}</div>
        <label class="switch">
          <input
            type="checkbox"
            checked={hasKeys}
            onChange={({ currentTarget: { checked } }) => {
              remember('keys', checked);
              setKeys(checked);
            }}
          />{' '}
          {own.keys}
        </label>
      </details>
    </section>
  );
}

interface ActionButtonProps {
  readonly change: Change;
  readonly hasKeys: boolean;
  readonly onChoose: (change: Change) => void;
}

function ActionButton({ change, hasKeys, onChoose }: ActionButtonProps) {
  const { name } = useTexts(CHANGE_TEXTS);
  const key = hasKeys ? KEYS[change] : undefined;
  return (
    <button
      class={`button ${change === 'journalized' ? 'button-primary' : 'button-secondary'}`}
      type="button"
      data-change={change}
      aria-keyshortcuts={key}
      onClick={() => onChoose(change)}
    >
      {name[change]}
      {key && <kbd>{key}</kbd>}
    </button>
  );
}

/** Single keys, but not while one types or a dialog is open (WCAG 2.1.4: they can be switched off). */
function useKeys(allowed: readonly Change[], onChoose: (change: Change) => void): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const { target, key, ctrlKey, metaKey, altKey, repeat } = event;
      if (ctrlKey || metaKey || altKey || repeat || event.defaultPrevented) return;
      if (target instanceof Element && target.closest('input, textarea, select, dialog')) return;
      const change = allowed.find((each) => KEYS[each] === key.toLowerCase());
      if (!change || document.querySelector('dialog[open]')) return;
      event.preventDefault();
      onChoose(change);
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  });
}
