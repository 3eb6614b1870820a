import { z } from 'zod';
import type { Role } from '../access/index.js';
import type { ErrorCode } from '../errors/index.js';
import {
  AssignmentBody,
  CaseBody,
  CaseId,
  DocumentAnswer,
  DocumentList,
  DocumentQuery,
  JournalizationBody,
  MessageUUID,
  RejectionBody,
  SentMessageBody,
  StepAnswer,
  TakeBackBody,
} from './schemas.js';

/** A call of the inbox API: what validates it, who may make it, what it answers. OpenAPI is generated from this. */
export interface Operation {
  readonly method: 'get' | 'post' | 'put' | 'delete';
  /** Express path; its parameters are the keys of `params`. */
  readonly path: `/api/v1/${string}`;
  readonly summary: string;
  /** Any one of these is needed. */
  readonly roles: readonly Role[];
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodObject;
  /** The call changes one message and needs If-Match with the version that was read. */
  readonly changesMessage?: true;
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

export const OPERATIONS = {
  listIncomingDocuments: {
    method: 'get',
    path: '/api/v1/incoming-documents',
    summary: 'Lists the mail that the caller sees, page by page.',
    roles: READ,
    query: DocumentQuery,
    answer: DocumentList,
    errors: [],
  },
  readIncomingDocument: {
    method: 'get',
    path: '/api/v1/incoming-documents/:id',
    summary: 'One message with its documents, files, contact info, suggestion, remarks and history.',
    roles: READ,
    params: Id,
    answer: DocumentAnswer,
    errors: ['not-found'],
  },
  readFile: {
    method: 'get',
    path: '/api/v1/incoming-documents/:id/files/:fileId',
    summary: 'The content of one file. A Range of bytes may be asked for.',
    roles: READ,
    params: FileIds,
    answer: 'application/octet-stream',
    errors: [...CONTENT_ERRORS, 'range-not-satisfiable'],
  },
  readZip: {
    method: 'get',
    path: '/api/v1/incoming-documents/:id/zip',
    summary: 'All files of one message as a zip, with a følgeseddel.',
    roles: READ,
    params: Id,
    answer: 'application/zip',
    errors: CONTENT_ERRORS,
  },
  assign: {
    method: 'put',
    path: '/api/v1/incoming-documents/:id/assignment',
    summary: 'Gives the message to a caseworker or a team.',
    roles: ['IndkomneDokumenter.Tildel'],
    params: Id,
    body: AssignmentBody,
    changesMessage: true,
    answer: StepAnswer,
    errors: CHANGE_ERRORS,
  },
  unassign: {
    method: 'delete',
    path: '/api/v1/incoming-documents/:id/assignment',
    summary: 'Takes the assignment away; the assignee may hand back without the role Tildel.',
    roles: ['IndkomneDokumenter.Tildel', 'IndkomneDokumenter.Læs'],
    params: Id,
    changesMessage: true,
    answer: StepAnswer,
    errors: CHANGE_ERRORS,
  },
  release: {
    method: 'post',
    path: '/api/v1/incoming-documents/:id/release',
    summary: 'Lets held mail into the inbox: its cause is mended, or someone has looked at it.',
    roles: ['Indbakke.Opsætning', 'Indbakke.Drift'],
    params: Id,
    changesMessage: true,
    answer: StepAnswer,
    errors: CHANGE_ERRORS,
  },
  journalize: {
    method: 'post',
    path: '/api/v1/incoming-documents/:id/journalization',
    summary: 'Confirms that the core has the content safely on these cases.',
    roles: ['IndkomneDokumenter.Journaliser'],
    params: Id,
    body: JournalizationBody,
    changesMessage: true,
    answer: StepAnswer,
    errors: CHANGE_ERRORS,
  },
  takeBack: {
    method: 'delete',
    path: '/api/v1/incoming-documents/:id/journalization',
    summary: 'Takes a journalization back; the message is pending again.',
    roles: ['IndkomneDokumenter.Journaliser'],
    params: Id,
    body: TakeBackBody,
    changesMessage: true,
    answer: StepAnswer,
    errors: CHANGE_ERRORS,
  },
  reject: {
    method: 'post',
    path: '/api/v1/incoming-documents/:id/rejection',
    summary: 'Rejects the message with a reason. The sender in Digital Post is not told.',
    roles: ['IndkomneDokumenter.Afvis'],
    params: Id,
    body: RejectionBody,
    changesMessage: true,
    answer: StepAnswer,
    errors: CHANGE_ERRORS,
  },
  reopen: {
    method: 'delete',
    path: '/api/v1/incoming-documents/:id/rejection',
    summary: 'Undoes a rejection; the message is what it was before.',
    roles: ['IndkomneDokumenter.Afvis'],
    params: Id,
    changesMessage: true,
    answer: StepAnswer,
    errors: CHANGE_ERRORS,
  },
  deleteForGood: {
    method: 'post',
    path: '/api/v1/incoming-documents/:id/deletion',
    summary: 'Deletes a rejected message for good: key, content and everything personal.',
    roles: ['DigitalPost.Slet'],
    params: Id,
    changesMessage: true,
    answer: StepAnswer,
    errors: CHANGE_ERRORS,
  },
  tellSentMessage: {
    method: 'put',
    path: '/api/v1/sent-messages/:messageUUID',
    summary: 'Tells of a message that the core sent from a case. Pending replies to it are looked at again.',
    roles: ['Indbakke.System'],
    params: z.object({ messageUUID: MessageUUID }),
    body: SentMessageBody,
    answer: undefined,
    errors: [],
  },
  tellCase: {
    method: 'put',
    path: '/api/v1/cases/:caseId',
    summary:
      'Tells of a case: its caseworker, its parties and whether it is open. Pending replies to it are looked at again.',
    roles: ['Indbakke.System'],
    params: z.object({ caseId: CaseId }),
    body: CaseBody,
    answer: undefined,
    errors: [],
  },
} as const satisfies Record<string, Operation>;

export type OperationName = keyof typeof OPERATIONS;
