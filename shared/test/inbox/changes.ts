import { expect } from 'vitest';
import { DELETION } from '../../../infra/src/testkit/inbox-client.js';
import { type TestStack, type TokenOptions, VESTERSUND } from '../../../infra/src/testkit/stack.js';
import { deliverMemo, SETUP, upsertCase } from './support.js';

// Every change of a message, as a caller makes it.

export interface Change {
  readonly method: string;
  readonly path: string;
  readonly body?: object;
}

export const journalize = {
  method: 'POST',
  path: 'journalization',
  body: { caseIds: ['A B', 'C'], reference: 'JP-1' },
};
export const reject = {
  method: 'POST',
  path: 'rejection',
  body: { reason: 'other', explanation: 'Nej', outcome: { senderInformed: true } },
};
export const deleteForGood = { method: 'POST', path: 'deletion', body: DELETION };
export const assign = { method: 'PUT', path: 'assignment', body: { assignee: { kind: 'user', id: 'anna' } } };

type Given = (stack: TestStack, id: string) => Promise<unknown>;

export interface Example {
  readonly name: string;
  /** What is so of the message before any change. */
  readonly first?: Given;
  readonly before?: readonly Change[];
  /** What is so of it in the end. */
  readonly last?: Given;
  readonly change: Change;
  readonly status: string;
  /** Requests that are not quite the same. */
  readonly others?: readonly object[];
}

/** The cases that must be registered. */
export const CASES = ['A B', 'C', 'A', 'B C'];

const setLegalHold = { method: 'PUT', path: 'legal-hold', body: { reason: 'Retssag' } };
const markConcern = { method: 'PUT', path: 'concern' };
const offerHandover = { method: 'POST', path: 'handover', body: {} };

const isHeld: Given = (stack, id) =>
  stack.sql(`UPDATE messages SET status = 'held', held_cause = 'enquiries-off' WHERE id = $1`, [id]);

const isOfMovedCase: Given = async (stack, id) => {
  await upsertCase(stack, 'moved', { status: 'moved', movedTo: VESTERSUND });
  const suggested = `kind = 'reply', suggested_case_id = 'moved', suggestion_basis = 'case-id', suggestion_sender = 'other'`;
  return stack.sql(`UPDATE messages SET ${suggested} WHERE id = $1`, [id]);
};

/** Another person has asked for its deletion. */
const awaitsConfirmation: Given = (stack, id) =>
  stack.sql(
    `UPDATE messages SET deletion_requested_at = now(), deletion_requested_by = 'another', deletion_sent_on = false,
       deletion_sender_informed = false WHERE id = $1`,
    [id],
  );

