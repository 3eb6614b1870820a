import { z } from 'zod';
import {
  CALLERS_CHANGES,
  FILE_SCANS,
  HANDOVER_REFUSALS,
  HANDOVER_STATUSES,
  HELD_CAUSES,
  SUGGESTION_BASES,
  SUGGESTION_SENDERS,
  SUGGESTION_WARNINGS,
  UNSCANNABLE,
} from '../lifecycle/index.js';
import { DistributionOfMessage } from './distributions.js';
import { CHANGED_EXAMPLE, COUNTS_EXAMPLE, DOCUMENT_EXAMPLE, FILE_ID, MESSAGE_ID, SUMMARY_EXAMPLE } from './examples.js';
import { OnwardDistribution } from './onward.js';
import { Deletion, LegalHold, Rejection } from './rejection.js';
import {
  Assignee,
  AssigneeKind,
  CaseId,
  CaseStatus,
  Channel,
  Delivery,
  isTraining,
  Kind,
  keyOf,
  keysOf,
  NAMED_ANSWERS,
  NAMED_REQUESTS,
  nextCursor,
  oneOf,
  PartyRelation,
  personId,
  Status,
  text,
  time,
  Uuid,
} from './values.js';

export const SuggestionWarning = keyOf('SuggestionWarning', SUGGESTION_WARNINGS);

export const NewAssignee = z
  .strictObject({ kind: AssigneeKind, id: personId.describe('As `sub` or `teams` of a token has it') })
  .describe('Who is to handle the message')
  .register(NAMED_REQUESTS, { id: 'NewAssignee' });

export const AssignmentBody = z
  .strictObject({ assignee: NewAssignee })
  .meta({ examples: [{ assignee: { kind: 'user', id: 'sagsbehandler-1' } }] })
  .register(NAMED_REQUESTS, { id: 'Assignment' });

export const JournalizationBody = z
  .strictObject({
    caseIds: z
      .array(CaseId)
      .min(1)
      .max(50)
      .describe('The cases that have the content; registered with PUT /api/v1/cases/{caseId}'),
    reference: text(256).optional().describe('The core’s own reference to the journal entry'),
    casesAreOpen: z
      .boolean()
      .optional()
      .describe(
        'true: the core has opened the cases that are registered as closed or moved; they are registered as open',
      ),
    fileIds: z
      .array(Uuid)
      .max(200)
      .optional()
      .describe('Of documents with several files: the variant that was journalized, one a document. All are kept'),
  })
  .meta({ examples: [{ caseIds: ['BF-1'], reference: 'JP-2026-55' }] })
  .register(NAMED_REQUESTS, { id: 'Journalization' });

export const TakeBackBody = z
  .strictObject({
    reason: keyOf('TakingBackReason', {
      'wrong-case': 'It belongs to another case.',
      'wrong-person': 'It is about somebody else.',
      other: 'Another reason.',
    }),
  })
  .meta({ examples: [{ reason: 'wrong-case' }] })
  .register(NAMED_REQUESTS, { id: 'TakingBack' });

// --- answers -------------------------------------------------------------------------------------------------------

const Suggestion = z
  .object({
    caseId: z.string().describe('The case that the message probably belongs to'),
    basis: keyOf('SuggestionBasis', SUGGESTION_BASES),
    sender: keyOf('SuggestionSender', SUGGESTION_SENDERS),
    party: PartyRelation.nullable().describe(
      'Which party to the case answers, by its relation to the child, the first that was told if there are several; null: none, or the core has not told its relation',
    ),
    warning: SuggestionWarning.nullable().describe(
      'null: none. Where the core has not told to whom the letter was sent, there is none',
    ),
    caseStatus: CaseStatus.nullable().describe('null: the core has not registered the case'),
    movedTo: z
      .string()
      .nullable()
      .describe(
        'Of a moved case, the CVR number of the municipality that has it now; null: it is not moved, or not told',
      ),
    movedFrom: z
      .string()
      .nullable()
      .describe('CVR number of the municipality that the case came from; null: from none, or not told'),
    caseworker: z.string().nullable().describe('The current caseworker: the owner'),
    team: z.string().nullable().describe('The team that has the case'),
  })
  .register(NAMED_ANSWERS, { id: 'Suggestion' });

