import type { Principal } from '@indbakke/shared/access';
import type { ContactPointAnswer, ContactPointList, NewContactPointBody, OPERATIONS } from '@indbakke/shared/api';
import { insertAudit } from '@indbakke/shared/audit';
import { Problem } from '@indbakke/shared/errors';
import type { Call } from '@indbakke/shared/http';
import { once } from '@indbakke/shared/idempotency';
import { ASSIGNEE_OF_POINT } from '@indbakke/shared/lifecycle';
import type { Parts } from '@indbakke/shared/service';
import { type Connection, newId, Prisma, run } from '@indbakke/shared/store';
import { changesBetween, recordSettingsChange, type SettingsDifference, settingsDetails } from './changes.js';
import { lockMunicipality, markReleaseDue, requireVersion } from './municipality.js';

const { sql } = Prisma;

type SetUpParts = Pick<Parts, 'store'>;

const POINT = sql`
  contact_point_id AS id, name, purpose, is_active AS "isActive", is_concern AS "isConcern", visible_to AS "visibleTo", kle,
  org_unit AS "orgUnit", sensitivity, closed_case_team AS "closedCaseTeam", info_labels AS "infoLabels", version,
  ${Prisma.raw(ASSIGNEE_OF_POINT)} AS assignee`;

/** Selects those that are not removed, by name: ContactPointAnswer. */
export function listedPoints(municipality: string): Prisma.Sql {
  return sql`
    SELECT ${POINT} FROM contact_points WHERE municipality = ${municipality} AND removed_at IS NULL
    ORDER BY name, contact_point_id`;
}

export async function listContactPoints({ store }: SetUpParts, { municipality }: Principal): Promise<ContactPointList> {
  return { items: await store.query<ContactPointAnswer>(municipality, listedPoints(municipality), 'kept') };
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
      const compared = await comparePoints(connection, municipality, [body]);
      if (compared[0]?.is !== 'added') {
        throw new Problem('contact-point-exists', 'There is a contact point with this id. Change that one.', {
          path: 'body.id',
        });
      }
      await setPoints(connection, { principal, at }, compared);
      return { id: body.id, version: (compared[0].known?.version ?? 0) + 1 };
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
    const compared = await comparePoints(connection, municipality, [{ id, ...body }]);
    const [found] = compared;
    if (!found?.known || found.is === 'added') throw noSuchPoint();
    const { version } = found.known;
    requireVersion(version, expectedVersion, found.is === 'unchanged');
    await setPoints(connection, { principal, at }, compared);
    return { version: found.is === 'changed' ? version + 1 : version };
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
    const [known] = await readKnown(connection, municipality, [id]);
    if (!known) throw noSuchPoint();
    requireVersion(known.version, expectedVersion, known.isRemoved);
    if (known.isRemoved) return { version: known.version };
    await run(
      connection,
      sql`UPDATE contact_points SET removed_at = ${at}::timestamptz, version = version + 1 WHERE ${isOne(municipality, id)}`,
    );
    const difference = { before: { name: known.name }, after: { name: null } };
    await recordSettingsChange(connection, { principal, at }, 'contact-point-removed', difference, id);
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
  readonly difference: SettingsDifference;
  /** Also one that was removed. */
  readonly known: KnownPoint | undefined;
}

interface KnownPoint extends ContactPointAnswer {
  readonly isRemoved: boolean;
}

/** @param points of a municipality that is locked */
export async function comparePoints(
  connection: Connection,
  municipality: string,
  points: readonly NewContactPointBody[],
): Promise<ComparedPoint[]> {
  const ids = points.map(({ id }) => id);
  const known = new Map((await readKnown(connection, municipality, ids)).map((point) => [point.id, point]));
  return points.map((point) => {
    const before = known.get(point.id);
    const { id: _, ...body } = point;
    const isNew = before?.isRemoved !== false;
    const difference = changesBetween(isNew ? {} : before, body);
    const is = isNew ? 'added' : difference ? 'changed' : 'unchanged';
    return { point, is, difference: difference ?? { before: {}, after: {} }, known: before };
  });
}

function readKnown(connection: Connection, municipality: string, ids: readonly string[]): Promise<KnownPoint[]> {
  return run<KnownPoint>(
    connection,
    sql`
      SELECT ${POINT}, removed_at IS NOT NULL AS "isRemoved" FROM contact_points
      WHERE municipality = ${municipality} AND contact_point_id = ANY (${[...ids]}::text[])`,
  );
}

/** Writes those that differ, and who did it, in one statement: intake waits for it. */
export async function setPoints(
  connection: Connection,
  by: { readonly principal: Principal; readonly at: Date },
  compared: readonly ComparedPoint[],
): Promise<void> {
  const { municipality } = by.principal;
  const rows = compared
    .filter(({ is }) => is !== 'unchanged')
    .map(({ point: { id, assignee, ...body }, is, difference }) => ({
      ...body,
      contact_point_id: id,
      assignee_kind: assignee?.kind,
      assignee_id: assignee?.id,
      is,
      audit_id: newId(),
      details: settingsDetails(difference, id),
    }));
  if (rows.length === 0) return;
  const audit = (is: ComparedPoint['is'], action: 'contact-point-added' | 'contact-point-changed') => sql`
    ${insertAudit({ by: by.principal, at: by.at, action }, { id: sql`g.audit_id`, details: sql`g.details` })}
    FROM given g WHERE g."is" = ${is}`;
  await run(
    connection,
    sql`
      WITH given AS (
        SELECT * FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS g (contact_point_id text, name text, purpose text,
          "isActive" bool, "isConcern" bool, "visibleTo" text[], kle text, "orgUnit" text, sensitivity text, assignee_kind text,
          assignee_id text, "closedCaseTeam" text, "infoLabels" jsonb, "is" text, audit_id uuid, details jsonb)
      ), stored AS (
        INSERT INTO contact_points AS p (municipality, contact_point_id, name, purpose, is_active, is_concern, visible_to, kle,
          org_unit, sensitivity, assignee_kind, assignee_id, closed_case_team, info_labels)
        SELECT ${municipality}, contact_point_id, name, purpose, "isActive", "isConcern", "visibleTo", kle, "orgUnit", sensitivity,
          assignee_kind, assignee_id, "closedCaseTeam", "infoLabels"
        FROM given
        ON CONFLICT (municipality, contact_point_id) DO UPDATE SET name = excluded.name, purpose = excluded.purpose,
          is_active = excluded.is_active, is_concern = excluded.is_concern, visible_to = excluded.visible_to, kle = excluded.kle,
          org_unit = excluded.org_unit, sensitivity = excluded.sensitivity, assignee_kind = excluded.assignee_kind,
          assignee_id = excluded.assignee_id, closed_case_team = excluded.closed_case_team, info_labels = excluded.info_labels,
          removed_at = NULL, version = p.version + 1
      ), added AS (
        ${audit('added', 'contact-point-added')}
      ), changed AS (
        ${audit('changed', 'contact-point-changed')}
      )
      SELECT`,
  );
  await markReleaseDue(connection, municipality);
}

function isOne(municipality: string, id: string): Prisma.Sql {
  return sql`municipality = ${municipality} AND contact_point_id = ${id}`;
}

export function noSuchPoint(): Problem {
  return new Problem('not-found', 'The municipality has no such contact point.');
}
