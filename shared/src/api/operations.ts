import { z } from 'zod';
import type { Role } from '../access/index.js';
import type { ErrorCode } from '../errors/index.js';
import { CHANGES, type Change } from '../lifecycle/index.js';
import {
  AssignmentBody,
  CaseBody,
  CaseId,
  ChangeAnswer,
  DocumentAnswer,
  DocumentList,
  DocumentQuery,
  JournalizationBody,
  MessageUUID,
  RejectionBody,
  SentMessageBody,
  TakeBackBody,
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
  /** Any one of these is required. */
  readonly roles: readonly Role[];
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodObject;
  /** The change that the call makes to one message; it requires If-Match with the version that was read. */
  readonly change?: Change;
  /** The schema of the JSON answer, the media type of a streamed one, or undefined (204). */
  readonly answer: z.ZodType | string | undefined;
  /** Errors in addition to those of every call, and of every call with a body or that changes something (openapi.ts). */
  readonly errors: readonly ErrorCode[];
}

const Id = z.object({ id: z.uuid() });
const FileIds = z.object({ id: z.uuid(), fileId: z.uuid() });

const READ = ['IndkomneDokumenter.Læs', 'Indbakke.Opsætning', 'Indbakke.Drift'] as const;
const CHANGE_ERRORS = ['not-found', 'version-needed', 'version-changed', 'wrong-status'] as const;
const CONTENT_ERRORS = ['not-found', 'content-gone', 'content-damaged'] as const;

/** The changes that calls make: those with a role. */
type CallersChange = { [C in Change]: (typeof CHANGES)[C]['roles'][number] extends Role ? C : never }[Change];

/** A call that changes one message; its roles are in the table of changes. */
function changing<
  const C extends CallersChange,
  const O extends Pick<Operation, 'service' | 'method' | 'path' | 'summary' | 'body'>,
>(change: C, operation: O) {
  const { roles } = CHANGES[change];
  return { ...operation, change, roles, params: Id, answer: ChangeAnswer, errors: CHANGE_ERRORS };
}

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
  getIncomingDocument: {
    service: 'journaler',
    method: 'get',
    path: '/api/v1/incoming-documents/:id',
    summary: 'Returns a message with documents, files, contact info, suggestion, remarks and history.',
    roles: READ,
    params: Id,
    answer: DocumentAnswer,
    errors: ['not-found'],
  },
  downloadFile: {
    service: 'journaler',
    method: 'get',
    path: '/api/v1/incoming-documents/:id/files/:fileId',
    summary: 'Returns the content of a file. Supports a Range of bytes.',
    roles: READ,
    params: FileIds,
    answer: 'application/octet-stream',
    errors: [...CONTENT_ERRORS, 'range-not-satisfiable'],
  },
  downloadZip: {
    service: 'archiver',
    method: 'get',
    path: '/api/v1/incoming-documents/:id/zip',
    summary: 'Returns all files of a message as a zip, with a følgeseddel.',
    roles: READ,
    params: Id,
    answer: 'application/zip',
    errors: CONTENT_ERRORS,
  },
  assignIncomingDocument: changing('assigned', {
    service: 'journaler',
    method: 'put',
    path: '/api/v1/incoming-documents/:id/assignment',
    summary: 'Assigns the message to a caseworker or a team.',
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
  journalizeIncomingDocument: changing('journalized', {
    service: 'journaler',
    method: 'post',
    path: '/api/v1/incoming-documents/:id/journalization',
    summary: 'Confirms that the core has the content on these cases.',
    body: JournalizationBody,
  }),
  takeBackJournalization: changing('taken-back', {
    service: 'journaler',
    method: 'delete',
    path: '/api/v1/incoming-documents/:id/journalization',
    summary: 'Takes a journalization back; the message is pending again.',
    body: TakeBackBody,
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
  registerSentMessage: {
    service: 'journaler',
    method: 'put',
    path: '/api/v1/sent-messages/:messageUUID',
    summary: 'Registers a message that the core sent from a case. Pending replies to it get a new suggestion.',
    roles: ['Indbakke.System'],
    params: z.object({ messageUUID: MessageUUID }),
    body: SentMessageBody,
    answer: undefined,
    errors: [],
  },
  upsertCase: {
    service: 'journaler',
    method: 'put',
    path: '/api/v1/cases/:caseId',
    summary:
      'Creates or replaces a case: its caseworker, its parties and whether it is open. Pending replies to it get a new suggestion.',
    roles: ['Indbakke.System'],
    params: z.object({ caseId: CaseId }),
    body: CaseBody,
    answer: undefined,
    errors: [],
  },
} as const satisfies Record<string, Operation>;
