import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { z } from 'zod';
import {
  type DistributionSpec,
  distribute,
  writeDistribution,
} from '../../../infra/src/local/distribution/write-distribution.js';
import { crashPointPassed } from '../../../infra/src/testkit/crash-points.js';
import {
  CASEWORKER_ROLES,
  type CallOptions,
  ODENSKOV,
  type TestStack,
  type TokenOptions,
} from '../../../infra/src/testkit/stack.js';
import { type MemoSpec, type ReplyEntry, writeMemo } from '../../../infra/src/testkit/write-memo.js';
import { ChangeAnswer, DocumentAnswer, DocumentList, type DocumentSummary } from '../../src/api/index.js';

export const SYSTEM: TokenOptions = { user: 'dubu-core', system: true };
export const SETUP: TokenOptions = { user: 'setup-1', roles: [...CASEWORKER_ROLES, 'Indbakke.Opsætning'] };

/** Delivers a MeMo and returns the id of the message. */
export async function deliverMemo(stack: TestStack, memo: MemoSpec = {}): Promise<string> {
  const messageUUID = memo.messageUUID ?? randomUUID();
  const receipt = await stack.deliver(writeMemo({ ...memo, messageUUID }));
  expect(receipt.status, await receipt.text()).toBe(200);
  const [row] = await stack.sql<{ id: string }>(
    'SELECT id FROM messages WHERE external_id = $1 AND municipality = $2 ORDER BY id DESC LIMIT 1',
    [messageUUID.toLowerCase(), memo.recipient?.id ?? ODENSKOV],
  );
  return (row as { id: string }).id;
}

/** Delivers a document from Fordelingskomponenten and returns the id of the message. */
export async function deliverDocument(stack: TestStack, document: DistributionSpec = {}): Promise<string> {
  const transactionId = document.transactionId ?? randomUUID();
  const receipt = await distribute(stack.url, writeDistribution({ ...document, transactionId }));
  expect(await receipt.text()).toContain('ACCEPTERET');
  const [row] = await stack.sql<{ id: string }>(
    'SELECT message_id AS id FROM distributions WHERE transaction_id = $1 ORDER BY message_id DESC LIMIT 1',
    [transactionId],
  );
  return (row as { id: string }).id;
}

/** Delivers a reply and waits for its suggestion run. */
export async function deliverReply(stack: TestStack, replyData: readonly ReplyEntry[], memo: MemoSpec = {}) {
  const id = await deliverMemo(stack, { ...memo, replyData });
  await awaitSuggestion(stack, id);
  return id;
}

/** Resolves after the message's suggestion run: checks after every one that is announced. */
export async function awaitSuggestion(stack: TestStack, id: string): Promise<void> {
  for (;;) {
    const suggested = crashPointPassed('suggestion-committed');
    const [row] = await stack.sql('SELECT FROM messages WHERE id = $1 AND suggestion_run_at IS NOT NULL', [id]);
    if (row) return;
    await suggested;
  }
}

/** Resolves when every event that is committed now has its position. */
export async function untilNumbered(stack: TestStack): Promise<void> {
  for (;;) {
    const numbered = crashPointPassed('positions-committed');
    if ((await stack.sql('SELECT FROM events WHERE position IS NULL LIMIT 1')).length === 0) return;
    await numbered;
  }
}

/** One message as a caller sees it; the answer must fit the contract. */
export async function read(stack: TestStack, id: string, as?: TokenOptions): Promise<DocumentAnswer> {
  const response = await stack.call('GET', `/incoming-documents/${id}`, as && { as });
  expect(response.status).toBe(200);
  return DocumentAnswer.strict().parse(await response.json());
}

/** One page of the list; the answer must fit the contract. */
export async function list(stack: TestStack, query = '', as?: TokenOptions): Promise<z.infer<typeof DocumentList>> {
  const response = await stack.call('GET', `/incoming-documents${query}`, as && { as });
  expect(response.status, await response.clone().text()).toBe(200);
  return DocumentList.strict().parse(await response.json());
}

/** Every page of the list. @param query without `?` */
export async function listAll(stack: TestStack, query: string, as?: TokenOptions): Promise<DocumentSummary[]> {
  const items: DocumentSummary[] = [];
  let cursor: string | null = null;
  do {
    const page: z.infer<typeof DocumentList> = await list(stack, `?${query}${cursor ? `&cursor=${cursor}` : ''}`, as);
    items.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return items;
}

/** Changes a message, which must succeed. */
export async function change(
  stack: TestStack,
  method: 'POST' | 'PUT' | 'DELETE',
  path: string,
  options: CallOptions,
): Promise<ChangeAnswer> {
  const response = await stack.call(method, `/incoming-documents/${path}`, options);
  expect(response.status, await response.clone().text()).toBe(200);
  return ChangeAnswer.strict().parse(await response.json());
}

/** The core registers a case. */
export async function upsertCase(stack: TestStack, caseId: string, body: object = {}, municipality = ODENSKOV) {
  const as = { ...SYSTEM, municipality };
  const response = await stack.call('PUT', `/cases/${encodeURIComponent(caseId)}`, { as, body });
  expect(response.status, await response.clone().text()).toBe(204);
}

/** The core registers a message that it sent. */
export async function registerSentMessage(
  stack: TestStack,
  messageUUID: string,
  body: object,
  municipality = ODENSKOV,
) {
  const as = { ...SYSTEM, municipality };
  const response = await stack.call('PUT', `/sent-messages/${messageUUID}`, { as, body });
  expect(response.status, await response.clone().text()).toBe(204);
}

/** Expects a problem with this code. @returns it */
export async function expectProblem(response: Response, status: number, code: string): Promise<Problem> {
  const problem = (await response.json()) as Problem;
  expect({ status: response.status, code: problem.code }).toEqual({ status, code });
  expect(response.headers.get('content-type')).toContain('application/problem+json');
  expect(problem.status).toBe(status);
  return problem;
}

interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly path?: string;
  readonly correlationId: string;
}

/** Rows of the audit log for a message, or for an action, in order. */
export function auditOf(stack: TestStack, where: { messageId: string } | { action: string }) {
  const [column, value] = 'messageId' in where ? ['message_id', where.messageId] : ['action', where.action];
  return stack.sql<{
    action: string;
    actor: string;
    actor_kind: string;
    result: string;
    details: Record<string, unknown>;
  }>(`SELECT action, actor, actor_kind, result, details FROM audit_events WHERE ${column} = $1 ORDER BY at, id`, [
    value,
  ]);
}
