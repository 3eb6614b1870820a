import { isDeepStrictEqual } from 'node:util';
import type { Principal } from '@indbakke/shared/access';
import type { SettingsChangeList } from '@indbakke/shared/api';
import { type Action, insertAudit } from '@indbakke/shared/audit';
import type { Parts } from '@indbakke/shared/service';
import { type Connection, Prisma, run } from '@indbakke/shared/store';

const { sql } = Prisma;

type SettingsAction = Extract<Action, SettingsChangeList['items'][number]['action']>;

type Settings = Readonly<Record<string, unknown>>;

/** The settings that differ, before and after; undefined when none does. */
export interface SettingsDifference {
  readonly before: Settings;
  readonly after: Settings;
}

export function changesBetween(before: object, after: object): SettingsDifference | undefined {
  const [old, now] = [before as Settings, after as Settings];
  const changed = Object.keys(now).filter((name) => !isDeepStrictEqual(old[name], now[name]));
  if (changed.length === 0) return undefined;
  const only = (settings: Settings) => Object.fromEntries(changed.map((name) => [name, settings[name] ?? null]));
  return { before: only(old), after: only(now) };
}

/** Whose settings they are: the id of a contact point or a department; else the municipality’s own. */
export type SetUpOf = Readonly<Partial<Record<'contactPoint' | 'department', string>>>;

/** The difference as details in the audit log, which is the history of settings. */
export function settingsDetails({ before, after }: SettingsDifference, of: SetUpOf = {}) {
  return {
    ...of,
    before: JSON.stringify(before),
    after: JSON.stringify(after),
  };
}

/** Writes it to the audit log. */
export async function recordSettingsChange(
  connection: Connection,
  { principal, at }: { readonly principal: Principal; readonly at: Date },
  action: SettingsAction,
  difference: SettingsDifference,
  of?: SetUpOf,
): Promise<void> {
  const details = settingsDetails(difference, of);
  await run(connection, insertAudit({ by: principal, at, action, details }));
}

const ACTIONS = [
  'municipality-changed',
  'contact-point-added',
  'contact-point-changed',
  'contact-point-removed',
  'department-added',
  'department-changed',
  'department-removed',
] as const satisfies readonly SettingsAction[];
const MOST = 200;

interface Row {
  readonly at: Date;
  readonly by: string;
  readonly onBehalfOf: string | null;
  readonly action: SettingsAction;
  readonly contactPoint: string | null;
  readonly department: string | null;
  readonly before: string;
  readonly after: string;
}

/** As long as the audit log is kept. */
export async function listSettingsChanges(
  { store }: Pick<Parts, 'store'>,
  { municipality }: Principal,
): Promise<SettingsChangeList> {
  // Each by itself, and with the condition of the index of actions: else PostgreSQL walks the whole log.
  const walks = ACTIONS.map(
    (action) => sql`(
      SELECT id, at, actor, on_behalf_of, action, details FROM audit_events
      WHERE municipality = ${municipality} AND action = ${action} AND action NOT IN ('accepted', 'suggested')
      ORDER BY at DESC, id DESC LIMIT ${MOST}::int)`,
  );
  const rows = await store.query<Row>(
    municipality,
    sql`
      SELECT at, actor AS by, on_behalf_of AS "onBehalfOf", action, details->>'contactPoint' AS "contactPoint",
        details->>'department' AS department, details->>'before' AS before, details->>'after' AS after
      FROM (${Prisma.join(walks, ' UNION ALL ')}) AS found
      ORDER BY at DESC, id DESC LIMIT ${MOST}::int`,
    'kept',
  );
  return {
    items: rows.map((row) => ({
      ...row,
      at: row.at.toISOString(),
      before: JSON.parse(row.before),
      after: JSON.parse(row.after),
    })),
  };
}
