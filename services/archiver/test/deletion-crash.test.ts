import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { CommonConfig, DAY, readConfig } from '@indbakke/shared/config';
import { sweepContentRemovals } from '@indbakke/shared/inbox';
import { openParts, type Parts } from '@indbakke/shared/service';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { auditOf, change, deliverMemo } from '../../../shared/test/inbox/support.js';
import { destroyDue } from '../src/deletion/destroy-due.js';

// @module-tag long

// A process that is killed at each step of a deletion leaves it undone or whole, and the next one finishes it.

const DELETER = fileURLToPath(new URL('./support/deleter.mjs', import.meta.url));

let stack: TestStack;
let parts: Parts;

beforeAll(async () => {
  stack = await startTestStack({ SMALL_CONTENT_BYTES: '0' });
  parts = await openParts(readConfig(CommonConfig, stack.env), 'by-hand');
});

afterAll(async () => {
  await parts.queues.close();
  await parts.store.close();
  await stack.close();
});

type Does = 'delete' | 'confirm' | 'destroy';

/** Runs a process that kills itself at the point. @returns the signal that it died of */
async function killAt(does: Does, point: string, id: string): Promise<string | null> {
  const child = fork(DELETER, [does, point, id], {
    env: { ...process.env, ...stack.env },
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const [, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  return signal;
}

const settings = (needsTwo: boolean, delayDays: number) =>
  stack.sql('UPDATE municipalities SET deletion_needs_two = $1, deletion_delay_days = $2', [needsTwo, delayDays]);

interface Stored extends Record<string, unknown> {
  readonly status: string;
  readonly version: number;
  readonly asked: boolean;
  readonly due: boolean;
  readonly keys: number;
}
async function stored(id: string): Promise<Stored> {
  const [row] = await stack.sql<Stored>(
    `SELECT status, version, deletion_requested_at IS NOT NULL AS asked, deletion_due_at IS NOT NULL AS due,
       (SELECT count(*)::int FROM message_keys WHERE message_id = m.id) AS keys FROM messages m WHERE id = $1`,
    [id],
  );
  return row as Stored;
}
const REJECTED = { status: 'rejected', version: 2, asked: false, due: false, keys: 1 };
const REQUESTED = { ...REJECTED, version: 3, asked: true };
const SCHEDULED = { ...REQUESTED, due: true };
const deleted = (version: number) => ({ status: 'deleted', version, asked: false, due: false, keys: 0 });

async function rejected(): Promise<{ id: string; blobName: string }> {
  const id = await deliverMemo(stack);
  await change(stack, 'POST', `${id}/rejection`, {
    version: 1,
    body: { reason: 'unwanted', explanation: 'Det er reklame' },
  });
  const [row] = await stack.sql<{ blob_name: string }>('SELECT blob_name FROM messages WHERE id = $1', [id]);
  return { id, blobName: row?.blob_name as string };
}

// What a process that starts again does: the caller repeats the call, and the sweeps run.
const ask = (id: string) =>
  change(stack, 'POST', `${id}/deletion`, {
    as: { user: 'anna' },
    version: 2,
    body: { sentOn: true, senderInformed: false },
  });
const confirm = (id: string) =>
  change(stack, 'POST', `${id}/deletion/confirmation`, { as: { user: 'bo' }, version: 3 });
const destroy = () => destroyDue(parts, new Date(Date.now() + 20 * DAY));
async function expectContentRemoved(blobName: string): Promise<void> {
  await stack.sql(`UPDATE content_removals SET requested_at = now() - interval '1 minute'`);
  await sweepContentRemovals(parts);
  const names: string[] = [];
  for await (const { name } of parts.blobs.list()) names.push(name);
  expect(names).not.toContain(blobName);
  expect(await stack.sql('SELECT FROM content_removals WHERE blob_name = $1', [blobName])).toEqual([]);
}

// A process takes seconds to load on a busy machine.
const SLOW = 60_000;

const deeds = async (id: string) =>
  (await auditOf(stack, { messageId: id })).map(({ action }) => action).filter((action) => action.startsWith('dele'));

it.each([
  ['written', REJECTED],
  ['deletion-decided', REQUESTED],
])(
  'a process killed at %s while it asks for a deletion leaves that undone or whole, and the repeat finishes it',
  async (point, left) => {
    await settings(true, 0);
    const { id } = await rejected();
    expect(await killAt('delete', point, id)).toBe('SIGKILL');
    expect(await stored(id)).toEqual(left);
    await ask(id);
    expect(await stored(id)).toEqual(REQUESTED);
    expect(await deeds(id)).toEqual(['deletion-requested']);
  },
  SLOW,
);

it.each([
  ['written', REJECTED],
  ['deletion-decided', SCHEDULED],
])(
  'a process killed at %s while it begins a delay leaves that undone or whole, and the repeat finishes it',
  async (point, left) => {
    await settings(false, 2);
    const { id } = await rejected();
    expect(await killAt('delete', point, id)).toBe('SIGKILL');
    expect(await stored(id)).toEqual(left);
    await ask(id);
    expect(await stored(id)).toEqual(SCHEDULED);
    expect(await deeds(id)).toEqual(['deletion-scheduled']);
    await change(stack, 'DELETE', `${id}/deletion`, { version: 3 });
  },
  SLOW,
);

const WHILE_DELETING = [
  ['deletion-committed', deleted(4)],
  ['content-removed', deleted(4)],
  ['removal-synced', deleted(4)],
] as const;

it.each([['written', REQUESTED] as const, ...WHILE_DELETING])(
  'a process killed at %s while it confirms a deletion leaves that undone or whole, and the repeat and the sweep finish it',
  async (point, left) => {
    await settings(true, 0);
    const { id, blobName } = await rejected();
    await ask(id);
    expect(await killAt('confirm', point, id)).toBe('SIGKILL');
    expect(await stored(id)).toEqual(left);
    await confirm(id);
    expect(await stored(id)).toEqual(deleted(4));
    expect(await deeds(id)).toEqual(['deletion-requested', 'deleted']);
    await expectContentRemoved(blobName);
  },
  SLOW,
);

it.each([['written', SCHEDULED] as const, ...WHILE_DELETING])(
  'a process killed at %s while it destroys what is due leaves that undone or whole, and the next sweeps finish it',
  async (point, left) => {
    await settings(false, 2);
    const { id, blobName } = await rejected();
    await ask(id);
    expect(await killAt('destroy', point, id)).toBe('SIGKILL');
    expect(await stored(id)).toEqual(left);
    await destroy();
    expect(await stored(id)).toEqual(deleted(4));
    expect(await deeds(id)).toEqual(['deletion-scheduled', 'deleted']);
    await expectContentRemoved(blobName);
  },
  SLOW,
);
