import { noSuchMunicipality, type Principal, requireMunicipality } from '@indbakke/shared/access';
import {
  type HeldRule,
  type MunicipalityAnswer,
  type MunicipalityBody,
  type OPERATIONS,
  SETTINGS_WARNINGS,
} from '@indbakke/shared/api';
import { Problem } from '@indbakke/shared/errors';
import type { Call } from '@indbakke/shared/http';
import { HELD_CAUSES, type HeldCause, lockSetUp } from '@indbakke/shared/lifecycle';
import type { Parts } from '@indbakke/shared/service';
import { type Connection, newId, Prisma, run } from '@indbakke/shared/store';
import { changesBetween, recordSettingsChange, type SettingsDifference } from './changes.js';

const { sql } = Prisma;

type SetUpParts = Pick<Parts, 'store'>;

const CAUSES = Object.keys(HELD_CAUSES) as HeldCause[];

type Settings = MunicipalityBody;
type Rule = Omit<HeldRule, 'cause'>;

interface Row extends Omit<Settings, 'heldRules'> {
  readonly heldRules: Partial<Record<HeldCause, Rule>>;
  readonly isTraining: boolean;
  readonly version: number;
  readonly hasPointsNow: boolean;
  readonly takesRepliesSomewhere: boolean;
}

const ROW = sql`
  name, is_live AS "isLive", takes_replies AS "takesReplies", takes_enquiries AS "takesEnquiries",
  letters_answerable AS "lettersAnswerable", reply_days AS "replyDays", late_after_days AS "lateAfterDays",
  closed_case_team AS "closedCaseTeam", deletion_needs_two AS "deletionNeedsTwo", deletion_delay_days AS "deletionDelayDays",
  remove_content_after_days AS "removeContentAfterDays", flag_rejected_after_days AS "flagRejectedAfterDays",
  accepts_delegation AS "acceptsDelegation", held_rules AS "heldRules", is_training AS "isTraining", version,
  EXISTS (SELECT FROM contact_points WHERE municipality = cvr AND removed_at IS NULL) AS "hasPointsNow",
  EXISTS (SELECT FROM contact_points
    WHERE municipality = cvr AND removed_at IS NULL AND is_active AND purpose <> 'enquiries') AS "takesRepliesSomewhere"`;

/** @throws Problem not-found for a token of an unknown municipality */
export async function readMunicipality(
  { store }: SetUpParts,
  { municipality: cvr }: Principal,
): Promise<MunicipalityAnswer> {
  const [row] = await store.query<Row>(cvr, sql`SELECT ${ROW} FROM municipalities WHERE cvr = ${cvr}`, 'kept');
  if (!row) throw noSuchMunicipality();
  const { hasPointsNow: _, takesRepliesSomewhere: __, version, ...settings } = row;
  return { cvr, ...settings, heldRules: rulesOf(row), version, warnings: warningsOf(row) };
}

/** A rule of every cause. */
export function rulesOf({ heldRules }: Pick<Row, 'heldRules'>): HeldRule[] {
  return CAUSES.map((cause) => ({ cause, ...(heldRules[cause] ?? NO_RULE) }));
}

const NO_RULE: Rule = { action: 'hold', contact: null, escalateAfterHours: null, escalateTo: null };

function warningsOf(row: Row): MunicipalityAnswer['warnings'] {
  const warning = (code: keyof typeof SETTINGS_WARNINGS, cause: HeldCause | null = null) => ({
    code,
    cause,
    text: SETTINGS_WARNINGS[code],
  });
  const unnamed = rulesOf(row).filter(({ action, contact }) => action === 'hold' && !contact);
  const needsPlace = row.lettersAnswerable && row.takesReplies && row.hasPointsNow;
  return [
    ...unnamed.map(({ cause }) => warning('nobody-named', cause)),
    ...(row.hasPointsNow ? [] : [warning('no-contact-points')]),
    ...(needsPlace && !row.takesRepliesSomewhere ? [warning('no-place-for-replies')] : []),
  ];
}

/**
 * Sets all settings. A repeat whose answer was lost gets it again.
 *
 * @returns the version after it, which is the same when nothing differs
 * @throws Problem not-found for a token of an unknown municipality; version-changed
 */
