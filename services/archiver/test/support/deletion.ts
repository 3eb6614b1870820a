import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { InboxClient, type Seen } from '../../../../infra/src/testkit/inbox-client.js';
import type { Setup, TestStack } from '../../../../infra/src/testkit/stack.js';
import type { MemoSpec } from '../../../../infra/src/testkit/write-memo.js';
import { deliverMemo } from '../../../../shared/test/inbox/support.js';

/** As a caseworker with every role. */
export async function caseworker(stack: TestStack): Promise<InboxClient> {
  return new InboxClient(stack.url, await stack.token(), AbortSignal.timeout(600_000));
}

/** Rejects a pending message and deletes it for good. */
export async function deleteNow(client: InboxClient, seen: Seen): Promise<void> {
  const rejected = await client.reject(seen, { reason: 'unwanted', explanation: 'Skal til en anden myndighed.' });
  await client.deleteForGood(rejected);
}

/** Delivers a message and deletes it. @returns its id */
export async function deliverAndDelete(stack: TestStack, memo: MemoSpec = {}): Promise<string> {
  const id = await deliverMemo(stack, memo);
  await deleteNow(await caseworker(stack), { id, version: 1 });
  return id;
}

const KILLED = fileURLToPath(new URL('./killed.mjs', import.meta.url));

/** Scrubs, or writes the ledger, in a process that kills itself at this point. @returns the signal that ended it */
export async function killedAt(setup: Setup, what: 'scrub' | 'ledger', point: string): Promise<unknown> {
  const child = spawn(process.execPath, [KILLED, what, point], {
    env: { PATH: process.env.PATH, ...setup.env, LOG_LEVEL: 'silent' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [, signal] = await once(child, 'exit');
  return signal;
}
