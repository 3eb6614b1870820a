import { allowedChanges, type ChangeableMessage, type Principal } from '@indbakke/shared/access';
import type { DocumentAnswer, DocumentSummary } from '@indbakke/shared/api';
import { HOUR } from '@indbakke/shared/config';
import {
  type DocumentsRow,
  goesOut,
  mayOpen,
  openingOf,
  type Scanning,
  type StoredFile,
  type SummaryRow,
  scanOf,
  shapeHandover,
  WITHOUT_TECHNICAL,
} from '@indbakke/shared/inbox';
import { deletionStateOf, isWaiting } from '@indbakke/shared/lifecycle';

// Database rows as answers of the API.

/** A row of a list, as it is answered to a caller. */
export interface AnsweredRow extends SummaryRow, Pick<ChangeableMessage, 'beyond' | 'scans'> {}

/** @param now for age and clocks */
export function summarize(row: AnsweredRow, principal: Principal, now: Date): DocumentSummary {
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
    ageHours: Math.floor((now.getTime() - row.receivedAt.getTime()) / HOUR),
    late: row.late,
    replyBy: row.replyBy?.toISOString() ?? null,
    replyOverdue: isWaiting(row.status) && !row.late && row.replyBy !== null && row.replyBy < now,
    subject: row.subject,
    sender: {
      id: row.senderId,
      idType: row.senderIdType,
      name: row.senderName,
      representative: representativeOf(row),
    },
    concerning: concerningOf(row),
    contactPoint: row.contactPointId === null ? null : { id: row.contactPointId, name: row.contactPointName },
    suggestion: suggestionOf(row),
    assignee: assigneeOf(row),
    answer: answerOf(row),
    concern: concernOf(row),
    documentCount: row.documentCount,
    attachmentCount: row.attachmentCount,
    fileCount: row.fileCount,
    contentSize: row.contentSize,
    hasMedia: row.hasMedia,
    rejection: rejectionOf(row),
    deletion: deletionOf(row),
    legalHold: row.legalHold,
    contentRemovedAt: row.contentRemovedAt?.toISOString() ?? null,
    remarks: row.remarks,
    allowed: allowedChanges(principal, row),
    isTraining: row.isTraining,
  };
}

function representativeOf(row: SummaryRow): DocumentSummary['sender']['representative'] {
  const { representativeId: id, representativeIdType: idType, representativeName: name } = row;
  return id === null && name === null ? null : { id, idType, name };
}

function concerningOf({ concerningId, concerningName }: SummaryRow): DocumentSummary['concerning'] {
  // Both may be empty where the sender wrote empty elements.
  return concerningId || concerningName ? { id: concerningId || null, name: concerningName || null } : null;
}

function answerOf({ answerUuid, answeredAt, answerDelivery }: SummaryRow): DocumentSummary['answer'] {
  if (answerUuid === null || !answeredAt) return null;
  return { messageUUID: answerUuid, at: answeredAt.toISOString(), delivery: answerDelivery };
}

function concernOf(row: SummaryRow): DocumentSummary['concern'] {
  const { concernMarkedAt, concernMarkedBy, concernAssessBy, concernConfirmBy } = row;
  if (!concernMarkedAt || concernMarkedBy === null || !concernAssessBy || !concernConfirmBy) return null;
  return {
    markedAt: concernMarkedAt.toISOString(),
    markedBy: concernMarkedBy,
    assessBy: concernAssessBy.toISOString(),
    assessedAt: row.concernAssessedAt?.toISOString() ?? null,
    confirmBy: concernConfirmBy.toISOString(),
    confirmedAt: row.concernConfirmedAt?.toISOString() ?? null,
  };
}

function suggestionOf(row: SummaryRow): DocumentSummary['suggestion'] {
  const { suggestedCaseId: caseId, suggestionBasis: basis, suggestionSender: sender } = row;
  if (caseId === null) return null;
  const { suggestionParty: party, suggestionWarning: warning, caseStatus, movedTo, movedFrom, caseworker, team } = row;
  return { caseId, basis, sender, party, warning, caseStatus, movedTo, movedFrom, caseworker, team };
}

export type AssigneeRow = Pick<SummaryRow, 'assigneeKind' | 'assigneeId'>;

export function assigneeOf({ assigneeKind: kind, assigneeId: id }: AssigneeRow): DocumentSummary['assignee'] {
  return kind === null || id === null ? null : { kind, id };
}

