import type { Principal } from '@indbakke/shared/access';
import type { ContactPointAnswer, ContactPointList, NewContactPointBody, OPERATIONS } from '@indbakke/shared/api';
import { Problem } from '@indbakke/shared/errors';
import type { Call } from '@indbakke/shared/http';
import { once } from '@indbakke/shared/idempotency';
import type { Parts } from '@indbakke/shared/service';
import { type Connection, Prisma, run } from '@indbakke/shared/store';
import { changesBetween, recordSettingsChange, type SettingsDifference } from './changes.js';
import { lockMunicipality, markReleaseDue, requireVersion } from './municipality.js';

const { sql } = Prisma;

type SetUpParts = Pick<Parts, 'store'>;

const POINT = sql`
  contact_point_id AS id, name, purpose, is_active AS "isActive", is_concern AS "isConcern", visible_to AS "visibleTo", kle,
  org_unit AS "orgUnit", sensitivity, closed_case_team AS "closedCaseTeam", info_labels AS "infoLabels", version,
  CASE WHEN assignee_id IS NOT NULL THEN json_build_object('kind', assignee_kind, 'id', assignee_id) END AS assignee`;

/** Those that are not removed, by name. */
export async function listContactPoints({ store }: SetUpParts, { municipality }: Principal): Promise<ContactPointList> {
  const items = await store.query<ContactPointAnswer>(
    municipality,
    sql`
      SELECT ${POINT} FROM contact_points WHERE municipality = ${municipality} AND removed_at IS NULL
      ORDER BY name, contact_point_id`,
    'kept',
  );
  return { items };
}

/** @throws Problem not-found */
export async function readContactPoint(
  { store }: SetUpParts,
  { principal: { municipality }, params }: Call<typeof OPERATIONS.getContactPoint>,
): Promise<ContactPointAnswer> {
  const [point] = await store.query<ContactPointAnswer>(
    municipality,
    sql`SELECT ${POINT} FROM contact_points WHERE ${isOne(municipality, params.contactPointId)} AND removed_at IS NULL`,
    'kept',
  );
  if (!point) throw noSuchPoint();
  return point;
}

/** @throws Problem not-found for a token of an unknown municipality; contact-point-exists; key-reused */
export async function addContactPoint(
  { store }: SetUpParts,
  { principal, body, at, idempotencyKey }: Call<typeof OPERATIONS.addContactPoint>,
): Promise<{ id: string; version: number }> {
  const { municipality } = principal;
  return store.withTenantConnection(municipality, (connection) =>
    once(connection, municipality, idempotencyKey, async () => {
      await lockMunicipality(connection, municipality);
      const [known] = await lockPoints(connection, municipality, [body.id]);
      if (known && !known.isRemoved) {
        throw new Problem('contact-point-exists', 'There is a contact point with this id. Change that one.', {
          path: 'body.id',
        });
      }
      return { id: body.id, version: await setPoint(connection, { principal, at }, body, known) };
    }),
  );
}

/** @throws Problem not-found, version-changed */
export async function changeContactPoint(
  { store }: SetUpParts,
  { principal, params: { contactPointId: id }, body, expectedVersion, at }: Call<typeof OPERATIONS.changeContactPoint>,
): Promise<{ version: number }> {
  const { municipality } = principal;
  return store.withTenantConnection(municipality, async (connection) => {
    await lockMunicipality(connection, municipality);
    const [known] = await lockPoints(connection, municipality, [id]);
    if (!known || known.isRemoved) throw noSuchPoint();
    requireVersion(known.version, expectedVersion, changesBetween(known, body) === undefined);
    return { version: await setPoint(connection, { principal, at }, { id, ...body }, known) };
  });
}

/** @throws Problem not-found, version-changed */
export async function removeContactPoint(
  { store }: SetUpParts,
  { principal, params: { contactPointId: id }, expectedVersion, at }: Call<typeof OPERATIONS.removeContactPoint>,
): Promise<{ version: number }> {
  const { municipality } = principal;
  return store.withTenantConnection(municipality, async (connection) => {
    await lockMunicipality(connection, municipality);
    const [known] = await lockPoints(connection, municipality, [id]);
    if (!known) throw noSuchPoint();
    requireVersion(known.version, expectedVersion, known.isRemoved);
    if (known.isRemoved) return { version: known.version };
    await run(
      connection,
      sql`UPDATE contact_points SET removed_at = ${at}::timestamptz, version = version + 1 WHERE ${isOne(municipality, id)}`,
    );
    const difference = { before: { name: known.name }, after: { name: null } };
    await recordSettingsChange(
      connection,
      { principal, at },
      'contact-point-removed',
      { contactPoint: id },
      difference,
    );
    await markReleaseDue(connection, municipality);
    return { version: known.version + 1 };
  });
}

/**
 * Adds or replaces many, all or none.
 *
 * @returns how many were added, changed and unchanged
 * @throws Problem not-found for a token of an unknown municipality
 */
