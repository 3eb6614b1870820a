import type { DocumentAnswer, DocumentSummary } from '../api/index.js';
import {
  type FetchStatus,
  FILE_FETCH,
  type KeptScan,
  ONWARD_STATUS,
  type OnwardStatus,
  REJECTION_TOLD,
} from '../lifecycle/index.js';
import { Prisma } from '../store/index.js';
import { IS_TRAINING } from '../training/index.js';

// What is read of a message, as columns of `messages AS m`, each set with the interface of its row. CHECKs close the sets of
// values, so the types of the answers are those of the columns.

const { sql } = Prisma;

/** The tables of SUMMARY beside `m`. LATERAL, so that PostgreSQL looks up each row and never joins whole tables. */
export const SUMMARY_TABLES = sql`
  LEFT JOIN LATERAL (SELECT * FROM message_details WHERE message_id = m.id LIMIT 1) AS d ON true
  LEFT JOIN LATERAL (
    SELECT status, caseworker, team, moved_to, moved_from FROM cases WHERE municipality = m.municipality AND case_id = m.suggested_case_id LIMIT 1
  ) AS suggested ON true
  LEFT JOIN LATERAL (
    SELECT name FROM contact_points WHERE municipality = m.municipality AND contact_point_id = m.contact_point_id LIMIT 1
  ) AS point ON true
  LEFT JOIN LATERAL (
    SELECT name FROM departments WHERE municipality = m.municipality AND department_id = m.outcome_department_id LIMIT 1
  ) AS department ON true
  LEFT JOIN LATERAL (
    SELECT message_uuid, set_up_at, delivery FROM sent_messages WHERE answered_message_id = m.id ORDER BY set_up_at DESC LIMIT 1
  ) AS answer ON true`;

/** A row of a list. */
export const SUMMARY = sql`
  m.id, m.external_id AS "externalId", m.version, m.status, m.held_cause AS "heldCause", m.kind, m.channel,
  m.received_at AS "receivedAt", m.first_offered_at AS "firstOfferedAt", m.letter_at AS "letterAt",
  coalesce(d.subject, '') AS subject, coalesce(d.sender_id, '') AS "senderId", coalesce(d.sender_id_type, '') AS "senderIdType",
  coalesce(d.sender_name, '') AS "senderName", d.concerning_id AS "concerningId",
  d.concerning_name AS "concerningName", m.contact_point_id AS "contactPointId", point.name AS "contactPointName",
  m.suggested_case_id AS "suggestedCaseId", m.suggestion_basis AS "suggestionBasis",
  m.suggestion_sender AS "suggestionSender", m.suggestion_party AS "suggestionParty", m.suggestion_warning AS "suggestionWarning", suggested.status AS "caseStatus", suggested.caseworker, suggested.team,
  suggested.moved_to AS "movedTo", suggested.moved_from AS "movedFrom",
  m.assignee_kind AS "assigneeKind", m.assignee_id AS "assigneeId", m.document_count AS "documentCount",
  m.file_count AS "fileCount", m.attachment_count AS "attachmentCount", m.has_media AS "hasMedia",
  m.content_size::float8 AS "contentSize", m.remarks, m.late, m.reply_by AS "replyBy",
  d.representative_id AS "representativeId", d.representative_id_type AS "representativeIdType",
  d.representative_name AS "representativeName", m.concern_marked_at AS "concernMarkedAt",
  m.concern_marked_by AS "concernMarkedBy", m.concern_assess_by AS "concernAssessBy",
  m.concern_assessed_at AS "concernAssessedAt", m.concern_confirm_by AS "concernConfirmBy",
  m.concern_confirmed_at AS "concernConfirmedAt", m.rejection_reason AS "rejectionReason",
  m.legal_hold AS "legalHold", m.deletion_requested_at AS "deletionRequestedAt", m.deletion_requested_by AS "deletionRequestedBy",
  m.deletion_confirmed_by AS "deletionConfirmedBy", m.deletion_due_at AS "deletionDueAt", m.deletion_sent_on AS "deletionSentOn",
  m.deletion_sender_informed AS "deletionSenderInformed",
  d.rejection_text AS "rejectionText", d.reason_for_sender AS "reasonForSender", ${REJECTION_TOLD} AS "rejectionTold", ${FILE_FETCH} AS "fileFetch", ${ONWARD_STATUS} AS onward, m.outcome_at AS "outcomeAt", m.outcome_by AS "outcomeBy", m.outcome_department_id AS "outcomeDepartmentId",
  coalesce(department.name, d.forwarded_to) AS "forwardedTo", d.sender_informed AS "senderInformed",
  m.status_at AS "statusAt", m.status_by AS "statusBy", m.content_removed_at AS "contentRemovedAt", answer.message_uuid AS "answerUuid", answer.set_up_at AS "answeredAt",
  answer.delivery AS "answerDelivery", ${IS_TRAINING} AS "isTraining"`;

