import { useState } from 'preact/hooks';
import { inBoth, useTexts } from '../language.js';
import type { Journalization } from './bodies.js';
import { ActionForm, type ActionProps, TextField } from './form.js';

const texts = inBoth({
  da: {
    title: (count: number) => (count === 1 ? 'Journalisér brevet' : `Journalisér ${count} breve`),
    submit: 'Journalisér',
    caseId: 'Sag',
    suggested: 'Den foreslåede sag står der allerede.',
    several: 'Flere sager skrives med komma imellem.',
  },
  en: {
    title: (count: number) => (count === 1 ? 'Journalize the letter' : `Journalize ${count} letters`),
    submit: 'Journalize',
    caseId: 'Case',
    suggested: 'The suggested case is there already.',
    several: 'Several cases are written with commas between.',
  },
});

interface JournalizeProps extends ActionProps<Journalization> {
  /** The case that is filled in; Enter takes it. */
  readonly suggestedCase?: string | undefined;
}

/** Journalizes letters on a case, or on several. */
export function JournalizeForm({ count, suggestedCase, children, onSubmit, ...rest }: JournalizeProps) {
  const own = useTexts(texts);
  const [typed, setTyped] = useState(suggestedCase ?? '');
  const submit = () => {
    const caseIds = typed.split(',').map((each) => each.trim());
    onSubmit({ caseIds: caseIds.filter((each) => each !== '') });
  };
  return (
    <ActionForm
      title={own.title(count)}
      submit={own.submit}
      isFilled={suggestedCase !== undefined}
      notice={children}
      onSubmit={submit}
      {...rest}
    >
      <TextField
        id="case"
        label={own.caseId}
        hint={suggestedCase === undefined ? own.several : `${own.suggested} ${own.several}`}
        value={typed}
        onType={setTyped}
        max={2_000}
        isFirst={suggestedCase === undefined}
      />
    </ActionForm>
  );
}
