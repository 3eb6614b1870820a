import type { DocumentSummary } from '@indbakke/shared/api';
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
    hint: {
      sf1606: '3 til 1000 tegn. Afsenderen får ikke besked.',
      sf2900: '3 til 1000 tegn. Kun kommunen selv læser den.',
      any: '3 til 1000 tegn. Afsendere i Digital Post får ikke besked; afsendere af dokumenter får kun at vide, at de er afvist.',
    },
    forSender: 'Begrundelse til afsenderen',
    forSenderHint: 'Den myndighed, der sendte dokumentet, læser den. Op til 1000 tegn; kan udelades.',
    isFinal: 'Når afsenderen har fået besked, kan afvisningen ikke fortrydes.',
  },
  en: {
    title: (count: number) => (count === 1 ? 'Reject the letter' : `Reject ${count} letters`),
    submit: 'Reject',
    reason: 'Why?',
    explanation: 'Explanation',
    hint: {
      sf1606: '3 to 1000 characters. The sender is not told.',
      sf2900: '3 to 1000 characters. Only the municipality reads it.',
      any: '3 to 1000 characters. Senders in Digital Post are not told; senders of documents are told only that they are rejected.',
    },
    forSender: 'Explanation for the sender',
    forSenderHint: 'The authority that sent the document reads it. Up to 1000 characters; it may be left out.',
    isFinal: 'Once the sender is told, the rejection cannot be undone.',
  },
});

interface RejectProps extends ActionProps<Rejection> {
  /** By which they came; undefined: several letters, by either. */
  readonly channel?: DocumentSummary['channel'];
}

/** Rejects letters: reason, explanation and outcome; of a document what its sender reads too. */
export function RejectForm({ count, channel, children, onSubmit, ...rest }: RejectProps) {
  const own = useTexts(texts);
  const { rejection } = useTexts(CHOICES);
  const [reason, setReason] = useState<Rejection['reason']>();
  const [explanation, setExplanation] = useState('');
  const [forSender, setForSender] = useState('');
  const [draft, setDraft] = useState(NO_OUTCOME);
  const submit = () => {
    const outcome = outcomeOf(draft);
    const reasonForSender = forSender.trim();
    if (!reason) return;
    onSubmit({
      reason,
      explanation: explanation.trim(),
      ...(reasonForSender && { reasonForSender }),
      ...(outcome && { outcome }),
    });
  };
  return (
    <ActionForm title={own.title(count)} submit={own.submit} notice={children} onSubmit={submit} {...rest}>
      <Choice legend={own.reason} name="reason" options={optionsOf(rejection)} value={reason} onChoose={setReason} />
      <TextField
        id="explanation"
        label={own.explanation}
        hint={own.hint[channel ?? 'any']}
        value={explanation}
        onType={setExplanation}
        min={3}
        max={1_000}
        rows={3}
      />
      {channel === 'sf2900' && (
        <>
          <TextField
            id="reason-for-sender"
            label={own.forSender}
            hint={own.forSenderHint}
            value={forSender}
            onType={setForSender}
            max={1_000}
            rows={3}
            isOptional
          />
          <p>{own.isFinal}</p>
        </>
      )}
      <OutcomeFields draft={draft} onChange={setDraft} mayWait />
    </ActionForm>
  );
}
