import { z } from 'zod';
import type { Role } from '../access/index.js';
import type { ErrorCode } from '../errors/index.js';
import { type CallersChange, CHANGES, type Change } from '../lifecycle/index.js';
import { AbsenceAnswer, AbsenceBody } from './absences.js';
import { AccessPackageAnswer, AccessPackageBody, AccessPackageCreated, AccessPackageList } from './access-packages.js';
import { AuditFilter, AuditList, AuditQuery, AuditSearchBody, AuditSheetBody } from './audit-log.js';
import { BulkAnswer, BulkBody } from './bulk.js';
import { CaseBody, CaseLine, CaseLineAnswer, MAX_CASE_LINES, SentMessageBody } from './cases.js';
import { ContactPointCheck } from './contact-point-checks.js';
import {
  DepartmentBody,
  DepartmentCreated,
  DepartmentImportBody,
  DepartmentList,
  departmentOfRow,
  NewDepartmentBody,
} from './departments.js';
import {
  AssignmentBody,
  ChangeAnswer,
  DocumentAnswer,
  DocumentCounts,
  DocumentIds,
  DocumentList,
  JournalizationBody,
  TakeBackBody,
  TextAnswer,
} from './documents.js';
import { EventList, EventQuery } from './events.js';
import { ExtractAnswer, ExtractBody, ExtractCreated, ExtractList } from './extracts.js';
import { FiguresAnswer, FiguresQuery } from './figures.js';
import { DocumentQuery, ExportBody, IdsBody, SearchBody, SummaryQuery } from './filters.js';
import { HandoverBody, HandoverList, HandoverQuery, HandoverRefusalBody } from './handovers.js';
import { OnwardBody } from './onward.js';
import { QuarantineList, QuarantineQuery } from './quarantine.js';
import { DeletionBody, LegalHoldBody, OutcomeBody, RejectionBody } from './rejection.js';
import { ReplySetUp, ReplySetUpBody } from './replies.js';
import { RetentionAnswer, RetentionQuery } from './retention.js';
import {
  ContactPointAnswer,
  ContactPointBody,
  ContactPointCreated,
  ContactPointId,
  ContactPointImportBody,
  ContactPointList,
  contactPointOfRow,
  Imported,
  ImportQuery,
  MunicipalityAnswer,
  MunicipalityBody,
  NewContactPointBody,
  SettingsChanged,
  SettingsChangeList,
} from './set-up.js';
import { CaseId, DepartmentId, idOf, UserId, UUID_FORMS, Uuid } from './values.js';
import {
  DeliveryList,
  DeliveryQuery,
  Redelivered,
  RedeliveryBody,
  WebhookAnswer,
  WebhookBody,
  WebhookChangeBody,
  WebhookList,
  WebhookSecret,
} from './webhooks.js';
import { ZipDownloadAnswer, ZipDownloadBody, ZipDownloadCreated, ZipDownloadList, ZipQuery } from './zip-downloads.js';

/**
 * A call of the inbox API: its service, who may make it, its input and its answer. The router, OpenAPI and the table of paths
 * in docs/architecture.md are generated from this.
 */
export interface Operation {
  readonly service: 'journaler' | 'archiver';
  readonly method: 'get' | 'post' | 'put' | 'delete';
  /** Express path; its parameters are the keys of `params`. */
  readonly path: `/api/v1/${string}`;
  readonly summary: string;
  /** More than the summary says; for OpenAPI. */
  readonly description?: string;
  /** Any one of these is required. */
  readonly roles: readonly Role[];
  /** Only for those who run the installation: it takes their tokens, which are of no municipality. */
  readonly isOfInstallation?: true;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  /** The JSON that the call requires; without it, the call takes no body but `{}`. */
  readonly body?: z.ZodObject | z.ZodDiscriminatedUnion;
  /** The body may be a table instead, CSV or Excel, with a row for each item of its one list. */
  readonly table?: { readonly list: string; readonly itemOf: (row: Readonly<Record<string, string>>) => object };
  /** The fields of the body may come in the query instead: some clients and proxies let DELETE have none (RFC 9110, 9.3.5). */
  readonly bodyOrQuery?: true;
  /** The body is lines of JSON instead, each of which is answered by a line, in their order. */
  readonly lines?: { readonly body: z.ZodObject; readonly answer: z.ZodObject };
  /** The call changes nothing, although its method is POST: its filters must not be in a URL. */
  readonly readsOnly?: true;
  /** The change that the call makes to one message; it requires If-Match with the version that was read. */
  readonly change?: Change;
  /** The call changes something else that has a version, and requires If-Match too. */
  readonly isVersioned?: true;
  /** The schema of the JSON answer, the media types of streamed content, or undefined (204). */
  readonly answer: z.ZodObject | readonly string[] | undefined;
  /** The content is made as it is sent: it has no ETag, no length that is known before, and no ranges. */
  readonly isMade?: true;
  /** Errors in addition to those of every call, of a path with parameters, of a body and of a change (openapi.ts). */
  readonly errors: readonly ErrorCode[];
}

const Id = z.object({ id: idOf('message') });
const FileIds = z.object({ id: idOf('message'), fileId: idOf('file') });
const ExtractId = z.object({ extractId: idOf('extract') });
const ExtractFileIds = z.object({ extractId: idOf('extract'), fileId: idOf('file') });
const ZipId = z.object({ zipId: idOf('zip download') });
const PackageId = z.object({ packageId: idOf('access package') });
const HandoverId = z.object({ handoverId: idOf('handover') });
const WebhookId = z.object({ webhookId: idOf('webhook') });
const EntryId = z.object({ entryId: idOf('entry') });
const ContactPointIdParam = z.object({ contactPointId: ContactPointId });
const DepartmentIdParam = z.object({ departmentId: DepartmentId });

/** Types of files that a browser may display. Everything else, above all HTML, SVG and XML, is sent as bytes to be saved. */
export const DISPLAYED_TYPES: readonly string[] = [
  'application/pdf',
  'text/plain',
  'image/png',
  'image/jpeg',
  'image/gif',
  'image/tiff',
];
export const BYTES = 'application/octet-stream';
export const EXCEL = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';
export const CSV = 'text/csv';
export const PDF = 'application/pdf';
/** Lines of JSON. */
export const NDJSON = 'application/x-ndjson';

