import { itSystemOf, orgUnitOf } from '../ids/index.js';
import { Prisma } from '../store/index.js';
import type { Role } from './roles.js';

const { sql } = Prisma;

/**
 * What a right is limited to, each in its normal form and order, so that equal ones are equal as JSON. Letters carry none of it
 * themselves, so it is held against what their contact point is set up with; documents of Fordelingskomponenten carry a KLE number.
 * What is absent does not limit.
 */
export interface DataConstraints {
  /** KLE numbers, each with all below it: `27` has `27.24.00`, and that has `27.24.00.G01`. */
  readonly kle?: readonly string[];
  readonly orgUnit?: readonly string[];
  readonly sensitivity?: readonly string[];
  readonly itSystem?: readonly string[];
}

export type ConstraintName = keyof DataConstraints;

/** What KOMBIT calls them. */
export const CONSTRAINT_NAMES = {
  kle: 'KLE',
  orgUnit: 'orgenhed',
  sensitivity: 'foelsomhed',
  itSystem: 'itsystem',
} as const satisfies Record<ConstraintName, string>;

/** Of each limited role the sets of data constraints, of which a message must meet one. A role that is absent is not limited. */
export type Limits = Readonly<Partial<Record<Role, readonly DataConstraints[]>>>;

/** Roles that are granted together, all with the same data constraints. */
export interface Grant {
  readonly roles: readonly Role[];
  readonly constraints: DataConstraints;
}

/** Values as they are in a token, by the constraint. */
export type ConstraintValues = Readonly<Record<ConstraintName, readonly string[]>>;

/**
 * Those of the values of a token. A value may be several with commas between, and `*` is any. A constraint that is absent or has no
 * values does not limit.
 *
 * @returns undefined when a value cannot be applied: it is empty, no KLE number, or has a wildcard where there is none. What it
 *   should limit is not known then, so its rights must not be granted
 */
export function parseConstraints(values: Partial<ConstraintValues>): DataConstraints | undefined {
  const parsed: [string, readonly string[]][] = [];
  for (const name of Object.keys(PARSERS) as ConstraintName[]) {
    const texts = (values[name] ?? []).flatMap((value) => value.split(',')).map((text) => text.trim());
    const given = texts.map((text) => (text === ANY ? ANY : PARSERS[name](text)));
    const known = given.filter((value) => value !== undefined);
    if (known.length < given.length) return undefined;
    if (known.length > 0 && !known.includes(ANY)) parsed.push([name, [...new Set(known)].sort()]);
  }
  return Object.fromEntries(parsed);
}

const ANY = '*';

/** The normal form of a value; undefined for what is none. */
const PARSERS: Readonly<Record<ConstraintName, (text: string) => string | undefined>> = {
  kle: kleOf,
  orgUnit: (text) => wordOf(orgUnitOf(text)),
  sensitivity: (text) => wordOf(text.toLowerCase()),
  itSystem: (text) => wordOf(itSystemOf(text)),
};

// KLE: main group, group, subject, and perhaps the facet of the action: 27.24.00 G01. `27.*` is the same as `27`.
const KLE = /^(\d\d(?:\.\d\d){0,2})(?:\.\*)*$|^(\d\d\.\d\d\.\d\d)[ .-]([A-ZÆØÅ]\d\d)$/;

function kleOf(text: string): string | undefined {
  const [found, number, subject, facet] = KLE.exec(text.toUpperCase()) ?? [];
  return found && (number ?? `${subject}.${facet}`);
}

/** As in the ids of a token; a wildcard in it is not known. */
function wordOf(text: string): string | undefined {
  return /^[^\p{Cc}\p{Surrogate}\uFFFD*]{1,256}$/u.test(text) ? text : undefined;
}

/** Grants as roles with their limits: a role that is granted twice is limited to what either allows. */
export function combine(grants: readonly Grant[]): { readonly roles: ReadonlySet<Role>; readonly limits: Limits } {
  const byRole = new Map<Role, DataConstraints[]>();
  for (const { roles, constraints } of grants) {
    for (const role of roles) byRole.set(role, [...(byRole.get(role) ?? []), constraints]);
  }
  const limited = [...byRole].filter(([, sets]) => sets.every((set) => Object.keys(set).length > 0));
  return {
    roles: new Set(byRole.keys()),
    limits: Object.fromEntries(limited.map(([role, sets]) => [role, inOrder(sets)])),
  };
}

/** What both allow: each role that both have, limited to what meets a set of the one and a set of the other. */
export function intersect(
  one: { readonly roles: ReadonlySet<Role>; readonly limits?: Limits | undefined },
  other: { readonly roles: ReadonlySet<Role>; readonly limits?: Limits | undefined },
): { readonly roles: ReadonlySet<Role>; readonly limits: Limits } {
  const shared = [...one.roles].filter((role) => other.roles.has(role));
  const grants = shared.flatMap((role) =>
    (one.limits?.[role] ?? [{}]).flatMap((first) =>
      (other.limits?.[role] ?? [{}]).flatMap((second) => {
        const constraints = bothOf(first, second);
        return constraints ? [{ roles: [role], constraints }] : [];
      }),
    ),
  );
  return combine(grants);
}

/** Undefined when nothing can meet both. */
function bothOf(one: DataConstraints, other: DataConstraints): DataConstraints | undefined {
  const isBelow = (number: string, above: string) => number === above || number.startsWith(`${above}.`);
  const meet = (name: ConstraintName, [a, b]: [string, string]) =>
    a === b || (name === 'kle' && isBelow(a, b)) ? a : name === 'kle' && isBelow(b, a) ? b : undefined;
  const both: Record<string, readonly string[]> = { ...one, ...other };
  for (const name of Object.keys(both) as ConstraintName[]) {
    const [first, second] = [one[name], other[name]];
    if (!first || !second) continue;
    const common = first.flatMap((a) => second.map((b) => meet(name, [a, b])).filter((each) => each !== undefined));
    if (common.length === 0) return undefined;
    both[name] = [...new Set(common)].sort();
  }
  return both;
}

/** Each set once, in an order that does not depend on the token’s. */
function inOrder(sets: readonly DataConstraints[]): DataConstraints[] {
  const texts = sets.map((set) => JSON.stringify(Object.fromEntries(Object.entries(set).sort())));
  return [...new Set(texts)].sort().map((text) => JSON.parse(text));
}

/**
 * Whether the message was sent to a contact point that meets one of these sets, or says itself that it is about a KLE number which
 * meets one, as a condition on `messages AS m`. The few contact points are read once a statement, by the function that the policies
 * of the tables use too (setting indbakke.limits).
 *
 * @param sets undefined = any message does
 */
export function isWithin(municipality: string, sets: readonly DataConstraints[] | undefined): Prisma.Sql {
  if (sets === undefined) return sql`true`;
  // As one value, so that the statement is the same however many there are.
  const points = sql`(SELECT contact_points_within(${municipality}, ${JSON.stringify(sets)}::jsonb))::text[]`;
  return sql`coalesce(m.contact_point_id = ANY (${points}), kle_keys(m.kle) && ${points}, false)`;
}
