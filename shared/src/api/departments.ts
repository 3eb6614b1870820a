import { z } from 'zod';
import { MAX_IMPORTED, switchOf, version } from './set-up.js';
import { DepartmentId, NAMED_ANSWERS, NAMED_REQUESTS, text } from './values.js';

// The schemas of the address book of a municipality. Of departments, not of persons: it is in the audit log as it was told.

const maybe = (what: string, schema: z.ZodType<string, string>) =>
  schema.nullable().default(null).describe(`${what}; null: not told`);

const DEPARTMENT = {
  name: text(256).describe('As people know it'),
  email: maybe(
    'Where it gets its mail, such as teknik@kommune.example',
    text(256).regex(/^[^\s@]+@[^\s@]+$/, { error: 'must be an e-mail address' }),
  ),
  phone: maybe('Of the department', text(64)),
  address: maybe('Of the department', text(256)),
  note: maybe('What it takes, or how it wants it', text(1_000)),
  isActive: z.boolean().default(true).describe('Whether messages can be sent on to it'),
};

const EXAMPLE_ID = 'teknik-og-miljoe';
const EXAMPLE = {
  name: 'Teknik og Miljø',
  email: 'teknik@kommune.example',
  phone: '12 34 56 78',
  address: null,
  note: 'Også veje og cykelstier',
  isActive: true,
};

export const DepartmentBody = z
  .strictObject(DEPARTMENT)
  .meta({ examples: [EXAMPLE] })
  .register(NAMED_REQUESTS, { id: 'DepartmentSettings' });

export const NewDepartmentBody = z
  .strictObject({ id: DepartmentId, ...DEPARTMENT })
  .meta({ examples: [{ id: EXAMPLE_ID, ...EXAMPLE }] })
  .register(NAMED_REQUESTS, { id: 'NewDepartment' });
export type NewDepartmentBody = z.infer<typeof NewDepartmentBody>;

/** Many departments. */
export const DepartmentImportBody = z
  .strictObject({
    departments: z
      .array(NewDepartmentBody)
      .min(1)
      .max(MAX_IMPORTED)
      .refine((departments) => new Set(departments.map(({ id }) => id)).size === departments.length, {
        error: 'must have each id once',
      })
      .describe('Each once'),
  })
  .meta({ examples: [{ departments: [{ id: EXAMPLE_ID, ...EXAMPLE }] }] })
  .register(NAMED_REQUESTS, { id: 'DepartmentImport' });

/** What a row of a table says, in the form of the JSON. */
export function departmentOfRow({ isActive, ...texts }: Readonly<Record<string, string>>): object {
  return { ...texts, ...(isActive !== undefined && { isActive: switchOf(isActive) }) };
}

export const DepartmentAnswer = z
  .object({ id: z.string().describe('In the address book'), ...DEPARTMENT, version })
  .meta({ examples: [{ id: EXAMPLE_ID, ...EXAMPLE, version: 1 }] })
  .register(NAMED_ANSWERS, { id: 'Department' });
export type DepartmentAnswer = z.infer<typeof DepartmentAnswer>;

export const DepartmentCreated = z
  .object({ id: z.string().describe('In its normal form'), version })
  .meta({ examples: [{ id: EXAMPLE_ID, version: 1 }] })
  .register(NAMED_ANSWERS, { id: 'DepartmentAdded' });

export const DepartmentList = z
  .object({ items: z.array(DepartmentAnswer).describe('By name; without those that were removed') })
  .meta({ examples: [{ items: [{ id: EXAMPLE_ID, ...EXAMPLE, version: 1 }] }] })
  .register(NAMED_ANSWERS, { id: 'Departments' });
