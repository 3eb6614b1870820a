import { useState } from 'preact/hooks';
import { inBoth, useTexts } from '../language.js';
import type { Deletion } from './bodies.js';
import { ActionForm, type ActionProps, YesOrNo } from './form.js';

const texts = inBoth({
  da: {
    title: (count: number) => (count === 1 ? 'Slet brevet for altid' : `Slet ${count} breve for altid`),
    submit: 'Slet for altid',
    meaning: (count: number): string =>
      count === 1
        ? 'Brevet, alle bilag og alt personligt forsvinder og kan ikke hentes frem igen, heller ikke fra en sikkerhedskopi. Tilbage bliver kun, at der var et brev, og hvornår det blev slettet.'
        : 'Brevene, alle bilag og alt personligt forsvinder og kan ikke hentes frem igen, heller ikke fra en sikkerhedskopi. Tilbage bliver kun, at der var breve, og hvornår de blev slettet.',
    settings:
      'Har kommunen valgt det, skal en anden først bekræfte sletningen, eller den sker først efter nogle dage. Til da kan den fortrydes.',
    sentOn: 'Er brevet sendt videre til den, det er til?',
    informed: 'Er afsenderen underrettet?',
  },
  en: {
    title: (count: number) => (count === 1 ? 'Delete the letter for good' : `Delete ${count} letters for good`),
    submit: 'Delete for good',
    meaning: (count: number) =>
      count === 1
        ? 'The letter, all attachments and everything personal are destroyed and cannot be brought back, not from a backup either. What remains is that there was a letter, and when it was deleted.'
        : 'The letters, all attachments and everything personal are destroyed and cannot be brought back, not from a backup either. What remains is that there were letters, and when they were deleted.',
    settings:
      'If the municipality has chosen so, another person confirms the deletion first, or it takes place after some days. Until then it can be cancelled.',
    sentOn: 'Has the letter been sent on to whom it is for?',
    informed: 'Has the sender been informed?',
  },
});

/** Deletes rejected letters for good. Both questions are asked, whatever was told before. */
export function DeleteForm({ count, children, onSubmit, ...rest }: ActionProps<Deletion>) {
  const own = useTexts(texts);
  const [sentOn, setSentOn] = useState<boolean>();
  const [senderInformed, setSenderInformed] = useState<boolean>();
  const submit = () => {
    if (sentOn !== undefined && senderInformed !== undefined) onSubmit({ sentOn, senderInformed });
  };
  return (
    <ActionForm title={own.title(count)} submit={own.submit} notice={children} onSubmit={submit} {...rest}>
      <p>{own.meaning(count)}</p>
      <p class="hint">{own.settings}</p>
      <YesOrNo legend={own.sentOn} name="sentOn" value={sentOn} onChoose={setSentOn} />
      <YesOrNo legend={own.informed} name="senderInformed" value={senderInformed} onChoose={setSenderInformed} />
    </ActionForm>
  );
}
