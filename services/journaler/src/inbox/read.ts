import { namesClosedCase, type Principal, rolesBeyond } from '@indbakke/shared/access';
import type { DocumentAnswer } from '@indbakke/shared/api';
import {
  DISTRIBUTION,
  DOCUMENTS,
  findMessage,
  handoverOf,
  SENT_AT,
  SENT_ON,
  SUMMARY,
  SUMMARY_TABLES,
} from '@indbakke/shared/inbox';
import { CHANGES } from '@indbakke/shared/lifecycle';
import type { Parts } from '@indbakke/shared/service';
import { Prisma } from '@indbakke/shared/store';
import { describe, type WholeRow } from './shapes.js';

/** Returns a whole message, and records in the audit log who read it. */
export async function readDocument(
  { store, scanning }: Pick<Parts, 'store' | 'scanning'>,
  principal: Principal,
  id: string,
  at: Date,
): Promise<DocumentAnswer> {
  const row = await findMessage<WholeRow>(store, principal, id, { action: 'read', at }, wholeFor(principal));
  return describe(row, principal, at, scanning);
}

// The audit log has reads and refusals too; the history shows a caseworker how the message was changed.
const wholeFor = (principal: Principal) => ({
  columns: Prisma.sql`
    ${SUMMARY}, ${DOCUMENTS}, ${DISTRIBUTION}, ${SENT_ON}, ${SENT_AT}, ${handoverOf(principal)}, ${rolesBeyond(principal)} AS beyond,
    (SELECT coalesce(json_agg(json_build_object('caseId', case_id, 'reference', reference, 'fileIds', file_ids, 'at', at, 'by', by)
        ORDER BY at, case_id), '[]')
     FROM journalizations WHERE message_id = m.id) AS journalizations,
    (SELECT coalesce(json_agg(json_build_object('reason', reason, 'setAt', set_at, 'setBy', set_by, 'liftedAt', lifted_at,
        'liftedBy', lifted_by, 'liftedReason', lifted_reason) ORDER BY set_at DESC), '[]')
     FROM legal_holds WHERE message_id = m.id) AS "legalHolds",
    (SELECT coalesce(json_agg(json_build_object('at', at, 'action', action, 'by', actor, 'details',
        CASE WHEN ${namesClosedCase(principal, Prisma.sql`details`)} THEN '{}' ELSE details END) ORDER BY at, id), '[]')
     FROM audit_events
     WHERE municipality = m.municipality AND message_id = m.id
       AND action = ANY (${Object.keys(CHANGES)}::text[])) AS history`,
  tables: SUMMARY_TABLES,
});
