import { asSystem } from '@indbakke/shared/access';
import type { ContactPointAnswer, MunicipalityFile, NewContactPointBody } from '@indbakke/shared/api';
import { OWNER } from '@indbakke/shared/audit';
import { currentTime } from '@indbakke/shared/clock';
import { type Connection, Prisma, run } from '@indbakke/shared/store';
import { changesBetween, type SettingsDifference } from './changes.js';
import { CONTACT_POINTS } from './contact-points.js';
import { type Compared, compare, listed, setEntries } from './entries.js';
import { lockMunicipality, readSettings, rulesOf, storedSettings, writeSettings } from './municipality.js';

const { sql } = Prisma;

const STAYS_TRAINING = (cvr: string) =>
  `${cvr} is a training municipality, and stays one: its mail is made up. Set the real one up under its own CVR number.`;
const STAYS_REAL = (cvr: string) =>
  `${cvr} is no training municipality, and cannot become one: its mail may be real. Set up a new one under another CVR number.`;

/** What a file changes. */
export interface AppliedFile {
  readonly isNew: boolean;
  readonly settings: SettingsDifference | undefined;
  readonly contactPoints: readonly Compared<NewContactPointBody>[];
  /** Contact points that are set up and not in the file: they stay. */
  readonly others: readonly { readonly id: string; readonly name: string }[];
}

/**
 * Sets a municipality up as a file says, in the transaction of the connection. Roll it back to learn only what it would change.
 *
 * @param connection of the owner of the tables: the services add no municipality
 * @throws Error when it is new and the file has no name, or when it would become a training municipality or stop being one
 */
export async function applyMunicipality(
  connection: Connection,
  { cvr, training, contactPoints = [], ...given }: MunicipalityFile,
): Promise<AppliedFile> {
  const added = await run(
    connection,
    sql`
      INSERT INTO municipalities (cvr, name, is_training, training_since)
      SELECT ${cvr}, ${given.name ?? ''}, ${training ?? false}::bool, CASE WHEN ${training ?? false}::bool THEN now() END
      ON CONFLICT DO NOTHING RETURNING 1`,
  );
  const isNew = added.length > 0;
  if (isNew && given.name === undefined)
    throw new Error(`There is no municipality ${cvr} yet. A new one needs a name.`);
  await lockMunicipality(connection, cvr);
  const by = { principal: asSystem(cvr, OWNER), at: currentTime() };
  const { version: _, isTraining, ...before } = await readSettings(connection, cvr);
  if ((training ?? isTraining) !== isTraining) throw new Error(isTraining ? STAYS_TRAINING(cvr) : STAYS_REAL(cvr));
  const after = storedSettings({ ...before, heldRules: rulesOf(before), ...defined(given) });
  const settings = changesBetween(before, after);
  if (settings) await writeSettings(connection, by, after, settings);
  const compared = await compare(CONTACT_POINTS, connection, cvr, contactPoints);
  await setEntries(CONTACT_POINTS, connection, by, compared);
  const inFile = new Set(contactPoints.map(({ id }) => id));
  const others = (await run<ContactPointAnswer>(connection, listed(CONTACT_POINTS, cvr))).filter(
    ({ id }) => !inFile.has(id),
  );
  return { isNew, settings, contactPoints: compared, others };
}

/** As a file has it, so that to apply it changes nothing. Undefined when there is no such municipality. */
export async function exportMunicipality(connection: Connection, cvr: string): Promise<MunicipalityFile | undefined> {
  const known = await run(connection, sql`SELECT FROM municipalities WHERE cvr = ${cvr}`);
  if (known.length === 0) return undefined;
  const { version: _, isTraining, ...settings } = await readSettings(connection, cvr);
  const points = await run<ContactPointAnswer>(connection, listed(CONTACT_POINTS, cvr));
  return {
    cvr,
    ...(isTraining && { training: true }),
    ...settings,
    heldRules: rulesOf(settings),
    contactPoints: points.map(({ version: __, ...point }) => point satisfies NewContactPointBody),
  };
}

function defined<T extends object>(given: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as never;
}