const Concern = z
  .object({
    markedAt: time.describe('When it was marked'),
    markedBy: z
      .string()
      .describe('Who marked it: a user, or `serviceplatformen` when its contact point is for concerns'),
    assessBy: time.describe('24 hours after its receipt'),
    assessedAt: time.nullable().describe('null: not yet'),
    confirmBy: time.describe(
      'The end of the 6th working day after its receipt: the notifier must have a confirmation by then',
    ),
    confirmedAt: time.nullable().describe('null: not yet'),
  })
  .register(NAMED_ANSWERS, { id: 'Concern' });

const Representative = z
  .object({
    id: z.string().nullable().describe('Such as a CPR or CVR number; null: the message does not say'),
    idType: z.string().nullable().describe('Of which kind the id is, such as CPR or CVR'),
    name: z.string().nullable().describe('null: the message does not say'),
  })
  .register(NAMED_ANSWERS, { id: 'Representative' });

const Sender = z
  .object({
    id: z.string().describe('Such as a CPR or CVR number'),
    idType: z.string().describe('Of which kind the id is, such as CPR or CVR'),
    name: z.string().describe('As the message has it'),
    representative: Representative.nullable().describe('Who acts on behalf of the sender'),
  })
  .describe('Who sent the message')
  .register(NAMED_ANSWERS, { id: 'Sender' });

const Concerning = z
  .object({
    id: z.string().nullable().describe('CPR or CVR number; null: only a name is known'),
    name: z.string().nullable().describe('null: only the number is known'),
  })
  .register(NAMED_ANSWERS, { id: 'Concerning' });

export const ContactPoint = z
  .object({
    id: z.string().describe('In Digital Post'),
    name: z.string().nullable().describe('As the municipality is set up here; null: it is not'),
  })
  .register(NAMED_ANSWERS, { id: 'ContactPoint' });

const Remark = z
  .object({
    code: z.string().describe('Which fault'),
    path: z.string().describe('Of the element at fault'),
  })
  .register(NAMED_ANSWERS, { id: 'Remark' });

const Change = z
  .enum(keysOf(CALLERS_CHANGES))
  .describe('A change that callers make.')
  .register(NAMED_ANSWERS, { id: 'Change' });

const AnswerToMessage = z
  .object({
    messageUUID: z.string().describe('messageUUID of the letter that answers it, the newest if there are several'),
    at: time.describe('When that letter was first set up'),
    delivery: Delivery.nullable().describe('Whether that letter was delivered; null: the core has not told'),
  })
  .register(NAMED_ANSWERS, { id: 'AnswerToMessage' });

