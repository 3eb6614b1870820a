import { orgUnitOf } from '../ids/index.js';
import { Prisma } from '../store/index.js';

const { sql } = Prisma;

/**
 * What a token limits its holder to, each in its normal form and order, so that equal ones are equal as JSON. Letters carry none
 * of it themselves, so it is held against what their contact point is set up with. What is absent does not limit.
 */
export interface DataConstraints {
  /** KLE numbers, each with all below it: `27` has `27.24.00`. */
  readonly kle?: readonly string[];
  readonly orgUnit?: readonly string[];
  readonly sensitivity?: readonly string[];
}

/** Those of the claims of a token. An empty list does not limit. */
export function dataConstraintsOf(claims: {
  readonly kle: readonly string[];
  readonly org_unit: readonly string[];
  readonly sensitivity: readonly string[];
}): DataConstraints {
  const { kle, org_unit, sensitivity } = claims;
  const given = {
    kle: kle.map((number) => number.replace(/(\.\*)+$/, '')), // `27.*` is the same as `27`
    orgUnit: org_unit.map(orgUnitOf),
    sensitivity: sensitivity.map((word) => word.toLowerCase()),
  };
  const limiting = Object.entries(given).filter(([, values]) => values.length > 0);
  return Object.fromEntries(limiting.map(([name, values]) => [name, [...new Set(values)].sort()]));
}

export function isConstrained(constraints: DataConstraints = {}): boolean {
  return Object.keys(constraints).length > 0;
}

/**
 * Whether the message was sent to a contact point that meets all of these constraints, as a condition on `messages AS m`. One that
 * is not set up with what a constraint is about does not meet it, nor does a message to no contact point. The few contact points
 * are read once a statement; removed ones too, since their messages stay what they were.
 */
export function isWithin(municipality: string, { kle, orgUnit, sensitivity }: DataConstraints): Prisma.Sql {
  const conditions = [
    sql`p.municipality = ${municipality}`,
    ...(kle
      ? [sql`EXISTS (SELECT FROM unnest(${[...kle]}::text[]) AS k WHERE p.kle = k OR starts_with(p.kle, k || '.'))`]
      : []),
    ...(orgUnit ? [sql`p.org_unit = ANY (${[...orgUnit]}::text[])`] : []),
    ...(sensitivity ? [sql`lower(p.sensitivity) = ANY (${[...sensitivity]}::text[])`] : []),
  ];
  return sql`coalesce(m.contact_point_id = ANY (ARRAY(
    SELECT p.contact_point_id FROM contact_points p WHERE ${Prisma.join(conditions, ' AND ')})), false)`;
}
