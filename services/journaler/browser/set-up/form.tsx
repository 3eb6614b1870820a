import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ErrorAlert } from '../errors.js';
import { inBoth, useLanguage, useTexts } from '../language.js';
import { type Fault, faultInWords, faultsOf } from './faults.js';
import { FormContext } from './fields.js';
import { LABELS } from './labels.js';
import type { Values } from './values.js';

const texts = inBoth({
  da: {
    mend: 'Det er ikke gemt endnu. Ret det her, og gem igen:',
    unsaved: 'Du har skrevet noget, der ikke er gemt. Det bliver her, også hvis du går til en anden side.',
    discard: 'Fortryd det, jeg har skrevet',
    busy: 'Gemmer …',
  },
  en: {
    mend: 'It is not saved yet. Mend this, and save again:',
    unsaved: 'You have typed something that is not saved. It stays here, also when you go to another page.',
    discard: 'Discard what I typed',
    busy: 'Saving …',
  },
});

interface FormProps {
  readonly values: Values;
  readonly isChanged: boolean;
  /** A sentence, when it was saved. */
  readonly saved: string | undefined;
  readonly submit: string;
  onValues(values: Values): void;
  onDiscard(): void;
  /** @throws ApiError */
  onSave(): Promise<void>;
  readonly children: ComponentChildren;
}

/** A form that keeps what was typed, whatever the answer is; of what is refused, the first field has the focus. */
export function Form({ values, isChanged, saved, submit, onValues, onDiscard, onSave, children }: FormProps) {
  const own = useTexts(texts);
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const faults = faultsOf(error);
  useEffect(() => {
    if (!error) return;
    const find = (what: string) => form.current?.querySelector<HTMLElement>(what);
    (find('[aria-invalid=true]') ?? find('[role=alert]'))?.focus();
  }, [error]);
  const save = async (event: Event) => {
    event.preventDefault();
    if (isBusy) return;
    setBusy(true);
    setError(undefined);
    await onSave().catch(setError);
    setBusy(false);
  };
  const set = (name: string, value: string | boolean) => onValues({ ...values, [name]: value });
  return (
    <form ref={form} noValidate onSubmit={save} class="set-up-form">
      {faults.length > 0 ? <Faults faults={faults} /> : <ErrorAlert error={error} />}
      <FormContext.Provider value={{ values, faults, set }}>{children}</FormContext.Provider>
      <p role="status" class={saved && !isChanged ? 'alert alert-success' : 'quiet'}>
        {isBusy ? own.busy : isChanged ? own.unsaved : saved}
      </p>
      <div class="answers">
        <button class="button button-primary" type="submit">
          {submit}
        </button>
        {isChanged && (
          <button
            class="button button-secondary"
            type="button"
            onClick={() => {
              setError(undefined);
              onDiscard();
            }}
          >
            {own.discard}
          </button>
        )}
      </div>
    </form>
  );
}

/** All that is wrong, in sentences. */
function Faults({ faults }: { readonly faults: readonly Fault[] }) {
  const own = useTexts(texts);
  const { fields } = useTexts(LABELS);
  const language = useLanguage();
  return (
    <div class="alert alert-error" role="alert" tabIndex={-1}>
      <p>{own.mend}</p>
      <ul class="no-max-width">
        {faults.map((fault) => {
          const named = fault.field.split('.').findLast((part) => fields[part] !== undefined);
          return (
            <li key={fault.field}>
              {named && fields[named]} {faultInWords(fault, language)}.
            </li>
          );
        })}
      </ul>
    </div>
  );
}