export async function changeMunicipality(
  { store }: SetUpParts,
  { principal, body, expectedVersion, at }: Call<typeof OPERATIONS.changeMunicipality>,
): Promise<{ version: number }> {
  const { municipality: cvr } = principal;
  return store.withTenantConnection(cvr, async (connection) => {
    await lockMunicipality(connection, cvr);
    const { version, isTraining: _, ...settings } = await readSettings(connection, cvr);
    const changes = changesBetween(settings, storedSettings(body));
    requireVersion(version, expectedVersion, changes === undefined);
    if (changes) await writeSettings(connection, { principal, at }, storedSettings(body), changes);
    return { version: changes ? version + 1 : version };
  });
}

type StoredSettings = Omit<Row, 'isTraining' | 'version' | 'hasPointsNow' | 'takesRepliesSomewhere'>;

/** The settings of a municipality that is there. */
export async function readSettings(
  connection: Connection,
  cvr: string,
): Promise<StoredSettings & Pick<Row, 'isTraining' | 'version'>> {
  const [row] = await run<Row>(connection, sql`SELECT ${ROW} FROM municipalities WHERE cvr = ${cvr}`);
  const { hasPointsNow: _, takesRepliesSomewhere: __, ...settings } = row as Row;
  return settings;
}

/** As they are stored: of the rules, those that say more than that it is held. */
export function storedSettings({ heldRules, ...settings }: Settings): StoredSettings {
  const told = heldRules.map(({ cause, ...rule }) => [cause, rule] as const);
  const stored = told.filter(([, rule]) => changesBetween(NO_RULE, rule) !== undefined);
  return { ...settings, heldRules: Object.fromEntries(stored) };
}

/** Writes the settings of a municipality that is locked, and who did it. */
export async function writeSettings(
  connection: Connection,
  by: { readonly principal: Principal; readonly at: Date },
  after: StoredSettings,
  changes: SettingsDifference,
): Promise<void> {
  await run(
    connection,
    sql`
      UPDATE municipalities SET name = ${after.name}, is_live = ${after.isLive}::bool, takes_replies = ${after.takesReplies}::bool,
        takes_enquiries = ${after.takesEnquiries}::bool, letters_answerable = ${after.lettersAnswerable}::bool,
        reply_days = ${after.replyDays}::int, late_after_days = ${after.lateAfterDays}::int,
        closed_case_team = ${after.closedCaseTeam}::text, deletion_needs_two = ${after.deletionNeedsTwo}::bool,
        deletion_delay_days = ${after.deletionDelayDays}::int,
        remove_content_after_days = ${after.removeContentAfterDays}::int,
        flag_rejected_after_days = ${after.flagRejectedAfterDays}::int, accepts_delegation = ${after.acceptsDelegation}::bool, held_rules = ${JSON.stringify(after.heldRules)}::jsonb,
        version = version + 1, release_due = ${newId()}::uuid
      WHERE cvr = ${by.principal.municipality}`,
  );
  await recordSettingsChange(connection, by, 'municipality-changed', changes);
}

/** @throws Problem version-changed, unless the change that was asked for is made already */
export function requireVersion(version: number, expectedVersion: number, isMade: boolean): void {
  if (version === expectedVersion || (isMade && version === expectedVersion + 1)) return;
  const detail = `The version is ${version} now. Somebody has changed it since it was read: read it again.`;
  throw new Problem('version-changed', detail);
}

/** Has held messages looked at again, once the transaction is committed. */
export async function markReleaseDue(connection: Connection, cvr: string): Promise<void> {
  await run(connection, sql`UPDATE municipalities SET release_due = ${newId()}::uuid WHERE cvr = ${cvr}`);
}

/**
 * Until the transaction ends, nobody decides by the set-up of the municipality, and nobody else changes it or releases by it.
 *
 * @throws Problem not-found for a token of an unknown municipality
 */
export async function lockMunicipality(connection: Connection, cvr: string): Promise<void> {
  await run(connection, lockSetUp(cvr));
  await run(connection, sql`SELECT FROM municipalities WHERE cvr = ${cvr} FOR NO KEY UPDATE`);
  await requireMunicipality((statement) => run(connection, statement), cvr);
}
