import type { ContactPointAnswer, MunicipalityFile, NewContactPointBody } from '@indbakke/shared/api';
import { type Connection, Prisma, run } from '@indbakke/shared/store';
import { changesBetween, type SettingsDifference } from './changes.js';
import { type ComparedPoint, comparePoints, listedPoints, setPoints } from './contact-points.js';
import { asSystem, lockMunicipality, readSettings, rulesOf, storedSettings, writeSettings } from './municipality.js';

const { sql } = Prisma;

/** Who does it in the audit log: whoever may use the login of the owner. */
const OWNER = { kind: 'system', id: 'municipality-apply' } as const;

/** What a file changes. */
export interface AppliedFile {
  readonly isNew: boolean;
  readonly settings: SettingsDifference | undefined;
  readonly contactPoints: readonly ComparedPoint[];
  /** Contact points that are set up and not in the file: they stay. */
  readonly others: readonly { readonly id: string; readonly name: string }[];
}

/**
 * Sets a municipality up as a file says, in the transaction of the connection. Roll it back to learn only what it would change.
 *
 * @param connection of the owner of the tables: the services add no municipality
 * @throws Error when it is new and the file has no name
 */
export async function applyMunicipality(
  connection: Connection,
  { cvr, contactPoints = [], ...given }: MunicipalityFile,
): Promise<AppliedFile> {
  const added = await run(
    connection,
    sql`INSERT INTO municipalities (cvr, name) SELECT ${cvr}, ${given.name ?? ''} ON CONFLICT DO NOTHING RETURNING 1`,
  );
  const isNew = added.length > 0;
  if (isNew && given.name === undefined)
    throw new Error(`There is no municipality ${cvr} yet. A new one needs a name.`);
  await lockMunicipality(connection, cvr);
  const by = { principal: asSystem(cvr, OWNER), at: new Date() };
  const { version: _, ...before } = await readSettings(connection, cvr);
  const after = storedSettings({ ...before, heldRules: rulesOf(before), ...defined(given) });
  const settings = changesBetween(before, after);
  if (settings) await writeSettings(connection, by, after, settings);
  const compared = await comparePoints(connection, cvr, contactPoints);
  await setPoints(connection, by, compared);
  const inFile = new Set(contactPoints.map(({ id }) => id));
  const others = (await run<ContactPointAnswer>(connection, listedPoints(cvr))).filter(({ id }) => !inFile.has(id));
  return { isNew, settings, contactPoints: compared, others };
}

/** As a file has it, so that to apply it changes nothing. Undefined when there is no such municipality. */
export async function exportMunicipality(connection: Connection, cvr: string): Promise<MunicipalityFile | undefined> {
  const known = await run(connection, sql`SELECT FROM municipalities WHERE cvr = ${cvr}`);
  if (known.length === 0) return undefined;
  const { version: _, ...settings } = await readSettings(connection, cvr);
  const points = await run<ContactPointAnswer>(connection, listedPoints(cvr));
  return {
    cvr,
    ...settings,
    heldRules: rulesOf(settings),
    contactPoints: points.map(({ version: __, ...point }) => point satisfies NewContactPointBody),
  };
}

function defined<T extends object>(given: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as never;
}
