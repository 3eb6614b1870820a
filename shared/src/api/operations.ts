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
 * A call of the inbox API: which service answers it, what validates it, who may make it, what it answers. The router, OpenAPI
 * and the table of paths in docs/architecture.md come from this.
 */
export interface Operation {
  readonly service: 'journaler' | 'archiver';
  readonly method: 'get' | 'post' | 'put' | 'delete';
  /** Express path; its parameters are the keys of `params`. */
  readonly path: `/api/v1/${string}`;
  readonly summary: string;
  /** Any one of these is needed. */
  readonly roles: readonly Role[];
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodObject;
  /** The change that the call makes to one message; it needs If-Match with the version that was read. */
  readonly change?: Change;
  /** The schema of the JSON answer, or the media type of a streamed one, or nothing (204). */
  readonly answer: z.ZodType | string | undefined;
  /** The errors beyond those of every call (not-signed-in, role-missing, bad-request, internal, unavailable). */
  readonly errors: readonly ErrorCode[];
}

const Id = z.object({ id: z.uuid() });
const FileIds = z.object({ id: z.uuid(), fileId: z.uuid() });

const READ = ['IndkomneDokumenter.Læs', 'Indbakke.Opsætning', 'Indbakke.Drift'] as const;
const CHANGE_ERRORS = ['not-found', 'version-needed', 'version-changed', 'wrong-status'] as const;
const CONTENT_ERRORS = ['not-found', 'content-gone', 'content-damaged'] as const;

/** The changes that are made by calls: those that need a role. */
type CallersChange = { [C in Change]: (typeof CHANGES)[C]['roles'][number] extends Role ? C : never }[Change];

/** A call that changes one message. The table of changes has the roles. */
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
    summary: 'Lists the mail that the caller sees, page by page.',
    roles: READ,
    query: DocumentQuery,
    answer: DocumentList,
    errors: [],
  },
  getIncomingDocument: {
    service: 'journaler',
    method: 'get',
    path: '/api/v1/incoming-documents/:id',
    summary: 'One message with its documents, files, contact info, suggestion, remarks and history.',
    roles: READ,
    params: Id,
    answer: DocumentAnswer,
    errors: ['not-found'],
  },
  downloadFile: {
    service: 'journaler',
    method: 'get',
    path: '/api/v1/incoming-documents/:id/files/:fileId',
    summary: 'The content of one file. A Range of bytes may be asked for.',
    roles: READ,
    params: FileIds,
    answer: 'application/octet-stream',
    errors: [...CONTENT_ERRORS, 'range-not-satisfiable'],
  },
  downloadZip: {
    service: 'archiver',
    method: 'get',
    path: '/api/v1/incoming-documents/:id/zip',
    summary: 'All files of one message as a zip, with a følgeseddel.',
    roles: READ,
    params: Id,
    answer: 'application/zip',
    errors: CONTENT_ERRORS,
  },
  assignIncomingDocument: changing('assigned', {
    service: 'journaler',
    method: 'put',
    path: '/api/v1/incoming-documents/:id/assignment',
    summary: 'Gives the message to a caseworker or a team.',
    body: AssignmentBody,
  }),
  unassignIncomingDocument: changing('unassigned', {
    service: 'journaler',
    method: 'delete',
    path: '/api/v1/incoming-documents/:id/assignment',
    summary: 'Takes the assignment away; the assignee may hand back without the role Tildel.',
  }),
  releaseIncomingDocument: changing('released', {
    service: 'journaler',
    method: 'post',
    path: '/api/v1/incoming-documents/:id/release',
    summary: 'Lets held mail into the inbox: its cause is mended, or someone has looked at it.',
  }),
  journalizeIncomingDocument: changing('journalized', {
    service: 'journaler',
    method: 'post',
    path: '/api/v1/incoming-documents/:id/journalization',
    summary: 'Confirms that the core has the content safely on these cases.',
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
    summary: 'Undoes a rejection; the message is what it was before.',
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
    summary: 'Registers a message that the core sent from a case. Pending replies to it are looked at again.',
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
      'Creates or replaces a case: its caseworker, its parties and whether it is open. Pending replies to it are looked at again.',
    roles: ['Indbakke.System'],
    params: z.object({ caseId: CaseId }),
    body: CaseBody,
    answer: undefined,
    errors: [],
  },
} as const satisfies Record<string, Operation>;