/** When the message says that it was sent; of one received before that was kept, its own date if it was plausible. */
export const SENT_AT = sql`coalesce(m.sent_at, nullif(m.letter_at, m.received_at)) AS "sentAt"`;

type Suggestion = NonNullable<DocumentSummary['suggestion']>;

export interface SummaryRow
  extends Pick<
    DocumentSummary,
    | 'id'
    | 'externalId'
    | 'version'
    | 'status'
    | 'heldCause'
    | 'kind'
    | 'channel'
    | 'subject'
    | 'documentCount'
    | 'fileCount'
    | 'contentSize'
    | 'late'
    | 'attachmentCount'
    | 'hasMedia'
    | 'remarks'
    | 'isTraining'
    | 'legalHold'
  > {
  readonly receivedAt: Date;
  readonly firstOfferedAt: Date;
  readonly letterAt: Date;
  readonly senderId: string;
  readonly senderIdType: string;
  readonly senderName: string;
  readonly concerningId: string | null;
  readonly concerningName: string | null;
  readonly contactPointId: string | null;
  readonly contactPointName: string | null;
  readonly suggestedCaseId: string | null;
  readonly suggestionBasis: Suggestion['basis'];
  readonly suggestionSender: Suggestion['sender'];
  readonly suggestionParty: Suggestion['party'];
  readonly suggestionWarning: Suggestion['warning'];
  readonly caseStatus: Suggestion['caseStatus'];
  readonly caseworker: string | null;
  readonly team: string | null;
  readonly movedTo: string | null;
  readonly movedFrom: string | null;
  readonly replyBy: Date | null;
  readonly representativeId: string | null;
  readonly representativeIdType: string | null;
  readonly representativeName: string | null;
  readonly concernMarkedAt: Date | null;
  readonly concernMarkedBy: string | null;
  readonly concernAssessBy: Date | null;
  readonly concernAssessedAt: Date | null;
  readonly concernConfirmBy: Date | null;
  readonly concernConfirmedAt: Date | null;
  readonly deletionRequestedAt: Date | null;
  readonly deletionRequestedBy: string | null;
  readonly deletionConfirmedBy: string | null;
  readonly deletionDueAt: Date | null;
  readonly deletionSentOn: boolean | null;
  readonly deletionSenderInformed: boolean | null;
  readonly rejectionReason: NonNullable<DocumentSummary['rejection']>['reason'] | null;
  readonly rejectionText: string | null;
  readonly reasonForSender: string | null;
  readonly rejectionTold: boolean;
  readonly fileFetch: FetchStatus | null;
  readonly onward: OnwardStatus | null;
  readonly outcomeAt: Date | null;
  readonly outcomeBy: string | null;
  readonly outcomeDepartmentId: string | null;
  /** Name of the department, or of another place. */
  readonly forwardedTo: string | null;
  readonly senderInformed: boolean | null;
  readonly statusAt: Date;
  readonly statusBy: string;
  readonly contentRemovedAt: Date | null;
  readonly assigneeKind: 'user' | 'team' | null;
  readonly assigneeId: string | null;
  readonly answerUuid: string | null;
  readonly answeredAt: Date | null;
  readonly answerDelivery: NonNullable<DocumentSummary['answer']>['delivery'];
}

const FILE = sql`json_build_object('id', f.id, 'fileName', f.file_name, 'encodingFormat', f.encoding_format,
  'detectedFormat', f.detected_format, 'language', f.language, 'size', f.size, 'sha256', encode(f.sha256, 'hex'), 'crc32', f.crc32, 'status', f.status, 'scan', f.scan, 'scanFinding', f.scan_finding,
  'containerIndex', f.container_index, 'containerOffset', f.container_offset)`;

