import { createContext, type TargetedEvent } from 'preact';
import { useContext } from 'preact/hooks';
import { inBoth, useLanguage, useTexts } from '../language.js';
import { type Fault, faultInWords } from './faults.js';
import { LABELS } from './labels.js';
import type { Values } from './values.js';

// The fields of a form of the set-up: native ones, each with its label, hint and fault.

export interface FormState {
  readonly values: Values;
  readonly faults: readonly Fault[];
  set(name: string, value: string | boolean): void;
}

export const FormContext = createContext<FormState>({ values: {}, faults: [], set: () => {} });

const texts = inBoth({
  da: {
    user: 'Medarbejder',
    team: 'Team',
    personId: 'Medarbejder- eller team-id',
    personHint: 'Id, som det står i kommunens login. Tomt: ingen.',
  },
  en: {
    user: 'Caseworker',
    team: 'Team',
    personId: 'Id of the user or team',
    personHint: 'Id as the municipality’s sign-in has it. Empty: nobody.',
  },
});

interface FieldProps {
  readonly name: string;
  /** Else as the field is called everywhere. */
  readonly label?: string;
  readonly hint?: string;
}

function useField({ name, label, hint }: FieldProps) {
  const { fields } = useTexts(LABELS);
  const language = useLanguage();
  const { values, faults, set } = useContext(FormContext);
  const id = `field-${name.replaceAll('.', '-')}`;
  const fault = faults.find(({ field }) => field === name);
  return {
    id,
    title: label ?? fields[name.split('.').at(-1) ?? ''] ?? name,
    value: values[name],
    set: (value: string | boolean) => set(name, value),
    fault: fault && faultInWords(fault, language),
    attributes: {
      id,
      name,
      'aria-invalid': fault ? ('true' as const) : undefined,
      'aria-describedby': [fault && `${id}-fault`, hint && `${id}-hint`].filter(Boolean).join(' ') || undefined,
    },
  };
}

function Around({
  field,
  hint,
  children,
}: {
  field: ReturnType<typeof useField>;
  hint?: string;
  children: preact.ComponentChildren;
}) {
  return (
    <div class={field.fault ? 'form-group form-error' : 'form-group'}>
      <label class="form-label" for={field.id}>
        {field.title}
      </label>
      {hint && (
        <span class="form-hint" id={`${field.id}-hint`}>
          {hint}
        </span>
      )}
      <Told field={field} />
      {children}
    </div>
  );
}

/** The fault of a field. */
function Told({ field }: { field: ReturnType<typeof useField> }) {
  if (!field.fault) return null;
  return (
    <span class="form-error-message" id={`${field.id}-fault`}>
      {field.title} {field.fault}.
    </span>
  );
}

export function TextField(
  props: FieldProps & { readonly isNumber?: boolean; readonly isRequired?: boolean; readonly isLong?: boolean },
) {
  const field = useField(props);
  const shared = {
    ...field.attributes,
    class: props.isNumber ? 'form-input short' : 'form-input',
    value: String(field.value ?? ''),
    autocomplete: 'off' as const,
    'aria-required': props.isRequired ? ('true' as const) : undefined,
    onInput: (event: TargetedEvent<HTMLInputElement | HTMLTextAreaElement>) => field.set(event.currentTarget.value),
  };
  return (
    <Around field={field} hint={props.hint}>
      {props.isLong ? (
        <textarea rows={3} {...shared} />
      ) : (
        <input type="text" inputMode={props.isNumber ? 'numeric' : undefined} {...shared} />
      )}
    </Around>
  );
}

export function ChoiceField(props: FieldProps & { readonly choices: Readonly<Record<string, string>> }) {
  const field = useField(props);
  return (
    <Around field={field} hint={props.hint}>
      <select
        {...field.attributes}
        class="form-input"
        value={String(field.value ?? '')}
        onChange={(event) => field.set(event.currentTarget.value)}
      >
        {Object.entries(props.choices).map(([value, title]) => (
          <option key={value} value={value}>
            {title}
          </option>
        ))}
      </select>
    </Around>
  );
}

export function Checkbox(props: FieldProps) {
  const field = useField(props);
  return (
    <div class="choice">
      <input
        {...field.attributes}
        type="checkbox"
        checked={field.value === true}
        onChange={(event) => field.set(event.currentTarget.checked)}
      />
      <label for={field.id}>{field.title}</label>
      {props.hint && (
        <span class="form-hint" id={`${field.id}-hint`}>
          {props.hint}
        </span>
      )}
      <Told field={field} />
    </div>
  );
}

/** A caseworker or a team. */
export function PersonField({ name, label }: FieldProps) {
  const own = useTexts(texts);
  const { fields } = useTexts(LABELS);
  const language = useLanguage();
  const { faults } = useContext(FormContext);
  const title = label ?? fields[name.split('.').at(-1) ?? ''] ?? name;
  const fault = faults.find(({ field }) => field === name);
  const id = `person-${name.replaceAll('.', '-')}`;
  return (
    <fieldset
      class="person"
      aria-describedby={fault && `${id}-fault`}
      aria-invalid={fault ? 'true' : undefined}
      tabIndex={-1}
    >
      <legend class="form-label">{title}</legend>
      {fault && (
        <span class="form-error-message" id={`${id}-fault`}>
          {title} {faultInWords(fault, language)}.
        </span>
      )}
      <div class="side-by-side">
        <ChoiceField name={`${name}.kind`} choices={{ user: own.user, team: own.team }} />
        <TextField name={`${name}.id`} label={own.personId} hint={own.personHint} />
      </div>
    </fieldset>
  );
}
