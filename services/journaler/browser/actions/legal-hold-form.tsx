import { useState } from 'preact/hooks';
import { inBoth, useTexts } from '../language.js';
import type { LegalHold } from './bodies.js';
import { ActionForm, type ActionProps, TextField } from './form.js';

const texts = inBoth({
  da: {
    set: 'Sæt under juridisk bevaring',
    setMeaning: 'Brevet kan ikke slettes, hverken af nogen eller af en frist. En sletning, der er i gang, standses.',
    lift: 'Ophæv juridisk bevaring',
    liftMeaning: 'Brevet kan slettes igen.',
    reason: 'Begrundelse',
    hint: '3 til 1000 tegn.',
  },
  en: {
    set: 'Put under a legal hold',
    setMeaning: 'The letter cannot be deleted, by a person or a rule. A deletion that is under way is stopped.',
    lift: 'Lift the legal hold',
    liftMeaning: 'The letter can be deleted again.',
    reason: 'Reason',
    hint: '3 to 1000 characters.',
  },
});

interface LegalHoldProps extends ActionProps<LegalHold> {
  readonly isLifted: boolean;
}

/** Sets a legal hold, or lifts it. */
export function LegalHoldForm({ isLifted, children, onSubmit, count: _, ...rest }: LegalHoldProps) {
  const own = useTexts(texts);
  const [reason, setReason] = useState('');
  const title = isLifted ? own.lift : own.set;
  return (
    <ActionForm
      title={title}
      submit={title}
      notice={children}
      onSubmit={() => onSubmit({ reason: reason.trim() })}
      {...rest}
    >
      <p>{isLifted ? own.liftMeaning : own.setMeaning}</p>
      <TextField
        id="reason"
        label={own.reason}
        hint={own.hint}
        value={reason}
        onType={setReason}
        min={3}
        max={1_000}
        rows={3}
        isFirst
      />
    </ActionForm>
  );
}