export const DocumentSummary = z
  .object({
    id: z.uuid().describe('Names the message in all calls'),
    externalId: z.string().describe('messageUUID in lower case with hyphens; sha256:… if it is not a UUID'),
    version: z.int().describe('Send it in If-Match to change the message'),
    status: Status,
    heldCause: keyOf('HeldCause', HELD_CAUSES).nullable().describe('Why it is held; null: it is not'),
    kind: Kind,
    channel: Channel,
    receivedAt: time.describe('When it was wholly received and about to be stored'),
    firstOfferedAt: time.describe('When its upload began'),
    letterAt: time.describe('Its own date; receivedAt if it has none, or one before 2000 or after its receipt'),
    ageHours: z.int().describe('Whole hours since receivedAt'),
    late: z.boolean().describe('Its own date is much older than its receipt: moved from Virk, or fetched anew'),
    replyBy: time.nullable().describe('When the sender wants an answer by'),
    replyOverdue: z.boolean().describe('replyBy is over and the message still waits; never of a late one'),
    subject: z.string().describe('As the sender wrote it; may be personal'),
    sender: Sender,
    concerning: Concerning.nullable().describe(
      'Whom it concerns: by ContentData/CPRdata, else by the labels of contactInfo',
    ),
    contactPoint: ContactPoint.nullable().describe('To which contact point it was sent; null: to none'),
    suggestion: Suggestion.nullable().describe('The case that it is suggested for; null: none was found, or is yet'),
    assignee: Assignee.nullable().describe('Who is to handle it; null: nobody'),
    answer: AnswerToMessage.nullable().describe('Not null: a letter that answers it is set up'),
    concern: Concern.nullable().describe('Not null: it may be a report of concern'),
    documentCount: z.int().describe('The main document, attachments and technical documents'),
    attachmentCount: z.int().describe('Documents with the role additional'),
    fileCount: z.int().describe('Files of all documents'),
    contentSize: z.int().describe('Bytes of all files'),
    hasMedia: z.boolean().describe('Whether there is sound or video among the files'),
    rejection: Rejection.nullable().describe('Not null: it is rejected'),
    deletion: Deletion.nullable().describe('Not null: its deletion waits for another person, or for its due time'),
    legalHold: z.boolean().describe('Whether it is under a legal hold: then nothing of it is deleted'),
    contentRemovedAt: time
      .nullable()
      .describe(
        'When its content was removed after the time that the municipality has set, with all that is personal: its texts, names, documents and files are empty then. Journalized messages only',
      ),
    remarks: z.array(Remark).describe('Minor faults of the message as it was sent'),
    allowed: z.array(Change).describe('The changes that this caller may make now'),
    isTraining,
  })
  .register(NAMED_ANSWERS, { id: 'IncomingDocumentSummary' });

export type DocumentSummary = z.infer<typeof DocumentSummary>;

export const DocumentList = z
  .object({
    items: z.array(DocumentSummary).describe('In the order of `sort`'),
    nextCursor,
  })
  .meta({ examples: [{ items: [SUMMARY_EXAMPLE], nextCursor: null }] })
  .register(NAMED_ANSWERS, { id: 'IncomingDocumentList' });

export type DocumentList = z.infer<typeof DocumentList>;

const FileAnswer = z
  .object({
    id: z.uuid().describe('Names the file in its download'),
    fileName: z.string().describe('As the sender named it; may be personal'),
    encodingFormat: z.string().describe('The MIME type that the sender claims'),
    detectedFormat: z.string().nullable().describe('The MIME type that the first bytes show; null when they show none'),
    language: z.string().describe('That the sender claims, such as da'),
    size: z.int().describe('Bytes'),
    sha256: z.string().nullable().describe('Of the content, in hexadecimal; null: not stored'),
    status: oneOf('FileStatus', ['expected', 'stored', 'missing']).describe('Only a stored file has content'),
    scan: keyOf('FileScan', FILE_SCANS),
    mayOpen: z.boolean().describe('Whether the caller may download it, as far as the scan decides'),
    scanFinding: z
      .string()
      .nullable()
      .describe(
        `What the scanner calls the malware; of an unscannable file why: ${Object.keys(UNSCANNABLE).join(', ')}. Else null`,
      ),
  })
  .register(NAMED_ANSWERS, { id: 'File' });

const Document = z
  .object({
    role: keyOf('DocumentRole', {
      main: 'The main document.',
      additional: 'An attachment.',
      technical: 'For machines.',
    }),
    documentId: z.string().nullable().describe('That the sender gave it'),
    label: z.string().nullable().describe('That the sender gave it'),
    files: z.array(FileAnswer).describe('One or several formats of the same document'),
  })
  .register(NAMED_ANSWERS, { id: 'Document' });

const ContactInfo = z
  .object({ label: z.string().describe('Of the field'), value: z.string().describe('What is in it') })
  .register(NAMED_ANSWERS, { id: 'ContactInfo' });

const Journalization = z
  .object({
    caseId: z.string().describe('The case that has the content'),
    reference: z.string().nullable().describe('The core’s own reference to the journal entry'),
    fileIds: z.array(z.uuid()).describe('The files that were named as the journalized variants'),
    at: time.describe('When it was journalized'),
    by: z.string().describe('Who journalized it'),
  })
  .register(NAMED_ANSWERS, { id: 'JournalizationOfMessage' });

