import { SESSION } from '../session.js';

/** What the fields of a form hold, by their path in the body of the call, such as `heldRules.0.action`. */
export type Values = Readonly<Record<string, string | boolean>>;

interface Person {
  readonly kind: 'user' | 'team';
  readonly id: string;
}

export const isOn = (values: Values, name: string): boolean => values[name] === true;
export const textIn = (values: Values, name: string): string => String(values[name] ?? '').trim();

/** An empty field is null. */
export const textOrNull = (values: Values, name: string): string | null => textIn(values, name) || null;

/** What is no number stays a text, for the API to refuse; an empty field is `empty`. */
export function numberIn<Empty>(values: Values, name: string, empty: Empty): number | string | Empty {
  const text = textIn(values, name);
  if (text === '') return empty;
  return /^\d{1,9}$/.test(text) ? Number(text) : text;
}

/** Without an id, nobody. */
export function personIn(values: Values, name: string): Person | null {
  const id = textIn(values, `${name}.id`);
  return id === '' ? null : { kind: values[`${name}.kind`] === 'team' ? 'team' : 'user', id };
}

export const personValues = (name: string, person: Person | null): Values => ({
  [`${name}.kind`]: person?.kind ?? 'user',
  [`${name}.id`]: person?.id ?? '',
});

export const textOf = (value: string | number | null): string => String(value ?? '');

/** What was typed on top of `base`, on top of `newer`: a field that nobody typed in is as it is now. */
export function rebase(typed: Values, base: Values, newer: Values): Values {
  const names = Object.keys({ ...typed, ...newer });
  return Object.fromEntries(
    names.map((name) => [name, (typed[name] !== base[name] ? typed[name] : newer[name]) ?? '']),
  );
}

export const isSame = (one: Values, other: Values): boolean =>
  Object.keys({ ...one, ...other }).every((name) => one[name] === other[name]);

/** What was typed and is not saved, kept in this tab: also over a new sign-in. */
export interface Draft<Answer> {
  /** As it was read before. */
  readonly answer: Answer;
  readonly values: Values;
}

const keyOf = (name: string) => `indbakke ${SESSION.municipality} ${SESSION.id} ${name}`;

export function keepDraft<Answer>(name: string, draft: Draft<Answer> | undefined): void {
  try {
    if (draft) sessionStorage.setItem(keyOf(name), JSON.stringify(draft));
    else sessionStorage.removeItem(keyOf(name));
  } catch {
    // full, or forbidden: it is in the form only
  }
}

export function keptDraft<Answer>(name: string): Draft<Answer> | undefined {
  try {
    const text = sessionStorage.getItem(keyOf(name));
    return text === null ? undefined : (JSON.parse(text) as Draft<Answer>);
  } catch {
    return undefined;
  }
}
