import { Prisma, type Store } from '../store/index.js';

const { sql } = Prisma;

/** On every file that leaves a training municipality. */
export const TRAINING_MARK = 'Øvelse – ikke rigtig post';

/** Whether the municipality that the transaction is bound to is one to practise in; PostgreSQL reads it once a statement. */
export const IS_TRAINING = sql`
  coalesce((SELECT is_training FROM municipalities WHERE cvr = current_setting('indbakke.municipality', true)), false)`;

/** The name of a sheet of Excel, which people see below its rows. */
export function sheetName(name: string, isTraining: boolean): string {
  return isTraining ? TRAINING_MARK : name;
}

/** The same, of a municipality. */
export async function sheetNameFor(store: Store, municipality: string, name: string): Promise<string> {
  const [row] = await store.query<{ isTraining: boolean }>(
    municipality,
    sql`SELECT ${IS_TRAINING} AS "isTraining"`,
    'kept',
  );
  return sheetName(name, row?.isTraining ?? false);
}