const HistoryEntry = z
  .object({
    at: time.describe('When it happened'),
    action: z.string().describe('What happened: a change, such as `accepted` or `suggested`'),
    by: z.string().describe('Who did it: a user, or a system'),
    details: z.record(z.string(), z.unknown()).describe('Codes, ids and times, by action'),
  })
  .register(NAMED_ANSWERS, { id: 'HistoryEntry' });

export const HANDOVER_FACTS = {
  handoverId: z.uuid().describe('Names the offer in its calls'),
  direction: oneOf('HandoverSide', ['in', 'out']).describe(
    'in: another municipality offered it to this one; out: the other way',
  ),
  municipality: z.string().describe('CVR number of the other municipality'),
  status: keyOf('HandoverStatus', HANDOVER_STATUSES),
  caseId: z.string().describe('The case, by its id in the municipality that it moved to, as the offering side told'),
  offeredAt: time.describe('When it was offered'),
  offeredBy: z.string().describe('User id, of the offering municipality'),
  expiresAt: time.describe('When the offer ends by itself'),
  endedAt: time.nullable().describe('When it was taken, refused or ended otherwise; null: it is open'),
  endedBy: z
    .string()
    .nullable()
    .describe('User id, of the municipality that ended it, or `indbakke`; null: it is open'),
  refusalReason: keyOf('HandoverRefusalReason', HANDOVER_REFUSALS).nullable().describe('null: it was not refused'),
  receivedAt: time.describe('When the offering municipality received the message'),
};

/** At a message: the newest offer of it, or the one that it came by. */
export const HandoverOfMessage = z.object(HANDOVER_FACTS).register(NAMED_ANSWERS, { id: 'HandoverOfMessage' });

export type HandoverOfMessage = z.infer<typeof HandoverOfMessage>;

export const DocumentAnswer = DocumentSummary.extend({
  sentAt: time
    .nullable()
    .describe('When the message itself says that it was sent, also when that is not plausible; null: it does not say'),
  documents: z.array(Document).describe('In the order of the message, with their files'),
  contactInfo: z
    .array(ContactInfo)
    .describe('What the sender filled in at the contact point; of a document of another system, what that says of it'),
  distribution: DistributionOfMessage.nullable().describe(
    'Of a document that came through Fordelingskomponenten; null: it came through Digital Post',
  ),
  sentOn: OnwardDistribution.nullable().describe(
    'How it is sent on to another authority, the last time; null: it is not',
  ),
  journalizations: z.array(Journalization).describe('The cases that it is on; none unless it is journalized'),
  legalHolds: z.array(LegalHold).describe('Its legal holds, newest first; also lifted ones'),
  handover: HandoverOfMessage.nullable().describe(
    'The newest offer of it to another municipality, or the one that it came by; null: none',
  ),
  history: z.array(HistoryEntry).describe('What happened to the message, oldest first'),
})
  .meta({ examples: [DOCUMENT_EXAMPLE] })
  .register(NAMED_ANSWERS, { id: 'IncomingDocument' });

export type DocumentAnswer = z.infer<typeof DocumentAnswer>;

export const ChangeAnswer = z
  .object({
    id: z.uuid().describe('Of the message'),
    status: Status,
    version: z.int().describe('The version after the change; also in ETag'),
  })
  .meta({ examples: [CHANGED_EXAMPLE] })
  .register(NAMED_ANSWERS, { id: 'Changed' });

export type ChangeAnswer = z.infer<typeof ChangeAnswer>;

export const DocumentIds = z
  .object({
    items: z
      .array(
        z
          .object({
            id: z.uuid().describe('Of the message'),
            version: z.int().describe('Send it with the id in a bulk'),
            assignee: Assignee.nullable().describe('Who is to handle it; null: nobody'),
          })
          .register(NAMED_ANSWERS, { id: 'IncomingDocumentId' }),
      )
      .describe('In the order of `sort`'),
    nextCursor,
  })
  .meta({
    examples: [{ items: [{ id: MESSAGE_ID, version: 2, assignee: { kind: 'team', id: 'team-1' } }], nextCursor: null }],
  })
  .register(NAMED_ANSWERS, { id: 'IncomingDocumentIds' });

