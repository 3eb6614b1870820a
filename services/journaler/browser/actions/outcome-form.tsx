import { useState } from 'preact/hooks';
import { inBoth, useTexts } from '../language.js';
import type { Outcome } from './bodies.js';
import { ActionForm, type ActionProps } from './form.js';
import { NO_OUTCOME, OutcomeFields, outcomeOf } from './outcome-fields.js';

const texts = inBoth({
  da: {
    title: (count: number) => (count === 1 ? 'Oplys, hvad der skete' : `Oplys, hvad der skete med ${count} breve`),
    submit: 'Gem',
  },
  en: {
    title: (count: number) => (count === 1 ? 'Tell what happened' : `Tell what happened to ${count} letters`),
    submit: 'Save',
  },
});

/** What became of rejected letters, told later. */
export function OutcomeForm({ count, children, onSubmit, ...rest }: ActionProps<Outcome>) {
  const own = useTexts(texts);
  const [draft, setDraft] = useState(NO_OUTCOME);
  const submit = () => {
    const outcome = outcomeOf(draft);
    if (outcome) onSubmit(outcome);
  };
  return (
    <ActionForm title={own.title(count)} submit={own.submit} notice={children} onSubmit={submit} {...rest}>
      <OutcomeFields draft={draft} onChange={setDraft} mayWait={false} />
    </ActionForm>
  );
}
