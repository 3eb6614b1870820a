import type { DocumentAnswer, DocumentSummary } from '@indbakke/shared/api';
import type { DocumentsRow, SummaryRow } from '@indbakke/shared/inbox';

// Database rows as answers of the API.

export function summarize(row: SummaryRow): DocumentSummary {
  return {
    id: row.id,
    externalId: row.externalId,
    version: row.version,
    status: row.status,
    heldCause: row.heldCause,
    kind: row.kind,
    channel: row.channel,
    receivedAt: row.receivedAt.toISOString(),
    firstOfferedAt: row.firstOfferedAt.toISOString(),
    letterAt: row.letterAt.toISOString(),
    subject: row.subject,
    sender: { id: row.senderId, idType: row.senderIdType, name: row.senderName },
    concerning: row.concerningId ? { id: row.concerningId, name: row.concerningName } : null,
    contactPoint: row.contactPointId === null ? null : { id: row.contactPointId, name: row.contactPointName },
    suggestion: suggestionOf(row),
    assignee: assigneeOf(row),
    documentCount: row.documentCount,
    fileCount: row.fileCount,
    contentSize: row.contentSize,
    remarkCount: row.remarkCount,
  };
}

function suggestionOf(row: SummaryRow): DocumentSummary['suggestion'] {
  const { suggestedCaseId: caseId, suggestionBasis: basis, suggestionSender: sender, caseStatus, caseworker } = row;
  return caseId === null ? null : { caseId, basis, sender, caseStatus, caseworker };
}

function assigneeOf({ assigneeKind: kind, assigneeId: id }: SummaryRow): DocumentSummary['assignee'] {
  return kind === null || id === null ? null : { kind, id };
}

/** What a whole message has beside its summary and documents; times in journalizations and history as PostgreSQL’s JSON. */
export interface WholeRow extends SummaryRow, DocumentsRow {
  readonly journalizations: DocumentAnswer['journalizations'];
  readonly rejectionReason: NonNullable<DocumentAnswer['rejection']>['reason'] | null;
  readonly rejectionText: string | null;
  readonly forwardedTo: string | null;
  readonly senderInformed: boolean | null;
  readonly statusAt: Date;
  readonly statusBy: string;
  readonly history: DocumentAnswer['history'];
}

export function describe(row: WholeRow): DocumentAnswer {
  return {
    ...summarize(row),
    documents: row.documents.map(({ role, documentId, label, files }) => ({
      role,
      documentId,
      label,
      files: files.map(({ id, fileName, encodingFormat, language, size, sha256, status }) => ({
        id,
        fileName,
        encodingFormat,
        language,
        size,
        sha256,
        status,
      })),
    })),
    contactInfo: row.contactInfo,
    remarks: row.remarks,
    journalizations: row.journalizations.map((journalization) => ({ ...journalization, at: isoOf(journalization.at) })),
    rejection: rejectionOf(row),
    history: row.history.map((event) => ({ ...event, at: isoOf(event.at) })),
  };
}

function rejectionOf(row: WholeRow): DocumentAnswer['rejection'] {
  if (row.status !== 'rejected' || row.rejectionReason === null) return null;
  return {
    reason: row.rejectionReason,
    explanation: row.rejectionText,
    forwardedTo: row.forwardedTo,
    senderInformed: row.senderInformed,
    at: row.statusAt.toISOString(),
    by: row.statusBy,
  };
}

/** PostgreSQL writes the offset and leaves trailing zeros out. */
function isoOf(time: string): string {
  return new Date(time).toISOString();
}