export type DocumentIds = z.infer<typeof DocumentIds>;

const count = z.int().describe('Of the messages that were counted (isMore)');

const countOf = <Fields extends z.ZodRawShape>(id: string, fields: Fields) =>
  z.object({ ...fields, count }).register(NAMED_ANSWERS, { id });

const ConcernCounts = z
  .object({
    open: count.describe('With a clock that is not met'),
    assessOverdue: count.describe('Not assessed in time'),
    confirmOverdue: count.describe('Whose receipt is not confirmed to the notifier in time'),
    nextDue: time.nullable().describe('When the next clock that is not met is over; null: none runs'),
  })
  .describe('Possible reports of concern')
  .register(NAMED_ANSWERS, { id: 'ConcernCounts' });

const DeletionCounts = z
  .object({
    requested: count.describe('Whose deletion waits for another person'),
    scheduled: count.describe('That are destroyed at their due times; shown to who may cancel that'),
    nextDue: time.nullable().describe('When the next one is destroyed; null: none is scheduled'),
  })
  .describe('Deletions that wait or run; of rejected messages, so only when these are counted')
  .register(NAMED_ANSWERS, { id: 'DeletionCounts' });

/** A message that matches is counted once in each group. */
export const DocumentCounts = z
  .object({
    at: time.describe('When they were counted'),
    total: count,
    isMore: z
      .boolean()
      .describe(
        'Whether there are more than were counted. Counted are, of each status, the 10000 oldest that are pending or held, and the 1000 newest that are journalized or rejected; with `outcome=open` the 10000 oldest',
      ),
    status: z.array(countOf('CountOfStatus', { status: Status })).describe('By status'),
    kind: z.array(countOf('CountOfKind', { kind: Kind })).describe('By kind'),
    contactPoint: z
      .array(
        countOf('CountOfContactPoint', {
          id: z.string().nullable().describe('null: of no contact point'),
          name: z.string().nullable().describe('As the municipality is set up here; null: it is not'),
        }),
      )
      .describe('By contact point'),
    assignee: z
      .array(countOf('CountOfAssignee', { id: z.string().nullable().describe('null: nobody’s') }))
      .describe('By the caseworker whom it is assigned to'),
    team: z
      .array(countOf('CountOfTeam', { id: z.string().describe('Of the team') }))
      .describe('By the team that it is assigned to'),
    age: z
      .array(countOf('CountOfAge', { olderThan: z.string().describe('Such as P3D') }))
      .describe('Received longer ago than this, and not than the next'),
    late: count,
    replyOverdue: count,
    flagged: z
      .int()
      .describe(
        'Rejected for longer than the municipality has set, for a person to delete: of the same filters, whatever `status` asks for; at most 10000',
      ),
    concern: ConcernCounts,
    outcomeOpen: count.describe('Rejected, and nobody has told what became of it. Ask with `status=rejected`'),
    legalHold: count.describe('Under a legal hold'),
    deletion: DeletionCounts,
    isTraining,
  })
  .meta({ examples: [COUNTS_EXAMPLE] })
  .register(NAMED_ANSWERS, { id: 'IncomingDocumentCounts' });

export type DocumentCounts = z.infer<typeof DocumentCounts>;

/** The main document as text, if it is text or HTML. */
export const TextAnswer = z
  .object({
    fileId: z.uuid().nullable().describe('null: the main document has no file that is text or HTML'),
    text: z.string().nullable().describe('Without markup; links are not followed'),
    isTruncated: z.boolean().describe('The document is longer than the text'),
  })
  .meta({ examples: [{ fileId: FILE_ID, text: 'Kære kommune\n\nJeg svarer på jeres brev.', isTruncated: false }] })
  .register(NAMED_ANSWERS, { id: 'TextOfMainDocument' });

export type TextAnswer = z.infer<typeof TextAnswer>;
