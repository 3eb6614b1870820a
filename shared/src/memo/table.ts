import type { ErrorCode } from '../errors/index.js';
import type { RemarkCode } from '../xml/index.js';
import type { SimpleType } from './simple-types.js';

/**
 * What elements.ts is written in: types, fields and their cardinality. The reader and the checks (model.ts)
 * and the type of the model are all derived from that table.
 */

/** The versions that differ. A message of any other is read as the newest. */
export const VERSIONS = ['1.1', '1.2'] as const;
export type Version = (typeof VERSIONS)[number];

/** What is known of a file whose content was extracted. */
export interface FileFacts {
  /** SHA-256 of the bytes, hex. */
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
  /** The MIME type that its first bytes show, null when they show none; absent: nobody looked. */
  readonly detectedFormat?: string | null;
}

/** A file of the message, with its number in document order (from 0). */
export interface FileContent extends FileFacts {
  readonly index: number;
}

/** An element or attribute with text only. */
export interface Leaf {
  readonly kind: 'leaf';
  readonly checks: SimpleType;
}

/** A File/content; the model has a FileContent instead. */
export interface Content {
  readonly kind: 'content';
}

/** An element with child elements. Groups are global elements of the schema, so the type has their name. */
export interface Group<F extends Fields = Fields> {
  readonly kind: 'group';
  readonly uri: string;
  readonly local: string;
  readonly fields: F;
  readonly rules: readonly Rule[];
}

/** A rule over several fields; the remark is on `field`. */
export interface Rule {
  readonly field: string;
  readonly code: RemarkCode;
  // biome-ignore lint/suspicious/noExplicitAny: a rule knows the fields of its own group only
  readonly holds: (group: any) => boolean;
}

export type Type = Leaf | Content | Group;
type Presence = 'required' | 'optional' | 'absent';

export interface Field<T extends Type = Type, C extends Cardinality = Cardinality> {
  readonly type: T;
  readonly cardinality: C;
  readonly presence: Readonly<Record<Version, Presence>>;
  /** Of a list: its maximum length. */
  readonly max: number;
  /** Of a vital field: the problem when it is missing. */
  readonly problem?: ErrorCode;
  /** The name, when it is an attribute. */
  readonly attribute?: string;
}

/** vital: the message is refused without it. one: a single element, required or not. list: any number is kept. */
export type Cardinality = 'vital' | 'one' | 'list';
/** Model name to field, in document order. A leaf's element has the name of its field. */
export type Fields = Readonly<Record<string, Field>>;

export type ValueOf<T extends Type> = T extends Leaf
  ? string
  : T extends Group<infer F>
    ? ModelOf<F>
    : T extends Content
      ? FileContent
      : never;

type KeysOf<F extends Fields, C extends Cardinality> = {
  [K in keyof F]: F[K] extends Field<Type, C> ? K : never;
}[keyof F];

/** The model of a group. Only vital fields are required: a message may lack all others. */
export type ModelOf<F extends Fields> = {
  readonly [K in KeysOf<F, 'vital'>]: ValueOf<F[K]['type']>;
} & {
  readonly [K in KeysOf<F, 'one'>]?: ValueOf<F[K]['type']>;
} & {
  readonly [K in KeysOf<F, 'list'>]: readonly ValueOf<F[K]['type']>[];
};

export function group<const F extends Fields>(uri: string, local: string, fields: F, rules: Rule[] = []): Group<F> {
  return { kind: 'group', uri, local, fields, rules };
}

type Written<T> = T extends Type ? T : Leaf;

function field<T extends Type | SimpleType, C extends Cardinality>(
  type: T,
  cardinality: C,
  presence: Presence,
  more: { max?: number; problem?: ErrorCode } = {},
): Field<Written<T>, C> {
  const written = 'kind' in type ? type : { kind: 'leaf', checks: type };
  return {
    type: written as Written<T>,
    cardinality,
    presence: { '1.1': presence, '1.2': presence },
    max: more.max ?? 1,
    ...(more.problem && { problem: more.problem }),
  };
}

/** Exactly one. */
export const one = <T extends Type | SimpleType>(type: T) => field(type, 'one', 'required');
/** One or none. */
export const optional = <T extends Type | SimpleType>(type: T) => field(type, 'one', 'optional');
/** One; the message is refused without it, or when it is blank. */
export const vital = <T extends Type | SimpleType>(type: T, problem: ErrorCode) =>
  field(type, 'vital', 'required', { problem });
/** Up to max, or none. */
export const some = <T extends Type>(type: T, max = Number.POSITIVE_INFINITY) =>
  field(type, 'list', 'optional', { max });
/** At least one. */
export const many = <T extends Type>(type: T) => field(type, 'list', 'required', { max: Number.POSITIVE_INFINITY });

type AnyField = Field<Type, Cardinality>;
const withPresence = <F extends AnyField>(of: F, presence: Partial<Field['presence']>): F => {
  return { ...of, presence: { ...of.presence, ...presence } };
};
export const since12 = <F extends AnyField>(of: F): F => withPresence(of, { '1.1': 'absent' });
export const only11 = <F extends AnyField>(of: F): F => withPresence(of, { '1.2': 'absent' });
export const requiredIn11 = <F extends AnyField>(of: F): F => withPresence(of, { '1.1': 'required' });
export const attribute = <F extends AnyField>(name: string, of: F): F => ({ ...of, attribute: name });

// The reader makes it, so only its presence is checked.