export async function importContactPoints(
  { store }: SetUpParts,
  { principal, query: { dryRun }, body: { contactPoints }, at }: Call<typeof OPERATIONS.importContactPoints>,
): Promise<{ added: number; changed: number; unchanged: number }> {
  const { municipality } = principal;
  return store.withTenantConnection(municipality, async (connection) => {
    await lockMunicipality(connection, municipality);
    const compared = await comparePoints(connection, municipality, contactPoints);
    if (!dryRun) await setPoints(connection, { principal, at }, compared);
    const count = (is: ComparedPoint['is']) => compared.filter((each) => each.is === is).length;
    return { added: count('added'), changed: count('changed'), unchanged: count('unchanged') };
  });
}

/** A contact point as it should be, beside what is set up. */
export interface ComparedPoint {
  readonly point: NewContactPointBody;
  readonly is: 'added' | 'changed' | 'unchanged';
  readonly difference: SettingsDifference | undefined;
  readonly known: KnownPoint | undefined;
}

/** @param points of a municipality that is locked */
export async function comparePoints(
  connection: Connection,
  municipality: string,
  points: readonly NewContactPointBody[],
): Promise<ComparedPoint[]> {
  const ids = points.map(({ id }) => id);
  const known = new Map((await lockPoints(connection, municipality, ids)).map((point) => [point.id, point]));
  return points.map((point) => {
    const before = known.get(point.id);
    const { id: _, ...body } = point;
    const isNew = before?.isRemoved !== false;
    const difference = changesBetween(isNew ? {} : before, body);
    return { point, is: isNew ? 'added' : difference ? 'changed' : 'unchanged', difference, known: before };
  });
}

export async function setPoints(
  connection: Connection,
  by: { readonly principal: Principal; readonly at: Date },
  compared: readonly ComparedPoint[],
): Promise<void> {
  for (const { point, known } of compared.filter(({ is }) => is !== 'unchanged')) {
    await setPoint(connection, by, point, known);
  }
}

/** Those that are set up, by name. */
export function readPoints(connection: Connection, municipality: string): Promise<ContactPointAnswer[]> {
  return run<ContactPointAnswer>(
    connection,
    sql`
      SELECT ${POINT} FROM contact_points WHERE municipality = ${municipality} AND removed_at IS NULL
      ORDER BY name, contact_point_id`,
  );
}

interface KnownPoint extends ContactPointAnswer {
  readonly isRemoved: boolean;
}

function lockPoints(connection: Connection, municipality: string, ids: readonly string[]): Promise<KnownPoint[]> {
  return run<KnownPoint>(
    connection,
    sql`
      SELECT ${POINT}, removed_at IS NOT NULL AS "isRemoved" FROM contact_points
      WHERE municipality = ${municipality} AND contact_point_id = ANY (${[...ids]}::text[])
      FOR NO KEY UPDATE`,
  );
}

/** @returns the version after it, which is the same when nothing differs */
async function setPoint(
  connection: Connection,
  by: { readonly principal: Principal; readonly at: Date },
  { id, ...body }: NewContactPointBody,
  known: KnownPoint | undefined,
): Promise<number> {
  const { municipality } = by.principal;
  const isNew = known?.isRemoved !== false;
  const difference = changesBetween(isNew ? {} : known, body);
  if (!difference && known) return known.version;
  const [stored] = await run<{ version: number }>(
    connection,
    sql`
      INSERT INTO contact_points AS p (municipality, contact_point_id, name, purpose, is_active, is_concern, visible_to, kle, org_unit,
        sensitivity, assignee_kind, assignee_id, closed_case_team, info_labels)
      VALUES (${municipality}, ${id}, ${body.name}, ${body.purpose}, ${body.isActive}::bool, ${body.isConcern}::bool,
        ${[...body.visibleTo]}::text[], ${body.kle}::text, ${body.orgUnit}::text, ${body.sensitivity}::text,
        ${body.assignee?.kind ?? null}::text, ${body.assignee?.id ?? null}::text, ${body.closedCaseTeam}::text,
        ${JSON.stringify(body.infoLabels)}::jsonb)
      ON CONFLICT (municipality, contact_point_id) DO UPDATE SET name = excluded.name, purpose = excluded.purpose,
        is_active = excluded.is_active, is_concern = excluded.is_concern, visible_to = excluded.visible_to, kle = excluded.kle,
        org_unit = excluded.org_unit, sensitivity = excluded.sensitivity, assignee_kind = excluded.assignee_kind,
        assignee_id = excluded.assignee_id, closed_case_team = excluded.closed_case_team, info_labels = excluded.info_labels,
        removed_at = NULL, version = p.version + 1
      RETURNING version`,
  );
  const action = isNew ? 'contact-point-added' : 'contact-point-changed';
  await recordSettingsChange(connection, by, action, { contactPoint: id }, difference ?? { before: {}, after: {} });
  await markReleaseDue(connection, municipality);
  return stored?.version as number;
}

function isOne(municipality: string, id: string): Prisma.Sql {
  return sql`municipality = ${municipality} AND contact_point_id = ${id}`;
}

function noSuchPoint(): Problem {
  return new Problem('not-found', 'The municipality has no such contact point.');
}
