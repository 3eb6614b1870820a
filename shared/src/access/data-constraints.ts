import { orgUnitOf } from '../ids/index.js';
import { Prisma } from '../store/index.js';
import type { Role } from './roles.js';

const { sql } = Prisma;

/**
 * What a right is limited to, each in its normal form and order, so that equal ones are equal as JSON. Letters carry none of it
 * themselves, so it is held against what their contact point is set up with. What is absent does not limit.
 */
export interface DataConstraints {
  /** KLE numbers, each with all below it: `27` has `27.24.00`. */
  readonly kle?: readonly string[];
  readonly orgUnit?: readonly string[];
  readonly sensitivity?: readonly string[];
}

export type ConstraintName = keyof DataConstraints;

/** What KOMBIT calls them. */
export const CONSTRAINT_NAMES = {
  kle: 'KLE',
  orgUnit: 'orgenhed',
  sensitivity: 'foelsomhed',
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

/** Those of the values of a token: a list without values does not limit, and neither does one with the value `*`. */
export function dataConstraintsOf(values: Partial<ConstraintValues>): DataConstraints {
  const { kle = [], orgUnit = [], sensitivity = [] } = values;
  const given = {
    kle: kle.map((number) => number.replace(/(\.\*)+$/, '')), // `27.*` is the same as `27`
    orgUnit: orgUnit.map((unit) => (unit === ANY ? unit : orgUnitOf(unit))),
    sensitivity: sensitivity.map((word) => word.toLowerCase()),
  };
  const limiting = Object.entries(given).filter(([, each]) => each.length > 0 && !each.includes(ANY));
  return Object.fromEntries(limiting.map(([name, each]) => [name, [...new Set(each)].sort()]));
}

const ANY = '*';

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
 * Whether the message was sent to a contact point that meets one of these sets, as a condition on `messages AS m`. One that is not
 * set up with what a constraint is about does not meet it, nor does a message to no contact point. The few contact points are read
 * once a statement; removed ones too, since their messages stay what they were.
 *
 * @param sets undefined = any message does
 */
export function isWithin(municipality: string, sets: readonly DataConstraints[] | undefined): Prisma.Sql {
  if (sets === undefined) return sql`true`;
  // As one value, so that the statement is the same however many there are.
  return sql`coalesce(m.contact_point_id = ANY (ARRAY(
    SELECT p.contact_point_id FROM contact_points p
    WHERE p.municipality = ${municipality} AND EXISTS (
      SELECT FROM jsonb_array_elements(${JSON.stringify(sets)}::jsonb) AS s
      WHERE (s->'kle' IS NULL OR EXISTS (
          SELECT FROM jsonb_array_elements_text(s->'kle') AS k WHERE p.kle = k OR starts_with(p.kle, k || '.')))
        AND (s->'orgUnit' IS NULL OR s->'orgUnit' ? p.org_unit)
        AND (s->'sensitivity' IS NULL OR s->'sensitivity' ? lower(p.sensitivity))))), false)`;
}