export const CHANGES: readonly Example[] = [
  {
    name: 'journalize',
    change: journalize,
    status: 'journalized',
    others: [
      { caseIds: ['A', 'B C'], reference: 'JP-1' }, // joined by spaces, it would be the same
      { caseIds: ['A B'], reference: 'JP-1' },
      { caseIds: ['A B', 'C'], reference: 'JP-2' },
      { caseIds: ['A B', 'C'] },
    ],
  },
  {
    name: 'take back',
    before: [journalize],
    change: { method: 'DELETE', path: 'journalization', body: { reason: 'wrong-case' } },
    status: 'pending',
    others: [{ reason: 'wrong-person' }],
  },
  {
    name: 'assign',
    change: assign,
    status: 'pending',
    others: [{ assignee: { kind: 'user', id: 'bo' } }, { assignee: { kind: 'team', id: 'anna' } }],
  },
  { name: 'unassign', before: [assign], change: { method: 'DELETE', path: 'assignment' }, status: 'pending' },
  { name: 'release', first: isHeld, change: { method: 'POST', path: 'release' }, status: 'pending' },
  {
    name: 'reject',
    change: reject,
    status: 'rejected',
    others: [
      { reason: 'unwanted', explanation: 'Nej', outcome: { senderInformed: true } },
      { reason: 'other', explanation: 'Nej!', outcome: { senderInformed: true } },
      { reason: 'other', explanation: 'Nej' },
      { reason: 'other', explanation: 'Nej', outcome: { senderInformed: true, forwardedTo: { name: 'x' } } },
    ],
  },
  {
    name: 'tell the outcome',
    before: [reject],
    change: { method: 'PUT', path: 'rejection/outcome', body: { forwardedTo: { name: 'Odenskov Kommune' } } },
    status: 'rejected',
    others: [
      { forwardedTo: { name: 'Vestersund Kommune' } },
      { forwardedTo: { name: 'Odenskov Kommune' }, senderInformed: true },
      { nothingToDo: true },
    ],
  },
  {
    name: 'send on',
    before: [reject],
    change: { method: 'POST', path: 'distribution', body: { recipient: '11111111', kle: '27.24.00' } },
    status: 'rejected',
    others: [
      { recipient: '44444444', kle: '27.24.00' },
      { recipient: '11111111', kle: '27.24.01' },
    ],
  },
  { name: 'reopen', before: [reject], change: { method: 'DELETE', path: 'rejection' }, status: 'pending' },
  { name: 'mark as a concern', change: markConcern, status: 'pending' },
  { name: 'unmark', before: [markConcern], change: { method: 'DELETE', path: 'concern' }, status: 'pending' },
  {
    name: 'record the assessment',
    before: [markConcern],
    change: { method: 'POST', path: 'concern/assessment' },
    status: 'pending',
  },
  {
    name: 'record the confirmation',
    before: [markConcern],
    change: { method: 'POST', path: 'concern/confirmation' },
    status: 'pending',
  },
  {
    name: 'delete',
    before: [reject],
    change: deleteForGood,
    status: 'deleted',
  },
  {
    name: 'confirm a deletion',
    before: [reject],
    last: awaitsConfirmation,
    change: { method: 'POST', path: 'deletion/confirmation' },
    status: 'deleted',
  },
  {
    name: 'cancel a deletion',
    before: [reject],
    last: awaitsConfirmation,
    change: { method: 'DELETE', path: 'deletion' },
    status: 'rejected',
  },
  { name: 'offer a handover', first: isOfMovedCase, change: offerHandover, status: 'pending' },
  {
    name: 'withdraw a handover',
    first: isOfMovedCase,
    before: [offerHandover],
    change: { method: 'DELETE', path: 'handover' },
    status: 'pending',
  },
  {
    name: 'set a legal hold',
    change: setLegalHold,
    status: 'pending',
    others: [{ reason: 'En anden' }],
  },
  {
    name: 'lift a legal hold',
    before: [setLegalHold],
    change: { method: 'DELETE', path: 'legal-hold', body: { reason: 'Slut' } },
    status: 'pending',
    others: [{ reason: 'Ikke slut' }],
  },
];

/** A message that is ready for the change. @returns its id */
export async function arrangeFor(stack: TestStack, { first, before = [], last }: Example): Promise<string> {
  const id = await deliverMemo(stack);
  await first?.(stack, id);
  for (const [at, each] of before.entries()) expect((await send(stack, id, each, at + 1)).status).toBe(200);
  await last?.(stack, id);
  return id;
}

/** Makes a change at a version. */
export function send(
  stack: TestStack,
  id: string,
  { method, path, body }: Change,
  version: number,
  as: TokenOptions = SETUP,
  headers: Record<string, string> = {},
): Promise<Response> {
  return stack.call(method, `/incoming-documents/${id}/${path}`, { as, version, headers, ...(body && { body }) });
}

/** What the numberer, the ledger and the job that sends a message on add at their own time. */
const LATER = ['position', 'hash', 'in_deletion_ledger', 'attempts', 'fault', 'run', 'next_enqueue_at'];

/** Everything that a change of a message writes. */
export async function writtenOf(stack: TestStack, id: string): Promise<unknown[]> {
  const tables = [
    'audit_events',
    'events',
    'journalizations',
    'message_details',
    'legal_holds',
    'handovers',
    'onward_distributions',
  ];
  return Promise.all([
    stack.sql('SELECT to_jsonb(m) - $2::text[] AS row FROM messages m WHERE id = $1', [id, LATER]),
    ...tables.map((table) =>
      stack.sql(`SELECT to_jsonb(t) - $2::text[] AS row FROM ${table} t WHERE message_id = $1 ORDER BY 1`, [id, LATER]),
    ),
  ]);
}
