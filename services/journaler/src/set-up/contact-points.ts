import type { NewContactPointBody } from '@indbakke/shared/api';
import { Problem } from '@indbakke/shared/errors';
import { ASSIGNEE_OF_POINT } from '@indbakke/shared/lifecycle';
import { Prisma } from '@indbakke/shared/store';
import type { EntryKind } from './entries.js';
import { lockMunicipality, markReleaseDue } from './municipality.js';

const { sql } = Prisma;

/** Contact points: intake decides by them, so it waits for a change, and held messages are decided again after it. */
export const CONTACT_POINTS: EntryKind<NewContactPointBody> = {
  name: 'contact-point',
  field: 'contactPoint',
  table: sql`contact_points`,
  id: sql`contact_point_id`,
  columns: sql`
    contact_point_id AS id, name, purpose, is_active AS "isActive", is_concern AS "isConcern", visible_to AS "visibleTo", kle,
    org_unit AS "orgUnit", sensitivity, it_system AS "itSystem", closed_case_team AS "closedCaseTeam", info_labels AS "infoLabels", version,
    ${Prisma.raw(ASSIGNEE_OF_POINT)} AS assignee`,
  fields: {
    name: 'text',
    purpose: 'text',
    isActive: 'bool',
    isConcern: 'bool',
    visibleTo: 'text[]',
    kle: 'text',
    orgUnit: 'text',
    sensitivity: 'text',
    itSystem: 'text',
    assignee: 'jsonb',
    closedCaseTeam: 'text',
    infoLabels: 'jsonb',
  },
  store: (municipality) => sql`
    INSERT INTO contact_points AS p (municipality, contact_point_id, name, purpose, is_active, is_concern, visible_to, kle,
      org_unit, sensitivity, it_system, assignee_kind, assignee_id, closed_case_team, info_labels)
    SELECT ${municipality}, id, name, purpose, "isActive", "isConcern", "visibleTo", kle, "orgUnit", sensitivity, "itSystem",
      assignee->>'kind', assignee->>'id', "closedCaseTeam", "infoLabels"
    FROM given
    ON CONFLICT (municipality, contact_point_id) DO UPDATE SET name = excluded.name, purpose = excluded.purpose,
      is_active = excluded.is_active, is_concern = excluded.is_concern, visible_to = excluded.visible_to, kle = excluded.kle,
      org_unit = excluded.org_unit, sensitivity = excluded.sensitivity, it_system = excluded.it_system, assignee_kind = excluded.assignee_kind,
      assignee_id = excluded.assignee_id, closed_case_team = excluded.closed_case_team, info_labels = excluded.info_labels,
      removed_at = NULL, version = p.version + 1`,
  lock: lockMunicipality,
  thenDo: markReleaseDue,
  exists: () =>
    new Problem('contact-point-exists', 'There is a contact point with this id. Change that one.', { path: 'body.id' }),
};