const READ = ['IndkomneDokumenter.Læs', 'Indbakke.Opsætning', 'Indbakke.Drift'] as const;
const CONNECTS = ['Indbakke.System', 'Indbakke.Opsætning'] as const;
const AKTINDSIGT = ['Indbakke.Aktindsigt'] as const;
const SETS_UP = ['Indbakke.Opsætning'] as const;
const SCAN_ERRORS = ['file-held', 'file-unsafe'] as const;
const CONTENT_ERRORS = ['version-changed', 'content-gone', 'content-damaged', 'range-not-satisfiable'] as const;

/** Whether the call takes effect only on the version that the caller has read. */
export function requiresVersion({ change, isVersioned }: Pick<Operation, 'change' | 'isVersioned'>): boolean {
  return change !== undefined || isVersioned === true;
}

/** A call about the quarantine. */
function quarantine<
  const Path extends string,
  const O extends Pick<Operation, 'method' | 'summary' | 'description' | 'answer' | 'query' | 'errors'>,
>(path: Path, operation: O) {
  const roles = ['Indbakke.Drift'] as const;
  return {
    service: 'archiver',
    path: `/api/v1/quarantine${path}`,
    roles,
    isOfInstallation: true,
    ...operation,
  } as const;
}

/** A call that changes one message; its roles are in the table of changes. */
function changing<
  const C extends CallersChange,
  const O extends Pick<Operation, 'service' | 'method' | 'path' | 'summary' | 'description' | 'body' | 'bodyOrQuery'>,
>(change: C, operation: O, errors: readonly ErrorCode[] = []) {
  const { roles } = CHANGES[change];
  return { ...operation, change, roles, params: Id, answer: ChangeAnswer, errors: ['key-reused', ...errors] as const };
}

/** The change that each action of a bulk makes. */
export const BULK_CHANGES = {
  assign: 'assigned',
  unassign: 'unassigned',
  journalize: 'journalized',
  'take-back': 'taken-back',
  reject: 'rejected',
  'tell-outcome': 'outcome-told',
  reopen: 'reopened',
  delete: 'deleted',
  'confirm-deletion': 'deletion-confirmed',
  'cancel-deletion': 'deletion-cancelled',
} as const satisfies Record<BulkBody['action'], CallersChange>;

/** Whether the call takes an Idempotency-Key. Those that only register do not need one: a repeat does the same. */
export function takesIdempotencyKey({ errors }: Pick<Operation, 'errors'>): boolean {
  return errors.includes('key-reused');
}

/** Figures of days, in one of three forms. */
function figures<const Path extends '' | '.csv' | '.xlsx', const Answer extends Operation['answer']>(
  path: Path,
  form: string,
  answer: Answer,
) {
  return {
    service: 'journaler',
    method: 'get',
    path: `/api/v1/figures${path}`,
    summary: `Returns how many messages were received, handled and waiting, and how soon, by day and contact point${form}.`,
    roles: ['IndkomneDokumenter.SeAlle'],
    query: FiguresQuery,
    answer,
    ...(path !== '' && { isMade: true as const }),
    errors: [],
  } as const;
}

const ABSENCE = ['Indbakke.System', 'IndkomneDokumenter.Tildel', 'IndkomneDokumenter.Læs'] as const;
const AbsentUser = z.object({ userId: UserId });
const OWN_ABSENCE =
  'Another user’s is for Indbakke.System, and for who has both IndkomneDokumenter.Tildel and IndkomneDokumenter.SeAlle; all others only have their own.';

const LEAVES_ABSENT_FIELDS =
  'A field that is absent keeps its value; null, or an empty list, clears it. So `{}` changes nothing, and two calls with different fields both take effect. The municipality must be set up here.';

const RELEASES_BY_ITSELF =
  'Held messages whose cause this removes are released automatically, oldest first, within seconds.';
const FORMS_OF_IMPORT =
  'As JSON, CSV (UTF-8, `;` or `,`) or Excel, told by Content-Type. A table has the fields of the JSON as headings, and a row for each';
const IMPORT_OF_POINTS = `${FORMS_OF_IMPORT} contact point; lists are separated by spaces, and a field of the sender is \`label1\`, \`meaning1\`, \`label2\`, \`meaning2\`. Contact points that are not in it stay as they are.`;
const IMPORT_OF_DEPARTMENTS = `${FORMS_OF_IMPORT} department. Departments that are not in it stay as they are.`;

const IN_A_ZIP =
  'The zip has a folder for each message, named by its date, sender and subject, with its main document and attachments, and what `include` names. Messages that the caller may not see, or whose content cannot be read, are left out, and told. It is for the caller alone, and removed after some time (`expiresAt`), or when a message in it is deleted for good, its deletion delay begins, or retention removes its content. Each message in it is recorded in the audit log when it is downloaded.';
const IN_A_PACKAGE =
  'The messages from or about the citizen, and those suggested for or journalized on a case with this party, of every status, also held ones. The zip has a folder for each with its files as they came, `Indhold.xlsx` with times and status of each, also of deleted ones, and the sheet of the audit log. It is removed after 7 days, or when a message in it is deleted for good, its deletion delay begins, or retention removes its content. Of a message whose deletion delay runs, the list has only when it is destroyed: whoever hands the package out can have that cancelled first.';

const SENT_AT_LEAST_ONCE =
  'Each event is sent as a POST of a WebhookEvent, at least once: one that is not answered with a status from 200 to 299 within 10 seconds is repeated with growing waits for three days, with the same `webhook-id`, by which a receiver knows one that it has. The order is not kept, not even for one message: keep the highest `version` of each message, and leave out an event whose version is not higher; `position` is the place in the feed. Redirects are not followed. 410 disables the webhook, and so do five days without success; `recovered` tells when it works again after more than 5 minutes.';
