import type { ComponentChildren } from 'preact';
import { ErrorAlert } from '../errors.js';
import { inBoth, useTexts } from '../language.js';
import { Dialog } from './dialog.js';

const texts = inBoth({
  da: { cancel: 'Annullér', busy: 'Gemmer …', yes: 'Ja', no: 'Nej' },
  en: { cancel: 'Cancel', busy: 'Saving …', yes: 'Yes', no: 'No' },
});

/** What every form of an action gets. */
export interface ActionProps<Body> {
  /** How many letters it is for. */
  readonly count: number;
  /** Why it was refused; what was typed is still there. */
  readonly error?: unknown;
  readonly isBusy: boolean;
  /** The body as the API takes it: without id and version. */
  readonly onSubmit: (body: Body) => void;
  readonly onCancel: () => void;
  /** Above the fields, such as who did what meanwhile. */
  readonly children?: ComponentChildren;
}

interface ActionFormProps extends Omit<ActionProps<never>, 'onSubmit' | 'count'> {
  readonly title: string;
  readonly submit: string;
  /** The button that sends it has the focus: Enter does it. */
  readonly isFilled?: boolean;
  readonly onSubmit: () => void;
  readonly notice?: ComponentChildren;
}

/** The frame of the form of an action. */
export function ActionForm(props: ActionFormProps) {
  const { title, submit, isFilled = false, error, isBusy, onSubmit, onCancel, notice, children } = props;
  const own = useTexts(texts);
  return (
    <Dialog title={title} onClose={onCancel}>
      {(close) => (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (!isBusy) onSubmit();
          }}
        >
          {notice}
          <ErrorAlert error={error} />
          {children}
          <div class="answers">
            {/* Not disabled while it is busy: it would lose the focus. */}
            <button
              class="button button-primary"
              type="submit"
              aria-disabled={isBusy}
              data-first={isFilled || undefined}
            >
              {isBusy ? own.busy : submit}
            </button>
            <button class="button button-secondary" type="button" onClick={close}>
              {own.cancel}
            </button>
          </div>
        </form>
      )}
    </Dialog>
  );
}

interface ChoiceProps<Value extends string> {
  readonly legend: string;
  readonly name: string;
  readonly options: readonly (readonly [value: Value, label: string])[];
  readonly value: Value | undefined;
  readonly onChoose: (value: Value) => void;
  readonly hint?: string;
}

/** One of a few; required. */
export function Choice<Value extends string>({ legend, name, options, value, onChoose, hint }: ChoiceProps<Value>) {
  return (
    <fieldset class="choice">
      <legend class="form-label">{legend}</legend>
      {hint && <p class="hint">{hint}</p>}
      {options.map(([each, label]) => (
        <label key={each}>
          <input
            type="radio"
            name={name}
            value={each}
            checked={value === each}
            required
            onChange={() => onChoose(each)}
          />
          <span>{label}</span>
        </label>
      ))}
    </fieldset>
  );
}

/** A question with yes or no, without an answer to begin with. */
export function YesOrNo(
  props: Pick<ChoiceProps<string>, 'legend' | 'name' | 'hint'> & {
    readonly value: boolean | undefined;
    readonly onChoose: (value: boolean) => void;
  },
) {
  const own = useTexts(texts);
  const { value, onChoose, ...rest } = props;
  return (
    <Choice
      {...rest}
      options={[
        ['yes', own.yes],
        ['no', own.no],
      ]}
      value={value === undefined ? undefined : value ? 'yes' : 'no'}
      onChoose={(chosen) => onChoose(chosen === 'yes')}
    />
  );
}

interface TextFieldProps {
  readonly id: string;
  readonly label: string;
  readonly hint?: string;
  readonly value: string;
  readonly onType: (value: string) => void;
  readonly min?: number;
  readonly max: number;
  readonly rows?: number;
  readonly list?: string;
  readonly isOptional?: boolean;
  /** Whether it has the focus when the dialog opens. */
  readonly isFirst?: boolean;
}

/** A field for a line, or for several. */
export function TextField(props: TextFieldProps) {
  const { id, label, hint, value, onType, min, max, rows, list, isOptional = false, isFirst = false } = props;
  const shared = {
    id,
    class: 'form-input',
    value,
    required: !isOptional,
    minLength: min,
    maxLength: max,
    'data-first': isFirst || undefined,
    'aria-describedby': hint ? `${id}-hint` : undefined,
    autocomplete: 'off' as const,
    onInput: (event: { currentTarget: { value: string } }) => onType(event.currentTarget.value),
  };
  return (
    <div class="field">
      <label class="form-label" for={id}>
        {label}
      </label>
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {rows ? <textarea {...shared} rows={rows} /> : <input {...shared} type="text" list={list} />}
    </div>
  );
}
