import { randomUUID } from 'node:crypto';
import { CommonConfig, readConfig } from '@indbakke/shared/config';
import { openParts } from '@indbakke/shared/service';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { sweepOldQuarantine } from '../../archiver/src/retention/quarantine.js';
import { binaryFile, newMemo, receiptOf, xmlOf } from './support/memos.js';
import { type ReceiverProcess, startReceiverProcess } from './support/receiver-process.js';
import { contentFiles } from './support/stored.js';

let stack: TestStack;
let receiver: ReceiverProcess;

beforeAll(async () => {
  stack = await startTestStack();
  receiver = await startReceiverProcess({
    ...stack.env,
    QUARANTINE_MAX_ENTRIES: '3',
    QUARANTINE_MAX_BYTES: '300000',
    QUARANTINE_LOOP_AFTER: '2',
  });
});
afterAll(async () => {
  await receiver.stop();
  await stack.close();
});
beforeEach(() => stack.sql('DELETE FROM quarantine_entries'));

async function deliver(body: string) {
  const headers = { 'content-type': 'application/xml', accept: 'application/json' };
  const answer = await fetch(`${receiver.url}/sf1606/PostModtag`, { method: 'POST', headers, body });
  return receiptOf(answer);
}

/** The lines of the log of an event since the last call. */
function linesOf(event: string): Record<string, unknown>[] {
  const lines = (receiver.lines as string[]).splice(0);
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>).filter((line) => line.event === event);
}

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${receiver.url}/metrics`)).text();
  const line = text.split('\n').find((each) => each.startsWith(`${name} `) || each.startsWith(`${name}{`));
  return Number(line?.split(' ').at(-1));
}

const unreadable = (size = 10) => `${xmlOf(newMemo({ documents: [{ files: [binaryFile(size)] }] }))}<`;
const entries = () => stack.sql('SELECT *, key_id IS NOT NULL AS kept FROM quarantine_entries ORDER BY first_at');

describe('over the quota the newest is refused and only counted, and alarmed:', () => {
  it('of bytes', async () => {
    await deliver(unreadable(100_000));
    linesOf('');
    const before = await contentFiles(stack);
    const body = unreadable(200_000);
    for (let times = 0; times < 2; times += 1) expect(await deliver(body)).toMatchObject({ errorCode: 'not-xml' });
    expect(await entries()).toMatchObject([
      { kept: true, count: 1 },
      { kept: false, count: 2 },
    ]);
    expect(await contentFiles(stack)).toEqual(before);
    expect(linesOf('quarantine-full')).toEqual([expect.objectContaining({ level: 'error', reason: 'not-xml' })]);
    // It can be accepted all the same, but not downloaded.
    const [, { id } = {}] = await entries();
    const as = { operator: true, user: 'operator-1', roles: ['Indbakke.Drift', 'Indbakke.Karantæne'] };
    expect((await stack.call('GET', `/quarantine/${id}/content`, { as })).status).toBe(410);
    expect((await stack.call('PUT', `/quarantine/${id}/acceptance`, { as })).status).toBe(204);
    expect(await deliver(body)).toMatchObject({ receiptStatus: 'COMPLETED' });
  });

  it('of entries', async () => {
    for (let times = 0; times < 3; times += 1) await deliver(unreadable());
    const counted = await metric('indbakke_quarantined_total{outcome="over-quota"}').catch(() => 0);
    linesOf('');
    expect(await deliver(unreadable())).toMatchObject({ errorCode: 'not-xml' });
    expect(await entries()).toHaveLength(3);
    expect(await metric('indbakke_quarantined_total{outcome="over-quota"}')).toBe((counted || 0) + 1);
    expect(linesOf('quarantine-full')).toHaveLength(1);
    expect(await metric('indbakke_quarantine{what="entries"}')).toBe(3);
  });
});

describe('a resend loop is alarmed once a step:', () => {
  it('of the same bytes: at 2, 4 and 8', async () => {
    const [body, steps] = ['hello', await metric('indbakke_quarantine_loops_total')];
    linesOf('');
    const told: number[] = [];
    for (let times = 1; times <= 9; times += 1) {
      await deliver(body);
      if (linesOf('quarantine-loop').length > 0) told.push(times);
    }
    expect(told).toEqual([2, 4, 8]);
    expect(await metric('indbakke_quarantine_loops_total')).toBe(steps + 3);
    expect(await metric('indbakke_quarantine{what="loops"}')).toBe(1);
  });

  it('of the same id in other bytes', async () => {
    const messageUUID = randomUUID();
    linesOf('');
    for (const subject of ['A', 'B']) await deliver(`${xmlOf(newMemo({ messageUUID, subject }))}<`);
    expect(linesOf('quarantine-loop')).toEqual([expect.objectContaining({ level: 'error', count: 1, refusedOfId: 2 })]);
  });

  it('not of what is accepted', async () => {
    await deliver('hello');
    await stack.sql(`UPDATE quarantine_entries SET status = 'answer-accepted', accepted_at = now(), accepted_by = 'x'`);
    linesOf('');
    for (let times = 0; times < 4; times += 1) await deliver('hello');
    expect(linesOf('quarantine-loop')).toEqual([]);
    expect(await metric('indbakke_quarantine{what="loops"}')).toBe(0);
  });
});

it('what has not come for long is removed, with its content', async () => {
  const before = await contentFiles(stack);
  await deliver(unreadable(100_000));
  await deliver('hello');
  await stack.sql(`UPDATE quarantine_entries SET last_at = now() - interval '91 days' WHERE size > 5`);
  const parts = await openParts(readConfig(CommonConfig, stack.env), 'by-hand');
  expect(await sweepOldQuarantine(parts as never, 90)).toBe(1);
  expect(await sweepOldQuarantine(parts as never, 90)).toBe(0);
  await parts.queues.close();
  await parts.store.close();
  expect(await entries()).toMatchObject([{ size: '5' }]);
  // Noted, for the sweep that removes content.
  const [removal] = await stack.sql<{ blob_name: string }>('SELECT blob_name FROM content_removals');
  expect((await contentFiles(stack)).filter((name) => !before.includes(name))).toEqual([removal?.blob_name]);
});

it('nothing personal of what is kept is in a log line or metric', async () => {
  receiver.lines.length;
  await deliver(
    `${xmlOf(newMemo({ subject: 'Om Emma Testesen', sender: { id: '4101019999', name: 'Test Testesen' } }))}<`,
  );
  const metrics = await (await fetch(`${receiver.url}/metrics`)).text();
  expect([...receiver.lines, metrics].join('\n')).not.toMatch(/Testesen|4101019999/);
});