const BY_THE_SETTINGS =
  'Where the municipality wants two persons (`deletionNeedsTwo`), it is only asked for: another person confirms it. Where it has a delay (`deletionDelayDays`), the message is destroyed when that is over; until then nobody but who may cancel it sees it, and files of extracts, access packages and zip downloads that have it are removed at once. `status` of the answer is `deleted` when it is destroyed already.';
const SIGNED =
  'Signed as Standard Webhooks has it: `webhook-id`, `webhook-timestamp` and `webhook-signature`, which has two signatures for 24 hours after a new secret.';

export const OPERATIONS = {
  listIncomingDocuments: {
    service: 'journaler',
    method: 'get',
    path: '/api/v1/incoming-documents',
    summary: 'Lists the messages that the caller may see, page by page.',
    roles: READ,
    query: DocumentQuery,
    answer: DocumentList,
    errors: [],
  },
  searchIncomingDocuments: {
    service: 'journaler',
    method: 'post',
    path: '/api/v1/incoming-documents/search',
    summary:
      'Searches the messages that the caller may see: the filters of the list, and those that must not be in a URL.',
    roles: READ,
    body: SearchBody,
    answer: DocumentList,
    readsOnly: true,
    errors: [],
  },
  listIncomingDocumentIds: {
    service: 'journaler',
    method: 'post',
    path: '/api/v1/incoming-documents/ids',
    summary: 'Lists the ids, versions and assignees of all messages of a filter, up to 10000 a page; for bulk.',
    roles: READ,
    body: IdsBody,
    answer: DocumentIds,
    readsOnly: true,
    errors: [],
  },
  summarizeIncomingDocuments: {
    service: 'journaler',
    method: 'get',
    path: '/api/v1/incoming-documents/summary',
    summary:
      'Counts the messages that the caller may see by status, kind, contact point, assignee, team, age and clocks.',
    roles: READ,
    query: SummaryQuery,
    answer: DocumentCounts,
    errors: [],
  },
  exportIncomingDocuments: {
    service: 'journaler',
    method: 'post',
    path: '/api/v1/incoming-documents/export',
    summary: 'Returns a list or search as an Excel file with Danish headings.',
    roles: READ,
    body: ExportBody,
    answer: [EXCEL],
    isMade: true,
    readsOnly: true,
    errors: [],
  },
  bulkChangeIncomingDocuments: {
    service: 'journaler',
    method: 'post',
    path: '/api/v1/incoming-documents/bulk',
    summary: 'Makes the same change of up to 500 messages, each in a transaction of its own, and answers for each.',
    description:
      'The action requires the role of the change of one message. A message that is refused is answered in its item, and does not keep the others from being changed. With an Idempotency-Key, a repeat finishes what was interrupted, and tries again what was refused.',
    roles: [...new Set(Object.values(BULK_CHANGES).flatMap((change) => CHANGES[change].roles))],
    body: BulkBody,
    answer: BulkAnswer,
    errors: ['key-reused'],
  },
  getIncomingDocument: {
    service: 'journaler',
    method: 'get',
    path: '/api/v1/incoming-documents/:id',
    summary: 'Returns a message with documents, files, contact info, suggestion, remarks and history.',
    roles: READ,
    params: Id,
    answer: DocumentAnswer,
    errors: [],
  },
  downloadFile: {
    service: 'journaler',
    method: 'get',
    path: '/api/v1/incoming-documents/:id/files/:fileId',
    summary: 'Returns the content of a file, or a Range of it.',
    roles: READ,
    params: FileIds,
    answer: [...DISPLAYED_TYPES, BYTES],
    errors: [...CONTENT_ERRORS, ...SCAN_ERRORS, 'file-not-here'],
  },
  readText: {
    service: 'journaler',
    method: 'get',
    path: '/api/v1/incoming-documents/:id/text',
    summary: 'Returns the main document as plain text, if it is plain text or HTML.',
    roles: READ,
    params: Id,
    answer: TextAnswer,
    errors: ['content-gone', 'content-damaged', ...SCAN_ERRORS],
  },
  downloadZip: {
    service: 'archiver',
    method: 'get',
    path: '/api/v1/incoming-documents/:id/zip',
    summary: 'Returns the main document of a message and its attachments as a zip, or a Range of it.',
    description: 'Nothing else is in it unless asked for, so that it can be sent on as it is.',
    roles: READ,
    params: Id,
    query: ZipQuery,
    answer: ['application/zip'],
    errors: [...CONTENT_ERRORS, 'file-held'],
  },
  createZipDownload: {
    service: 'archiver',
    method: 'post',
    path: '/api/v1/zip-downloads',
    summary: 'Asks for a zip of many messages, which is made in the background, and tells its size.',
    description: IN_A_ZIP,
    roles: READ,
    body: ZipDownloadBody,
    answer: ZipDownloadCreated,
    errors: ['not-found', 'zip-too-large', 'file-held', 'key-reused'],
  },
  listZipDownloads: {
    service: 'archiver',
    method: 'get',
    path: '/api/v1/zip-downloads',
    summary: 'Lists the caller’s own zips of many messages.',
    roles: READ,
    answer: ZipDownloadList,
    errors: [],
  },
  getZipDownload: {
    service: 'archiver',
    method: 'get',
    path: '/api/v1/zip-downloads/:zipId',
    summary: 'Returns a zip of the caller’s, how far it is made, and what is left out.',
    roles: READ,
    params: ZipId,
    answer: ZipDownloadAnswer,
    errors: [],
  },
  deleteZipDownload: {
    service: 'archiver',
    method: 'delete',
    path: '/api/v1/zip-downloads/:zipId',
    summary: 'Cancels a zip of the caller’s that is not ready, else removes it.',
    roles: READ,
    params: ZipId,
    answer: undefined,
    errors: ['key-reused'],
  },
  downloadZipOfMany: {
    service: 'archiver',
    method: 'get',
    path: '/api/v1/zip-downloads/:zipId/content',
    summary: 'Returns a zip of the caller’s that is ready, or a Range of it.',
    description:
      'When the caller may no longer see one of its messages it is refused as a whole (`role-missing`): ask for a new one.',
    roles: READ,
    params: ZipId,
    answer: ['application/zip'],
    errors: [...CONTENT_ERRORS, 'zip-not-ready', 'file-held'],
  },
  assignIncomingDocument: changing('assigned', {
    service: 'journaler',
    method: 'put',
    path: '/api/v1/incoming-documents/:id/assignment',
    summary: 'Assigns the message to a caseworker or a team, in place of the present assignee.',
    body: AssignmentBody,
  }),
  unassignIncomingDocument: changing('unassigned', {
    service: 'journaler',
    method: 'delete',
    path: '/api/v1/incoming-documents/:id/assignment',
    summary: 'Removes the assignment; the assignee may do so without the role Tildel.',
  }),
  releaseIncomingDocument: changing('released', {
    service: 'journaler',
    method: 'post',
    path: '/api/v1/incoming-documents/:id/release',
    summary: 'Releases a held message into the inbox.',
  }),
  journalizeIncomingDocument: changing(
    'journalized',
    {
      service: 'journaler',
      method: 'post',
      path: '/api/v1/incoming-documents/:id/journalization',
      summary: 'Confirms that the core has the content on these cases, which it has registered.',
      body: JournalizationBody,
    },
    ['unknown-case', 'case-not-open', 'file-on-its-way', 'file-held'],
  ),
  takeBackJournalization: changing(
    'taken-back',
    {
      service: 'journaler',
      method: 'delete',
      path: '/api/v1/incoming-documents/:id/journalization',
      summary: 'Takes a journalization back; the message is pending again. The reason is in the body or the query.',
      body: TakeBackBody,
      bodyOrQuery: true,
    },
    ['content-gone'],
  ),
  rejectIncomingDocument: changing(
    'rejected',
    {
      service: 'archiver',
      method: 'post',
      path: '/api/v1/incoming-documents/:id/rejection',
      summary:
        'Rejects the message with a reason, and tells what became of it if that is known. The sender in Digital Post is not notified; that of a document from Fordelingskomponenten is.',
      body: RejectionBody,
    },
    ['unknown-department'],
  ),
  tellOutcome: changing(
    'outcome-told',
    {
      service: 'archiver',
      method: 'put',
      path: '/api/v1/incoming-documents/:id/rejection/outcome',
      summary:
        'Tells what became of a rejected message, in place of what was told before: sent on, sender informed, or nothing to do.',
      body: OutcomeBody,
    },
    ['unknown-department'],
  ),
  sendOnIncomingDocument: changing(
    'distribution-asked',
    {
      service: 'archiver',
      method: 'post',
      path: '/api/v1/incoming-documents/:id/distribution',
      summary:
        'Sends a rejected message on to another authority through Fordelingskomponenten, and tells that as its outcome.',
      description:
        'Sent are the main document, or a zip with it and the attachments where there are several files. It is done in the background: `sentOn` of the message tells how far it is. When the recipient does not take it, the outcome is open again, and it can be sent on anew. Where SF2900_SENDING is off, nobody has the role.',
      body: OnwardBody,
    },
    ['sent-on', 'wrong-deletion', 'file-on-its-way', ...SCAN_ERRORS],
  ),
  reopenIncomingDocument: changing(
    'reopened',
    {
      service: 'archiver',
      method: 'delete',
      path: '/api/v1/incoming-documents/:id/rejection',
      summary: 'Undoes a rejection; the message gets its former status. A deletion that waits or runs is cancelled.',
    },
    ['rejection-told', 'sent-on'],
  ),
  deleteIncomingDocument: changing(
    'deleted',
    {
      service: 'archiver',
      method: 'post',
      path: '/api/v1/incoming-documents/:id/deletion',
      summary: 'Deletes a rejected message for good: key, content and everything personal.',
      description: BY_THE_SETTINGS,
      body: DeletionBody,
    },
    ['legal-hold', 'wrong-deletion', 'file-on-its-way', 'sent-on'],
  ),
  confirmDeletion: changing(
    'deletion-confirmed',
    {
      service: 'archiver',
      method: 'post',
      path: '/api/v1/incoming-documents/:id/deletion/confirmation',
      summary: 'Confirms the deletion that another person asked for; then the message is deleted, or its delay begins.',
      description:
        'A person is the user, or the one whom a system acts for. A system that acts for nobody cannot confirm a deletion.',
    },
    ['legal-hold', 'wrong-deletion', 'second-person-needed', 'file-on-its-way', 'sent-on'],
  ),
  cancelDeletion: changing(
    'deletion-cancelled',
    {
      service: 'archiver',
      method: 'delete',
      path: '/api/v1/incoming-documents/:id/deletion',
      summary: 'Withdraws a deletion that waits for another person, or cancels one whose delay runs.',
      description:
        'The message is rejected as before. Files of extracts, access packages and zip downloads that had it do not come back.',
    },
    ['wrong-deletion'],
  ),
  setLegalHold: changing(
    'legal-hold-set',
    {
      service: 'archiver',
      method: 'put',
      path: '/api/v1/incoming-documents/:id/legal-hold',
      summary: 'Puts the message under a legal hold: nothing of it is deleted, by a person or a rule.',
      description: 'A deletion that waits or runs is cancelled.',
      body: LegalHoldBody,
    },
    ['wrong-legal-hold'],
  ),
  liftLegalHold: changing(
    'legal-hold-lifted',
    {
      service: 'archiver',
      method: 'delete',
      path: '/api/v1/incoming-documents/:id/legal-hold',
      summary: 'Lifts the legal hold of the message.',
      body: LegalHoldBody,
    },
    ['wrong-legal-hold'],
  ),
  offerHandover: changing(
    'handover-offered',
    {
      service: 'archiver',
      method: 'post',
      path: '/api/v1/incoming-documents/:id/handover',
      summary: 'Offers a pending reply to the municipality that its case has moved to, if that is here too.',
      description:
        'To the municipality of `suggestion.movedTo`, and no other. It sees ids, codes, times and counts, and nothing of the message, until it takes it. When it does, the message here is rejected with the reason `handed-over`. Nothing moves by itself.',
      body: HandoverBody,
    },
    ['handover-not-possible'],
  ),
  withdrawHandover: changing(
    'handover-withdrawn',
    {
      service: 'archiver',
      method: 'delete',
      path: '/api/v1/incoming-documents/:id/handover',
      summary: 'Withdraws the open offer of the message.',
    },
    ['handover-ended'],
  ),
  listHandovers: {
    service: 'archiver',
    method: 'get',
    path: '/api/v1/handovers',
    summary: 'Lists what is offered to this municipality, or by it.',
    description:
      'What is offered to it is for those with IndkomneDokumenter.SeAlle, and for the caseworker of the case; nobody else sees an offer that names a case which is restricted to others, and nobody with data constraints, since no contact point of this municipality has it.',
    roles: ['IndkomneDokumenter.Læs'],
    query: HandoverQuery,
    answer: HandoverList,
    errors: [],
  },
  takeHandover: {
    service: 'archiver',
    method: 'post',
    path: '/api/v1/handovers/:handoverId/acceptance',
    summary: 'Takes an offered message: this municipality gets a copy, which waits for its suggestion like any other.',
    description:
      'The answer is of the new message. It has all that the message had, an id and a key of its own, no contact point, and `handover`, which tells where it came from. `receivedAt` is when it was taken, `firstOfferedAt` when its upload to the first municipality began, and clocks of a possible report of concern run on. The same call again gets the same answer.',
    roles: CHANGES['taken-over'].roles,
    params: HandoverId,
    answer: ChangeAnswer,
    errors: ['handover-ended', 'handover-not-possible', 'message-known', 'content-damaged'],
  },
  refuseHandover: {
    service: 'archiver',
    method: 'post',
    path: '/api/v1/handovers/:handoverId/refusal',
    summary: 'Refuses an offered message, which stays where it is.',
    roles: CHANGES['taken-over'].roles,
    params: HandoverId,
    body: HandoverRefusalBody,
    answer: undefined,
    errors: ['handover-ended'],
  },
  markConcern: changing(
    'concern-marked',
    {
      service: 'journaler',
      method: 'put',
      path: '/api/v1/incoming-documents/:id/concern',
      summary: 'Marks the message as a possible report of concern, whose two clocks run from its receipt.',
    },
    ['wrong-concern'],
  ),
  unmarkConcern: changing(
    'concern-unmarked',
    {
      service: 'journaler',
      method: 'delete',
      path: '/api/v1/incoming-documents/:id/concern',
      summary: 'Removes the mark and its clocks.',
    },
    ['wrong-concern'],
  ),
  recordAssessment: changing(
    'concern-assessed',
    {
      service: 'journaler',
      method: 'post',
      path: '/api/v1/incoming-documents/:id/concern/assessment',
      summary: 'Records that the possible report of concern has been assessed now.',
    },
    ['wrong-concern'],
  ),
  recordConfirmation: changing(
    'concern-confirmed',
    {
      service: 'journaler',
      method: 'post',
      path: '/api/v1/incoming-documents/:id/concern/confirmation',
      summary: 'Records that the receipt has been confirmed to the notifier now.',
    },
    ['wrong-concern'],
  ),
  createExtract: {
    service: 'journaler',
    method: 'post',
    path: '/api/v1/extracts',
    summary: 'Saves a search of the caller’s, which is made into an Excel file at set times.',
    description:
      'It runs with the rights that its owner had at the last call about extracts, and lapses 14 days after that call.',
    roles: READ,
    body: ExtractBody,
    answer: ExtractCreated,
    errors: ['not-found', 'key-reused'],
  },
  listExtracts: {
    service: 'journaler',
    method: 'get',
    path: '/api/v1/extracts',
    summary: 'Lists the caller’s own extracts with their files.',
    roles: READ,
    answer: ExtractList,
    errors: [],
  },
  getExtract: {
    service: 'journaler',
    method: 'get',
    path: '/api/v1/extracts/:extractId',
    summary: 'Returns an extract of the caller’s with its files.',
    roles: READ,
    params: ExtractId,
    answer: ExtractAnswer,
    errors: [],
  },
  deleteExtract: {
    service: 'journaler',
    method: 'delete',
    path: '/api/v1/extracts/:extractId',
    summary: 'Deletes an extract of the caller’s, and its files.',
    roles: READ,
    params: ExtractId,
    answer: undefined,
    errors: ['key-reused'],
  },
  downloadExtract: {
    service: 'journaler',
    method: 'get',
    path: '/api/v1/extracts/:extractId/files/:fileId',
    summary: 'Returns a file of an extract of the caller’s, or a Range of it.',
    description: 'The token needs the roles and teams that the file was made with.',
    roles: READ,
    params: ExtractFileIds,
    answer: [EXCEL],
    errors: CONTENT_ERRORS,
  },
  readFigures: figures('', '', FiguresAnswer),
  downloadFiguresAsCsv: figures('.csv', ', as CSV for Danish Excel', [CSV]),
  downloadFiguresAsExcel: figures('.xlsx', ', as an Excel file with Danish headings', [EXCEL]),
  listAuditEvents: {
    service: 'journaler',
    method: 'get',
    path: '/api/v1/audit-events',
    summary: 'Lists who did what, newest first.',
    roles: ['Revisionslog.Læs'],
    query: AuditQuery,
    answer: AuditList,
    errors: [],
  },
  searchAuditEvents: {
    service: 'journaler',
    method: 'post',
    path: '/api/v1/audit-events/search',
    summary: 'The same, by a citizen too.',
    roles: ['Revisionslog.Læs'],
    body: AuditSearchBody,
    readsOnly: true,
    answer: AuditList,
    errors: [],
  },
  exportAuditEvents: {
    service: 'journaler',
    method: 'post',
    path: '/api/v1/audit-events/export',
    summary: 'Returns the same as an Excel file with Danish headings, oldest first.',
    roles: ['Revisionslog.Læs'],
    body: AuditFilter,
    readsOnly: true,
    answer: [EXCEL],
    isMade: true,
    errors: [],
  },
  makeAuditSheet: {
    service: 'journaler',
    method: 'post',
    path: '/api/v1/audit-events/sheet',
    summary:
      'Returns what the log has about one citizen as a sheet to hand to that citizen: in Danish, in plain words, oldest first.',
    description:
      'It names who did it by id and function, and letters by their dates and id. It has no subjects, names of files or numbers of persons.',
    roles: ['Revisionslog.Læs'],
    body: AuditSheetBody,
    readsOnly: true,
    answer: [PDF, EXCEL],
    isMade: true,
    errors: [],
  },
  createAccessPackage: {
    service: 'archiver',
    method: 'post',
    path: '/api/v1/access-packages',
    summary: 'Asks for an access package: a zip with everything about one citizen, which is made in the background.',
    description: `${IN_A_PACKAGE} Each message in it is recorded in the audit log.`,
    roles: AKTINDSIGT,
    body: AccessPackageBody,
    answer: AccessPackageCreated,
    errors: ['not-found', 'key-reused'],
  },
  listAccessPackages: {
    service: 'archiver',
    method: 'get',
    path: '/api/v1/access-packages',
    summary: 'Lists the caller’s own access packages.',
    roles: AKTINDSIGT,
    answer: AccessPackageList,
    errors: [],
  },
  getAccessPackage: {
    service: 'archiver',
    method: 'get',
    path: '/api/v1/access-packages/:packageId',
    summary: 'Returns an access package of the caller’s, and how far it is made.',
    roles: AKTINDSIGT,
    params: PackageId,
    answer: AccessPackageAnswer,
    errors: [],
  },
  deleteAccessPackage: {
    service: 'archiver',
    method: 'delete',
    path: '/api/v1/access-packages/:packageId',
    summary: 'Deletes an access package of the caller’s, made or not.',
    roles: AKTINDSIGT,
    params: PackageId,
    answer: undefined,
    errors: ['key-reused'],
  },
  downloadAccessPackage: {
    service: 'archiver',
    method: 'get',
    path: '/api/v1/access-packages/:packageId/content',
    summary: 'Returns the zip of an access package of the caller’s, or a Range of it.',
    roles: AKTINDSIGT,
    params: PackageId,
    answer: ['application/zip'],
    errors: [...CONTENT_ERRORS, 'package-not-made', 'file-held'],
  },
  getMunicipality: {
    service: 'journaler',
    method: 'get',
    path: '/api/v1/municipality',
    summary: 'Returns the settings of the municipality, and what looks wrong about them.',
    roles: [...SETS_UP, 'Indbakke.Drift'],
    answer: MunicipalityAnswer,
    errors: ['not-found'],
  },
  changeMunicipality: {
    service: 'journaler',
    method: 'put',
    path: '/api/v1/municipality',
    summary: 'Sets all settings of the municipality, which take effect with the next message.',
    description: RELEASES_BY_ITSELF,
    roles: SETS_UP,
    isVersioned: true,
    body: MunicipalityBody,
    answer: SettingsChanged,
    errors: ['not-found'],
  },
  listSettingsChanges: {
    service: 'journaler',
    method: 'get',
    path: '/api/v1/municipality/changes',
    summary:
      'Lists who changed the settings of the municipality, its contact points and its address book, newest first; 200 at most.',
    roles: [...SETS_UP, 'Indbakke.Drift'],
    answer: SettingsChangeList,
    errors: [],
  },
  listRetention: {
    service: 'archiver',
    method: 'get',
    path: '/api/v1/retention',
    summary: 'Lists what retention would remove or flag now, oldest first, and changes nothing.',
    description:
      'By the settings of the municipality, or by others that are only thought of. Ids and times only. Nothing that waits, is held or was taken back, and nothing under a legal hold, is ever among them.',
    roles: SETS_UP,
    query: RetentionQuery,
    answer: RetentionAnswer,
    errors: ['not-found'],
  },
  listContactPoints: {
    service: 'journaler',
    method: 'get',
    path: '/api/v1/contact-points',
    summary: 'Lists the contact points of the municipality by name.',
    roles: [...SETS_UP, 'Indbakke.Drift'],
    answer: ContactPointList,
    errors: [],
  },
  addContactPoint: {
    service: 'journaler',
    method: 'post',
    path: '/api/v1/contact-points',
    summary: 'Adds a contact point, or one that was removed again; takes effect with the next message.',
    description: RELEASES_BY_ITSELF,
    roles: SETS_UP,
    body: NewContactPointBody,
    answer: ContactPointCreated,
    errors: ['not-found', 'contact-point-exists', 'key-reused'],
  },
  importContactPoints: {
    service: 'journaler',
    method: 'post',
    path: '/api/v1/contact-points/import',
    summary: 'Adds or replaces many contact points at once: all of them, or none.',
    description: `${IMPORT_OF_POINTS} ${RELEASES_BY_ITSELF}`,
    roles: SETS_UP,
    table: { list: 'contactPoints', itemOf: contactPointOfRow },
    query: ImportQuery,
    body: ContactPointImportBody,
    answer: Imported,
    errors: ['not-found'],
  },
  getContactPoint: {
    service: 'journaler',
    method: 'get',
    path: '/api/v1/contact-points/:contactPointId',
    summary: 'Returns a contact point.',
    roles: [...SETS_UP, 'Indbakke.Drift'],
    params: ContactPointIdParam,
    answer: ContactPointAnswer,
    errors: [],
  },
  changeContactPoint: {
    service: 'journaler',
    method: 'put',
    path: '/api/v1/contact-points/:contactPointId',
    summary: 'Sets all that is told of a contact point; takes effect with the next message.',
    description: RELEASES_BY_ITSELF,
    roles: SETS_UP,
    isVersioned: true,
    params: ContactPointIdParam,
    body: ContactPointBody,
    answer: SettingsChanged,
    errors: [],
  },
  removeContactPoint: {
    service: 'journaler',
    method: 'delete',
    path: '/api/v1/contact-points/:contactPointId',
    summary:
      'Removes a contact point. Messages that were sent to it keep its name; new ones are of an unknown contact point.',
    roles: SETS_UP,
    isVersioned: true,
    params: ContactPointIdParam,
    answer: SettingsChanged,
    errors: [],
  },
  startContactPointCheck: {
    service: 'journaler',
    method: 'post',
    path: '/api/v1/contact-points/:contactPointId/check',
    summary: 'Begins a check of the whole way to a contact point, in place of the one before.',
    description:
      'Somebody writes the code into the subject of a real letter, from borger.dk, to the contact point. Read the check to see when and where it came, or, after an hour, where to look.',
    roles: SETS_UP,
    params: ContactPointIdParam,
    answer: ContactPointCheck,
    errors: ['key-reused'],
  },
  getContactPointCheck: {
    service: 'journaler',
    method: 'get',
    path: '/api/v1/contact-points/:contactPointId/check',
    summary:
      'Returns whether mail really arrives at a contact point: the check, what came lately, and what looks wrong.',
    roles: [...SETS_UP, 'Indbakke.Drift'],
    params: ContactPointIdParam,
    answer: ContactPointCheck,
    errors: [],
  },
  listDepartments: {
    service: 'journaler',
    method: 'get',
    path: '/api/v1/departments',
    summary: 'Lists the departments of the address book, by name: where rejected messages can be sent on to.',
    roles: [...READ, 'IndkomneDokumenter.Afvis'],
    answer: DepartmentList,
    errors: [],
  },
  addDepartment: {
    service: 'journaler',
    method: 'post',
    path: '/api/v1/departments',
    summary: 'Adds a department to the address book, or one that was removed again.',
    roles: SETS_UP,
    body: NewDepartmentBody,
    answer: DepartmentCreated,
    errors: ['not-found', 'department-exists', 'key-reused'],
  },
  importDepartments: {
    service: 'journaler',
    method: 'post',
    path: '/api/v1/departments/import',
    summary: 'Adds or replaces many departments at once: all of them, or none.',
    description: IMPORT_OF_DEPARTMENTS,
    roles: SETS_UP,
    table: { list: 'departments', itemOf: departmentOfRow },
    query: ImportQuery,
    body: DepartmentImportBody,
    answer: Imported,
    errors: ['not-found'],
  },
  changeDepartment: {
    service: 'journaler',
    method: 'put',
    path: '/api/v1/departments/:departmentId',
    summary: 'Sets all that is told of a department.',
    roles: SETS_UP,
    isVersioned: true,
    params: DepartmentIdParam,
    body: DepartmentBody,
    answer: SettingsChanged,
    errors: [],
  },
  removeDepartment: {
    service: 'journaler',
    method: 'delete',
    path: '/api/v1/departments/:departmentId',
    summary: 'Removes a department. Messages that were sent on to it still show its name.',
    roles: SETS_UP,
    isVersioned: true,
    params: DepartmentIdParam,
    answer: SettingsChanged,
    errors: [],
  },
  setAbsence: {
    service: 'journaler',
    method: 'put',
    path: '/api/v1/absences/:userId',
    summary: 'Sets who stands in for a user in a period, in place of the present substitute.',
    description: `What is the user’s is then in the substitute’s own list too. ${OWN_ABSENCE}`,
    roles: ABSENCE,
    params: AbsentUser,
    body: AbsenceBody,
    answer: undefined,
    errors: [],
  },
  getAbsence: {
    service: 'journaler',
    method: 'get',
    path: '/api/v1/absences/:userId',
    summary: 'Returns who stands in for a user, and when: also a period that is over or has not begun.',
    description: OWN_ABSENCE,
    roles: ABSENCE,
    params: AbsentUser,
    answer: AbsenceAnswer,
    errors: [],
  },
  removeAbsence: {
    service: 'journaler',
    method: 'delete',
    path: '/api/v1/absences/:userId',
    summary: 'Removes the substitute of a user.',
    description: OWN_ABSENCE,
    roles: ABSENCE,
    params: AbsentUser,
    answer: undefined,
    errors: [],
  },
  registerSentMessage: {
    service: 'journaler',
    method: 'put',
    path: '/api/v1/sent-messages/:messageUUID',
    summary:
      'Registers a message that the core sent from a case, or changes the fields that are sent. Pending replies to it get a new suggestion.',
    description: LEAVES_ABSENT_FIELDS,
    roles: ['Indbakke.System'],
    params: z.object({ messageUUID: Uuid.describe(`messageUUID of the MeMo: ${UUID_FORMS}`) }),
    body: SentMessageBody,
    answer: undefined,
    errors: [],
  },
  setUpReply: {
    service: 'journaler',
    method: 'post',
    path: '/api/v1/replies/setup',
    summary:
      'Sets up a letter that is about to be sent: registers it, and returns what it must carry so that its recipient can answer.',
    description:
      'The MeMo fields by which an answer finds the case, as JSON and as XML. A letter that answers a message continues its chain, and the message shows that it is answered; it must be in the inbox, not of a case that is restricted to others than the caller, and within the data constraints of the token. To set up a letter again replaces what was registered, also which message it answers. When it is sent, tell whether it was delivered with PUT /api/v1/sent-messages/{messageUUID}.',
    roles: ['Indbakke.System'],
    body: ReplySetUpBody,
    answer: ReplySetUp,
    errors: ['not-found', 'no-place-for-replies', 'reply-not-wanted', 'content-gone'],
  },
  registerCases: {
    service: 'journaler',
    method: 'post',
    path: '/api/v1/cases',
    summary: `Registers up to ${MAX_CASE_LINES} cases, a line of JSON each, and answers each with a line, in their order.`,
    description: `Each line is like the call for one case, with its \`caseId\`. The lines are stored as they come, some hundred at a time, and what is answered is stored, also when the connection ends before the rest. To send all again is harmless, in any order and by several callers at once, when each has its \`version\`. A line that is refused keeps no other from being stored. An answer without all its lines is not whole: send the rest again. ${LEAVES_ABSENT_FIELDS}`,
    roles: ['Indbakke.System'],
    lines: { body: CaseLine, answer: CaseLineAnswer },
    answer: [NDJSON],
    isMade: true,
    errors: ['not-found'],
  },
  upsertCase: {
    service: 'journaler',
    method: 'put',
    path: '/api/v1/cases/:caseId',
    summary:
      'Registers a case: its caseworker, its parties, whether it is open and who may see it; or changes the fields that are sent. Pending replies to it get a new suggestion.',
    description: `${LEAVES_ABSENT_FIELDS} A \`version\` that is older than the registered one is answered 409, and changes nothing: send it no more.`,
    roles: ['Indbakke.System'],
    params: z.object({ caseId: CaseId }),
    body: CaseBody,
    answer: undefined,
    errors: ['older-version'],
  },
  listEvents: {
    service: 'journaler',
    method: 'get',
    path: '/api/v1/events',
    summary: 'Returns what has changed after a position, each change once and in order; waits for it if asked to.',
    description:
      'The change feed of the municipality. Nothing ever appears at or below a position that was answered, and the changes of one message are in the order of its versions: who goes on with `next` misses nothing. Positions that are not there, since they were removed with age or a backup was restored, are answered 410 with the oldest: ask for `latest`, then read the lists, then go on from there. The core gets all events; IndkomneDokumenter.Læs those of messages that the caller may see now. Positions are the same for both: with fewer events than positions, or none, something has changed all the same, such as a message that the caller no longer sees.',
    roles: ['Indbakke.System', 'IndkomneDokumenter.Læs'],
    query: EventQuery,
    answer: EventList,
    errors: ['position-gone'],
  },
  createWebhook: {
    service: 'journaler',
    method: 'post',
    path: '/api/v1/webhooks',
    summary: 'Registers a URL that gets each event from now on, and answers the secret that signs them.',
    description: `${SENT_AT_LEAST_ONCE} ${SIGNED}`,
    roles: CONNECTS,
    body: WebhookBody,
    answer: WebhookSecret,
    errors: ['not-found', 'key-reused'],
  },
  listWebhooks: {
    service: 'journaler',
    method: 'get',
    path: '/api/v1/webhooks',
    summary: 'Lists the webhooks of the municipality.',
    roles: CONNECTS,
    answer: WebhookList,
    errors: [],
  },
  getWebhook: {
    service: 'journaler',
    method: 'get',
    path: '/api/v1/webhooks/:webhookId',
    summary: 'Returns a webhook.',
    roles: CONNECTS,
    params: WebhookId,
    answer: WebhookAnswer,
    errors: [],
  },
  changeWebhook: {
    service: 'journaler',
    method: 'put',
    path: '/api/v1/webhooks/:webhookId',
    summary:
      'Changes the fields that are sent: URL and types of the events that follow; disables a webhook, or enables it again.',
    description:
      'A webhook that is enabled again goes on where it stopped: what waits is tried at once, and for three days more. `position-gone` tells when the feed no longer has all that followed.',
    roles: CONNECTS,
    params: WebhookId,
    body: WebhookChangeBody,
    answer: undefined,
    errors: [],
  },
  deleteWebhook: {
    service: 'journaler',
    method: 'delete',
    path: '/api/v1/webhooks/:webhookId',
    summary: 'Deletes a webhook, with its deliveries. What is being sent now may still arrive.',
    roles: CONNECTS,
    params: WebhookId,
    answer: undefined,
    errors: ['key-reused'],
  },
  makeWebhookSecret: {
    service: 'journaler',
    method: 'post',
    path: '/api/v1/webhooks/:webhookId/secret',
    summary: 'Makes a new secret, and answers it. The one before signs too for 24 hours.',
    description: 'Older ones sign no more: rotate once, and let the receiver know both until it has changed.',
    roles: CONNECTS,
    params: WebhookId,
    answer: WebhookSecret,
    errors: ['key-reused'],
  },
  listWebhookDeliveries: {
    service: 'journaler',
    method: 'get',
    path: '/api/v1/webhooks/:webhookId/deliveries',
    summary: 'Lists what is sent to a webhook, with each attempt.',
    roles: CONNECTS,
    params: WebhookId,
    query: DeliveryQuery,
    answer: DeliveryList,
    errors: [],
  },
  redeliverToWebhook: {
    service: 'journaler',
    method: 'post',
    path: '/api/v1/webhooks/:webhookId/redeliveries',
    summary: 'Sends one delivery again, or the events of a time that the feed still has, with the same webhook-id.',
    description: 'At most 10000 events in one call; `next` is where to go on.',
    roles: CONNECTS,
    params: WebhookId,
    body: RedeliveryBody,
    answer: Redelivered,
    errors: ['key-reused'],
  },
  listQuarantine: quarantine('', {
    method: 'get',
    summary: 'Lists the deliveries that could not be read and are in quarantine, never their content.',
    query: QuarantineQuery,
    answer: QuarantineList,
    errors: [],
  }),
  downloadQuarantined: {
    ...quarantine('/:entryId/content', {
      method: 'get',
      summary: 'Returns a delivery in quarantine as it came, or a Range of it.',
      answer: [BYTES],
      errors: CONTENT_ERRORS,
    }),
    roles: ['Indbakke.Karantæne'],
    params: EntryId,
  },
  acceptQuarantined: {
    ...quarantine('/:entryId/acceptance', {
      method: 'put',
      summary: 'From now on, the same bytes get a receipt, COMPLETED, so that they are not sent again.',
      description:
        'Nothing of them reaches an inbox: whoever does this sees to it that the letter gets there in another way.',
      answer: undefined,
      errors: [],
    }),
    params: EntryId,
  },
  refuseQuarantined: {
    ...quarantine('/:entryId/acceptance', {
      method: 'delete',
      summary: 'From now on, the same bytes are refused again.',
      answer: undefined,
      errors: [],
    }),
    params: EntryId,
  },
  removeQuarantined: {
    ...quarantine('/:entryId', {
      method: 'delete',
      summary: 'Removes an entry from quarantine, with its content, for good. The same bytes are a new entry.',
      answer: undefined,
      errors: [],
    }),
    params: EntryId,
  },
} as const satisfies Record<string, Operation>;
