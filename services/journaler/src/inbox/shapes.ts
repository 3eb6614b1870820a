import type { DocumentAnswer, DocumentSummary } from '@indbakke/shared/api';
import type { WholeMessage } from '@indbakke/shared/inbox';
import type { Prisma } from '@indbakke/shared/store';

// Database rows as answers of the API. CHECKs close the sets of values, so a cast is enough.

/** What a summary needs; a whole message is a thousand times as large. */
export const SUMMARY = {
  details: {
    select: {
      subject: true,
      senderId: true,
      senderIdType: true,
      senderName: true,
      concerningId: true,
      concerningName: true,
    },
  },
  suggestedCase: true,
} as const satisfies Prisma.MessageInclude;

type SummaryRow = Prisma.MessageGetPayload<{ include: typeof SUMMARY }>;
type Names = ReadonlyMap<string, string>;

export function summarize(message: SummaryRow, contactPointNames: Names): DocumentSummary {
  const { details } = message;
  return {
    id: message.id,
    externalId: message.externalId,
    version: message.version,
    status: message.status as DocumentSummary['status'],
    heldCause: message.heldCause as DocumentSummary['heldCause'],
    kind: message.kind as DocumentSummary['kind'],
    channel: message.channel as DocumentSummary['channel'],
    receivedAt: message.receivedAt.toISOString(),
    firstOfferedAt: message.firstOfferedAt.toISOString(),
    letterAt: message.letterAt.toISOString(),
    subject: details?.subject ?? '',
    sender: { id: details?.senderId ?? '', idType: details?.senderIdType ?? '', name: details?.senderName ?? '' },
    concerning: details?.concerningId ? { id: details.concerningId, name: details.concerningName } : null,
    contactPoint: contactPointOf(message.contactPointId, contactPointNames),
    suggestion: suggestionOf(message),
    assignee: assigneeOf(message),
    documentCount: message.documentCount,
    fileCount: message.fileCount,
    contentSize: Number(message.contentSize),
    remarkCount: (message.remarks as DocumentAnswer['remarks']).length,
  };
}

export function describe(
  message: WholeMessage,
  contactPointNames: Names,
  history: DocumentAnswer['history'],
): DocumentAnswer {
  return {
    ...summarize(message, contactPointNames),
    documents: message.documents.map(({ role, documentId, label, files }) => ({
      role: role as DocumentAnswer['documents'][number]['role'],
      documentId,
      label,
      files: files.map(({ id, fileName, encodingFormat, language, size, sha256, status }) => ({
        id,
        fileName,
        encodingFormat,
        language,
        size: Number(size),
        sha256: sha256 && Buffer.from(sha256).toString('hex'),
        status: status as 'expected' | 'stored' | 'missing',
      })),
    })),
    contactInfo: (message.details?.contactInfo ?? []) as DocumentAnswer['contactInfo'],
    remarks: message.remarks as DocumentAnswer['remarks'],
    journalizations: message.journalizations.map(({ caseId, reference, at, by }) => ({
      caseId,
      reference,
      at: at.toISOString(),
      by,
    })),
    rejection: rejectionOf(message),
    history,
  };
}

function contactPointOf(id: string | null, names: Names): DocumentSummary['contactPoint'] {
  return id === null ? null : { id, name: names.get(id) ?? null };
}

function suggestionOf(message: SummaryRow): DocumentSummary['suggestion'] {
  const { suggestedCaseId: caseId, suggestionBasis, suggestionSender, suggestedCase } = message;
  if (caseId === null) return null;
  type Shape = NonNullable<DocumentSummary['suggestion']>;
  return {
    caseId,
    basis: suggestionBasis as Shape['basis'],
    sender: suggestionSender as Shape['sender'],
    caseStatus: (suggestedCase?.status ?? null) as Shape['caseStatus'],
    caseworker: suggestedCase?.caseworker ?? null,
  };
}

function assigneeOf({ assigneeKind, assigneeId }: SummaryRow): DocumentSummary['assignee'] {
  if (assigneeKind === null || assigneeId === null) return null;
  return { kind: assigneeKind as 'user' | 'team', id: assigneeId };
}

function rejectionOf(message: WholeMessage): DocumentAnswer['rejection'] {
  const { status, rejectionReason, details } = message;
  if (status !== 'rejected' || rejectionReason === null) return null;
  return {
    reason: rejectionReason as NonNullable<DocumentAnswer['rejection']>['reason'],
    explanation: details?.rejectionText ?? null,
    forwardedTo: details?.forwardedTo ?? null,
    senderInformed: details?.senderInformed ?? null,
    at: message.statusAt.toISOString(),
    by: message.statusBy,
  };
}
