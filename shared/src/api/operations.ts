import { z } from 'zod';
import type { Role } from '../access/index.js';
import type { ErrorCode } from '../errors/index.js';
import { type CallersChange, CHANGES, type Change } from '../lifecycle/index.js';
import {
  AssignmentBody,
  BulkAnswer,
  BulkBody,
  CaseBody,
  CaseId,
  ChangeAnswer,
  DocumentAnswer,
  DocumentCounts,
  DocumentIds,
  DocumentList,
  DocumentQuery,
  ExportBody,
  ExtractAnswer,
  ExtractBody,
  ExtractCreated,
  ExtractList,
  FiguresAnswer,
  FiguresQuery,
  IdsBody,
  idOf,
  JournalizationBody,
  RejectionBody,
  SearchBody,
  SentMessageBody,
  SummaryQuery,
  TakeBackBody,
  TextAnswer,
  UUID_FORMS,
  Uuid,
} from './schemas.js';

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
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  /** The JSON that the call requires; without it, the call takes no body but `{}`. */
  readonly body?: z.ZodObject | z.ZodDiscriminatedUnion;
  /** The fields of the body may come in the query instead: some clients and proxies let DELETE have none (RFC 9110, 9.3.5). */
  readonly bodyOrQuery?: true;
  /** The call changes nothing, although its method is POST: its filters must not be in a URL. */
  readonly readsOnly?: true;
  /** The change that the call makes to one message; it requires If-Match with the version that was read. */
  readonly change?: Change;
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

const READ = ['IndkomneDokumenter.Læs', 'Indbakke.Opsætning', 'Indbakke.Drift'] as const;
const CONTENT_ERRORS = ['version-changed', 'content-gone', 'content-damaged', 'range-not-satisfiable'] as const;

/** A call that changes one message; its roles are in the table of changes. */
function changing<
  const C extends CallersChange,
  const O extends Pick<Operation, 'service' | 'method' | 'path' | 'summary' | 'body' | 'bodyOrQuery'>,
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
  reopen: 'reopened',
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

const LEAVES_ABSENT_FIELDS =
  'A field that is absent keeps its value; null, or an empty list, clears it. So `{}` changes nothing, and two calls with different fields both take effect. The municipality must be set up here.';

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
    summary: 'Lists the ids and versions of all messages of a filter, up to 10000 a page; for bulk.',
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
    errors: CONTENT_ERRORS,
  },
  readText: {
    service: 'journaler',
    method: 'get',
    path: '/api/v1/incoming-documents/:id/text',
    summary: 'Returns the main document as plain text, if it is plain text or HTML.',
    roles: READ,
    params: Id,
    answer: TextAnswer,
    errors: ['content-gone', 'content-damaged'],
  },
  downloadZip: {
    service: 'archiver',
    method: 'get',
    path: '/api/v1/incoming-documents/:id/zip',
    summary: 'Returns all files of a message as a zip with a følgeseddel, or a Range of it.',
    roles: READ,
    params: Id,
    answer: ['application/zip'],
    errors: CONTENT_ERRORS,
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
    ['unknown-case', 'case-not-open'],
  ),
  takeBackJournalization: changing('taken-back', {
    service: 'journaler',
    method: 'delete',
    path: '/api/v1/incoming-documents/:id/journalization',
    summary: 'Takes a journalization back; the message is pending again. The reason is in the body or the query.',
    body: TakeBackBody,
    bodyOrQuery: true,
  }),
  rejectIncomingDocument: changing('rejected', {
    service: 'archiver',
    method: 'post',
    path: '/api/v1/incoming-documents/:id/rejection',
    summary: 'Rejects the message with a reason. The sender in Digital Post is not notified.',
    body: RejectionBody,
  }),
  reopenIncomingDocument: changing('reopened', {
    service: 'archiver',
    method: 'delete',
    path: '/api/v1/incoming-documents/:id/rejection',
    summary: 'Undoes a rejection; the message gets its former status.',
  }),
  deleteIncomingDocument: changing('deleted', {
    service: 'archiver',
    method: 'post',
    path: '/api/v1/incoming-documents/:id/deletion',
    summary: 'Deletes a rejected message for good: key, content and everything personal.',
  }),
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
    errors: ['key-reused'],
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
  upsertCase: {
    service: 'journaler',
    method: 'put',
    path: '/api/v1/cases/:caseId',
    summary:
      'Registers a case: its caseworker, its parties and whether it is open; or changes the fields that are sent. Pending replies to it get a new suggestion.',
    description: LEAVES_ABSENT_FIELDS,
    roles: ['Indbakke.System'],
    params: z.object({ caseId: CaseId }),
    body: CaseBody,
    answer: undefined,
    errors: [],
  },
} as const satisfies Record<string, Operation>;
