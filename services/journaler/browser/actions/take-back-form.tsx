import { useState } from 'preact/hooks';
import { inBoth, useTexts } from '../language.js';
import type { TakingBack } from './bodies.js';
import { ActionForm, type ActionProps, Choice } from './form.js';
import { CHOICES, optionsOf } from './words.js';

const texts = inBoth({
  da: {
    title: (count: number) => (count === 1 ? 'Tag journaliseringen tilbage' : `Tag ${count} journaliseringer tilbage`),
    submit: 'Tag tilbage',
    meaning: 'Brevet venter igen i indbakken. Det, der ligger på sagen, skal fjernes i fagsystemet.',
    told: 'Afsenderen har fået besked om, at dokumentet er journaliseret, eller kan have fået det. Den besked kan ikke trækkes tilbage.',
    reason: 'Hvorfor?',
  },
  en: {
    title: (count: number) => (count === 1 ? 'Take the journalization back' : `Take ${count} journalizations back`),
    submit: 'Take back',
    meaning: 'The letter waits in the inbox again. What is on the case must be removed in the case system.',
    told: 'The sender has been told that the document is journalized, or may have been. That cannot be called back.',
    reason: 'Why?',
  },
});

interface TakeBackProps extends ActionProps<TakingBack> {
  /** Whether the sender knows of the journalization, or may. */
  readonly isTold: boolean;
}

/** Takes journalizations back. */
export function TakeBackForm({ count, isTold, children, onSubmit, ...rest }: TakeBackProps) {
  const own = useTexts(texts);
  const { takingBack } = useTexts(CHOICES);
  const [reason, setReason] = useState<TakingBack['reason']>();
  return (
    <ActionForm
      title={own.title(count)}
      submit={own.submit}
      notice={children}
      onSubmit={() => reason && onSubmit({ reason })}
      {...rest}
    >
      <p>{own.meaning}</p>
      {isTold && <p class="alert alert-warning">{own.told}</p>}
      <Choice legend={own.reason} name="reason" options={optionsOf(takingBack)} value={reason} onChoose={setReason} />
    </ActionForm>
  );
}