/** The documents with their files, and what the sender filled in. */
export const DOCUMENTS = sql`
  coalesce(d.contact_info, '[]') AS "contactInfo",
  (SELECT coalesce(json_agg(json_build_object('role', t.role, 'documentId', t.document_id, 'label', t.label, 'files',
     (SELECT coalesce(json_agg(${FILE} ORDER BY f.position), '[]')
      FROM files f WHERE f.message_id = t.message_id AND f.document_position = t.position)) ORDER BY t.position), '[]')
   FROM documents t WHERE t.message_id = m.id) AS documents`;

/** How a document came through Fordelingskomponenten, and what its sender is told; null for Digital Post. */
export const DISTRIBUTION = sql`
  (SELECT json_build_object('objectType', x.object_type, 'objectId', x.object_id, 'transactionId', x.transaction_id, 'kle', m.kle,
     'parties', coalesce(d.parties, '[]'), 'exemption', d.exemption,
     'fileFetch', (SELECT json_build_object('status', t.status, 'since', t.since, 'attempts', t.attempts, 'fault', t.fault)
       FROM file_fetches t WHERE t.message_id = x.message_id LIMIT 1),
     'receipts', (SELECT coalesce(json_agg(json_build_object('code', r.code, 'status', r.status, 'at', r.at, 'sentAt', r.sent_at,
         'attempts', r.attempts, 'fault', r.fault) ORDER BY r.at, r.id), '[]')
       FROM business_receipts r WHERE r.message_id = x.message_id))
   FROM distributions x WHERE x.message_id = m.id) AS distribution`;

/** How a message is sent on to another authority, the last time; null: it is not. */
export const SENT_ON = sql`
  (SELECT json_build_object('recipient', o.recipient, 'kle', o.kle, 'facet', o.facet, 'receiver', o.receiver, 'status', o.status,
     'at', o.at, 'by', o.asked_by, 'technicalReceipt', ${receiptOf('technical')}, 'businessReceipt', ${receiptOf('business')},
     'attempts', o.attempts, 'fault', o.fault)
   FROM onward_distributions o LEFT JOIN onward_distribution_texts t ON t.distribution_id = o.id
   WHERE o.message_id = m.id ORDER BY o.at DESC, o.id DESC LIMIT 1) AS "sentOn"`;

function receiptOf(kind: 'technical' | 'business'): Prisma.Sql {
  const of = Prisma.raw;
  return sql`CASE WHEN o.${of(`${kind}_code`)} IS NOT NULL
    THEN json_build_object('code', o.${of(`${kind}_code`)}, 'reason', t.${of(`${kind}_reason`)}) END`;
}

type AnsweredDocument = DocumentAnswer['documents'][number];
type AnsweredFile = AnsweredDocument['files'][number];

/** `size` in bytes, `sha256` in hex; the place in the container is null unless the file is stored. */
export interface StoredFile extends Omit<AnsweredFile, 'scan'> {
  readonly scan: KeptScan;
  /** null if it was stored before its CRC-32 was kept. */
  readonly crc32: number | null;
  readonly containerIndex: number | null;
  readonly containerOffset: number | null;
}

export interface DocumentsRow extends Pick<DocumentAnswer, 'contactInfo'> {
  readonly documents: readonly (Omit<AnsweredDocument, 'files'> & {
    readonly files: readonly StoredFile[];
  })[];
}

/** The files of the main document, in order. */
export const filesOfMainDocument = sql`(SELECT coalesce(json_agg(${FILE} ORDER BY f.position), '[]')
  FROM documents t JOIN files f ON f.message_id = t.message_id AND f.document_position = t.position
  WHERE t.message_id = m.id AND t.role = 'main') AS files`;

/** One file of the message; null if it has no such file. */
export const fileColumn = (fileId: string) =>
  sql`(SELECT ${FILE} FROM files f WHERE f.message_id = m.id AND f.id = ${fileId}::uuid) AS file`;

/** What opens the content: the wrapped key, and the place of the container or, if it is small, the container itself. */
export const SEALED = sql`
  m.id, m.municipality, m.blob_name AS "blobName", k.key_id AS "keyId", k.wrapped_key AS "wrappedKey",
  (SELECT container FROM message_contents WHERE message_id = m.id) AS container`;
export const SEALED_TABLES = sql`LEFT JOIN message_keys k ON k.message_id = m.id`;

export interface SealedRow {
  readonly id: string;
  readonly municipality: string;
  readonly blobName: string | null;
  readonly keyId: string | null;
  readonly wrappedKey: Buffer | null;
  readonly container: Buffer | null;
}