/** What a whole message has beside its summary and documents; times in lists as PostgreSQL’s JSON. */
export interface WholeRow extends AnsweredRow, DocumentsRow {
  readonly sentAt: Date | null;
  readonly journalizations: DocumentAnswer['journalizations'];
  readonly legalHolds: DocumentAnswer['legalHolds'];
  readonly handover: DocumentAnswer['handover'];
  readonly distribution: DocumentAnswer['distribution'];
  readonly sentOn: DocumentAnswer['sentOn'];
  readonly history: DocumentAnswer['history'];
}

export function describe(row: WholeRow, principal: Principal, now: Date, scanning: Scanning): DocumentAnswer {
  return {
    ...summarize({ ...row, scans: scansOf(row, scanning) }, principal, now),
    sentAt: row.sentAt?.toISOString() ?? null,
    documents: row.documents.map(({ role, documentId, label, files }) => ({
      role,
      documentId,
      label,
      files: files.map((file) => fileOf(file, principal, scanning)),
    })),
    contactInfo: row.contactInfo,
    distribution: row.distribution && distributionOf(row.distribution),
    sentOn: row.sentOn && { ...row.sentOn, at: isoOf(row.sentOn.at) },
    journalizations: row.journalizations.map((journalization) => ({ ...journalization, at: isoOf(journalization.at) })),
    legalHolds: row.legalHolds.map((hold) => ({
      ...hold,
      setAt: isoOf(hold.setAt),
      liftedAt: hold.liftedAt === null ? null : isoOf(hold.liftedAt),
    })),
    handover: row.handover && shapeHandover(row.handover),
    history: row.history.map((event) => ({ ...event, at: isoOf(event.at) })),
  };
}

function distributionOf(distribution: NonNullable<DocumentAnswer['distribution']>): DocumentAnswer['distribution'] {
  const { fileFetch, receipts } = distribution;
  return {
    ...distribution,
    fileFetch: fileFetch && { ...fileFetch, since: isoOf(fileFetch.since) },
    receipts: receipts.map((receipt) => ({
      ...receipt,
      at: isoOf(receipt.at),
      sentAt: receipt.sentAt === null ? null : isoOf(receipt.sentAt),
    })),
  };
}

function deletionOf(row: SummaryRow): DocumentSummary['deletion'] {
  const state = deletionStateOf(row);
  if (state === null || !row.deletionRequestedAt || row.deletionRequestedBy === null) return null;
  return {
    state,
    requestedAt: row.deletionRequestedAt.toISOString(),
    requestedBy: row.deletionRequestedBy,
    confirmedBy: row.deletionConfirmedBy,
    dueAt: row.deletionDueAt?.toISOString() ?? null,
    sentOn: row.deletionSentOn === true,
    senderInformed: row.deletionSenderInformed === true,
  };
}

function rejectionOf(row: SummaryRow): DocumentSummary['rejection'] {
  if (row.status !== 'rejected' || row.rejectionReason === null) return null;
  return {
    reason: row.rejectionReason,
    explanation: row.rejectionText,
    reasonForSender: row.reasonForSender,
    outcome: outcomeOf(row),
    at: row.statusAt.toISOString(),
    by: row.statusBy,
  };
}

function outcomeOf(row: SummaryRow): NonNullable<DocumentSummary['rejection']>['outcome'] {
  const { outcomeAt, outcomeBy, outcomeDepartmentId: departmentId, forwardedTo: name } = row;
  if (!outcomeAt || outcomeBy === null) return null;
  const senderInformed = row.senderInformed ?? false;
  return {
    forwardedTo: name === null ? null : { departmentId, name },
    senderInformed,
    nothingToDo: name === null && !senderInformed,
    at: outcomeAt.toISOString(),
    by: outcomeBy,
  };
}

function scansOf({ documents }: DocumentsRow, scanning: Scanning): NonNullable<ChangeableMessage['scans']> {
  const openings = documents.flatMap(({ role, files }) =>
    files.map((file) => ({ role, opening: openingOf(scanning, file) })),
  );
  return {
    isAnyHeld: openings.some(({ opening }) => opening === 'held'),
    isSendable: openings.every((each) => each.opening === 'open' || !goesOut(WITHOUT_TECHNICAL, each)),
  };
}

function fileOf(
  file: StoredFile,
  principal: Principal,
  scanning: Scanning,
): DocumentAnswer['documents'][number]['files'][number] {
  const { id, fileName, encodingFormat, detectedFormat, language, size, sha256, status, scanFinding } = file;
  return {
    id,
    fileName,
    encodingFormat,
    detectedFormat,
    language,
    size,
    sha256,
    status,
    scan: scanOf(scanning, file),
    scanFinding,
    mayOpen: mayOpen(scanning, file, principal),
  };
}

/** PostgreSQL writes the offset and leaves trailing zeros out. */
function isoOf(time: string): string {
  return new Date(time).toISOString();
}
