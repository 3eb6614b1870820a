import type { CallOptions, TestStack } from '../../../../infra/src/testkit/stack.js';
import type { MemoSpec } from '../../../../infra/src/testkit/write-memo.js';
import type { OnwardBody } from '../../../../shared/src/api/index.js';
import { change, deliverMemo, read } from '../../../../shared/test/inbox/support.js';

/** To whom it is sent on. */
export const RECIPIENT = '11111111';
export const BODY: OnwardBody = { recipient: RECIPIENT, kle: '27.24.00', facet: 'G01' };

/** Delivers a letter and rejects it. */
export async function rejected(stack: TestStack, memo: MemoSpec = {}): Promise<string> {
  const id = await deliverMemo(stack, memo);
  const body = { reason: 'wrong-municipality', explanation: 'Hører til i nabokommunen.' };
  await change(stack, 'POST', `${id}/rejection`, { version: 1, body });
  return id;
}

export async function ask(stack: TestStack, id: string, body: object = BODY, options: CallOptions = {}) {
  const { version } = await read(stack, id);
  return stack.call('POST', `/incoming-documents/${id}/distribution`, { version, body, ...options });
}

/** The id of the last distribution of a message, which is also that of the transaction. */
export async function transactionOf(stack: TestStack, id: string): Promise<string> {
  const [row] = await stack.sql<{ id: string }>(
    'SELECT id FROM onward_distributions WHERE message_id = $1 ORDER BY at DESC LIMIT 1',
    [id],
  );
  return row?.id as string;
}
