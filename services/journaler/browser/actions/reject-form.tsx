import { useState } from 'preact/hooks';
import { inBoth, useTexts } from '../language.js';
import type { Rejection } from './bodies.js';
import { ActionForm, type ActionProps, Choice, TextField } from './form.js';
import { NO_OUTCOME, OutcomeFields, outcomeOf } from './outcome-fields.js';
import { CHOICES, optionsOf } from './words.js';

const texts = inBoth({
  da: {
    title: (count: number) => (count === 1 ? 'Afvis brevet' : `Afvis ${count} breve`),
    submit: 'Afvis',
    reason: 'Hvorfor?',
    explanation: 'Begrundelse',
    hint: '3 til 1000 tegn. Afsenderen får ikke besked.',
  },
  en: {
    title: (count: number) => (count === 1 ? 'Reject the letter' : `Reject ${count} letters`),
    submit: 'Reject',
    reason: 'Why?',
    explanation: 'Explanation',
    hint: '3 to 1000 characters. The sender is not told.',
  },
});

/** Rejects letters: reason, explanation and outcome. */
export function RejectForm({ count, children, onSubmit, ...rest }: ActionProps<Rejection>) {
  const own = useTexts(texts);
  const { rejection } = useTexts(CHOICES);
  const [reason, setReason] = useState<Rejection['reason']>();
  const [explanation, setExplanation] = useState('');
  const [draft, setDraft] = useState(NO_OUTCOME);
  const submit = () => {
    const outcome = outcomeOf(draft);
    if (reason) onSubmit({ reason, explanation: explanation.trim(), ...(outcome && { outcome }) });
  };
  return (
    <ActionForm title={own.title(count)} submit={own.submit} notice={children} onSubmit={submit} {...rest}>
      <Choice legend={own.reason} name="reason" options={optionsOf(rejection)} value={reason} onChoose={setReason} />
      <TextField
        id="explanation"
        label={own.explanation}
        hint={own.hint}
        value={explanation}
        onType={setExplanation}
        min={3}
        max={1_000}
        rows={3}
      />
      <OutcomeFields draft={draft} onChange={setDraft} mayWait />
    </ActionForm>
  );
}
