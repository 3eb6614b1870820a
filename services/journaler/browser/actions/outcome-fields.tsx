import type { DepartmentAnswer } from '@indbakke/shared/api';
import { useEffect, useState } from 'preact/hooks';
import { call } from '../api.js';
import { inBoth, useTexts } from '../language.js';
import type { Outcome } from './bodies.js';
import { TextField } from './form.js';

const texts = inBoth({
  da: {
    legend: 'Hvad er der sket med brevet?',
    sentOn: 'Det er sendt videre',
    informed: 'Afsenderen er underrettet',
    nothing: 'Der er intet at gøre',
    later: 'Det ved jeg ikke endnu',
    laterHint: 'Brevet står som uafsluttet, til nogen har oplyst det.',
    to: 'Sendt til',
    elsewhere: 'Et andet sted …',
    choose: 'Vælg afdeling',
    place: 'Hvor er det sendt hen?',
    missing: 'Vælg, hvad der er sket med brevet.',
  },
  en: {
    legend: 'What became of the letter?',
    sentOn: 'It was sent on',
    informed: 'The sender was informed',
    nothing: 'There is nothing to do',
    later: 'I do not know yet',
    laterHint: 'The letter is shown as unfinished until somebody has told it.',
    to: 'Sent on to',
    elsewhere: 'Another place …',
    choose: 'Choose a department',
    place: 'Where was it sent?',
    missing: 'Choose what became of the letter.',
  },
});

/** What was chosen so far. */
export interface OutcomeDraft {
  readonly isSentOn: boolean;
  /** Id of a department; `''` = none yet, `elsewhere` = `place`. */
  readonly department: string;
  readonly place: string;
  readonly isInformed: boolean;
  /** Instead of the others. */
  readonly instead: 'nothing' | 'later' | undefined;
}

export const NO_OUTCOME: OutcomeDraft = {
  isSentOn: false,
  department: '',
  place: '',
  isInformed: false,
  instead: undefined,
};

const ELSEWHERE = ' elsewhere'; // no id begins with a space

/** Undefined: it is not known yet. */
export function outcomeOf({ isSentOn, department, place, isInformed, instead }: OutcomeDraft): Outcome | undefined {
  if (instead === 'later') return undefined;
  if (instead === 'nothing') return { nothingToDo: true };
  const to = department === ELSEWHERE ? { name: place.trim() } : { departmentId: department };
  return { ...(isSentOn && { forwardedTo: to }), ...(isInformed && { senderInformed: true }) };
}

interface OutcomeFieldsProps {
  readonly draft: OutcomeDraft;
  readonly onChange: (draft: OutcomeDraft) => void;
  /** Whether it may be told later. */
  readonly mayWait: boolean;
}

/** Sent on and informed are both possible; nothing to do, and not yet, are each instead of them. */
export function OutcomeFields({ draft, onChange, mayWait }: OutcomeFieldsProps) {
  const own = useTexts(texts);
  const departments = useDepartments();
  const { isSentOn, isInformed, instead, department } = draft;
  const isChosen = isSentOn || isInformed || instead !== undefined;
  const set = (change: Partial<OutcomeDraft>) => onChange({ ...draft, instead: undefined, ...change });
  const setInstead = (value: 'nothing' | 'later', isOn: boolean) =>
    onChange({ ...draft, isSentOn: false, isInformed: false, instead: isOn ? value : undefined });
  const box = (label: string, isOn: boolean, onChoose: (isOn: boolean) => void, isFirst = false) => (
    <label>
      <input
        type="checkbox"
        checked={isOn}
        // The browser says what is missing, at the first of them.
        ref={(input) => {
          if (isFirst) input?.setCustomValidity(isChosen ? '' : own.missing);
        }}
        onChange={(event) => onChoose(event.currentTarget.checked)}
      />
      <span>{label}</span>
    </label>
  );
  return (
    <fieldset class="choice">
      <legend class="form-label">{own.legend}</legend>
      {box(own.sentOn, isSentOn, (isOn) => set({ isSentOn: isOn }), true)}
      {isSentOn && (
        <div class="inner">
          <label class="form-label" for="department">
            {own.to}
          </label>
          <select
            id="department"
            class="form-input"
            required
            value={department}
            onChange={(event) => set({ department: event.currentTarget.value })}
          >
            <option value="">{own.choose}</option>
            {departments.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
            <option value={ELSEWHERE}>{own.elsewhere}</option>
          </select>
          {department === ELSEWHERE && (
            <TextField id="place" label={own.place} value={draft.place} onType={(place) => set({ place })} max={256} />
          )}
        </div>
      )}
      {box(own.informed, isInformed, (isOn) => set({ isInformed: isOn }))}
      {box(own.nothing, instead === 'nothing', (isOn) => setInstead('nothing', isOn))}
      {mayWait && box(own.later, instead === 'later', (isOn) => setInstead('later', isOn))}
      {instead === 'later' && <p class="hint">{own.laterHint}</p>}
    </fieldset>
  );
}

/** Those that letters can be sent on to. Without an answer, another place can still be told. */
function useDepartments(): readonly DepartmentAnswer[] {
  const [departments, setDepartments] = useState<readonly DepartmentAnswer[]>([]);
  useEffect(() => {
    const stop = new AbortController();
    call<{ items: DepartmentAnswer[] }>('GET', '/departments', { signal: stop.signal }).then(
      ({ items }) => setDepartments(items.filter(({ isActive }) => isActive)),
      () => {},
    );
    return () => stop.abort();
  }, []);
  return departments;
}
