import { requireMunicipality } from '@indbakke/shared/access';
import type { NewDepartmentBody } from '@indbakke/shared/api';
import { Problem } from '@indbakke/shared/errors';
import { Prisma, run } from '@indbakke/shared/store';
import type { EntryKind } from './entries.js';

const { sql } = Prisma;

/** The address book: where rejected messages are sent on to. Nothing that arrives depends on it, so intake waits for no change. */
export const DEPARTMENTS: EntryKind<NewDepartmentBody> = {
  name: 'department',
  field: 'department',
  table: sql`departments`,
  id: sql`department_id`,
  columns: sql`department_id AS id, name, email, phone, address, note, is_active AS "isActive", version`,
  fields: { name: 'text', email: 'text', phone: 'text', address: 'text', note: 'text', isActive: 'bool' },
  store: (municipality) => sql`
    INSERT INTO departments AS d (municipality, department_id, name, email, phone, address, note, is_active)
    SELECT ${municipality}, id, name, email, phone, address, note, "isActive" FROM given
    ON CONFLICT (municipality, department_id) DO UPDATE SET name = excluded.name, email = excluded.email,
      phone = excluded.phone, address = excluded.address, note = excluded.note, is_active = excluded.is_active,
      removed_at = NULL, version = d.version + 1`,
  async lock(connection, municipality) {
    await run(connection, sql`SELECT FROM municipalities WHERE cvr = ${municipality} FOR NO KEY UPDATE`);
    await requireMunicipality((statement) => run(connection, statement), municipality);
  },
  exists: () =>
    new Problem('department-exists', 'There is a department with this id. Change that one.', { path: 'body.id' }),
};
