import type { OnwardBody } from '@indbakke/shared/api';
import { useState } from 'preact/hooks';
import { inBoth, useTexts } from '../language.js';
import { ActionForm, type ActionProps, TextField } from './form.js';

const texts = inBoth({
  da: {
    title: 'Send videre til anden myndighed (Fordelingskomponenten)',
    submit: 'Send videre',
    recipient: 'Myndighedens CVR-nummer',
    kle: 'KLE-emne',
    kleHint: 'Hvad brevet handler om, fx 27.24.00. Myndigheden fordeler efter det.',
    facet: 'Handlingsfacet (valgfri)',
  },
  en: {
    title: 'Send on to another authority (Fordelingskomponenten)',
    submit: 'Send on',
    recipient: 'CVR number of the authority',
    kle: 'KLE number',
    kleHint: 'What the letter is about, such as 27.24.00. The authority distributes by it.',
    facet: 'Facet (optional)',
  },
});

/** To which authority a rejected letter is sent on. */
export function SendOnForm({ count: _, children, onSubmit, ...rest }: ActionProps<OnwardBody>) {
  const own = useTexts(texts);
  const [recipient, setRecipient] = useState('');
  const [kle, setKle] = useState('');
  const [facet, setFacet] = useState('');
  const submit = () => onSubmit({ recipient, kle: kle.trim(), ...(facet.trim() && { facet: facet.trim() }) });
  return (
    <ActionForm title={own.title} submit={own.submit} notice={children} onSubmit={submit} {...rest}>
      <TextField id="recipient" label={own.recipient} value={recipient} onType={setRecipient} max={20} isFirst />
      <TextField id="kle" label={own.kle} hint={own.kleHint} value={kle} onType={setKle} max={20} />
      <TextField id="facet" label={own.facet} value={facet} onType={setFacet} max={10} isOptional />
    </ActionForm>
  );
}
