import { setTimeout as pause } from 'node:timers/promises';
import { deliver } from '../../testkit/deliver.js';
import type { Random } from '../random.js';
import type { Kill } from './kills.js';
import type { Ledger, SentUnreadable } from './ledger.js';
import type { Stage } from './stage.js';
import { writeMemos } from './write-memos.js';

const ANSWER_WITHIN_MS = 30_000;

/** A call about the quarantine, as an operator. */
export async function asOperator(stage: Stage, url: string, method: string, path: string): Promise<Response> {
  return fetch(`${url}/api/v1/quarantine${path}`, {
    method,
    headers: { authorization: `Bearer ${await stage.operatorsToken()}` },
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
  });
}

/** Sends deliveries whose fault shows at the last byte, some of them several times, and removes some from quarantine. */
export async function sendUnreadable(
  stage: Stage,
  ledger: Ledger,
  url: string,
  { random, run, kill, signal }: { random: Random; run: number; kill: Kill; signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    const [memo] = writeMemos(random, run, kill);
    if (!memo) return;
    const body = Buffer.concat([memo.xml, Buffer.from('<')]);
    const { uuid } = memo;
    const unreadable: SentUnreadable = { uuid, body, run, kill, sent: 0, refused: 0, removal: 'none' };
    ledger.unreadable.push(unreadable);
    try {
      for (let times = random.between(1, 3); times > 0; times -= 1) await sendOne(url, unreadable, ledger);
      if (random.chance(kill === 'quarantine-removed' ? 0.8 : 0.2)) await remove(stage, url, unreadable, ledger);
    } catch {
      await pause(20); // no answer
    }
  }
}

async function sendOne(url: string, unreadable: SentUnreadable, ledger: Ledger): Promise<void> {
  unreadable.sent += 1;
  const response = await deliver(url, unreadable.body, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
  const text = await response.text();
  if (response.status === 400) unreadable.refused += 1;
  else if (response.status !== 503) ledger.find('lost', unreadable, `was answered ${response.status}: ${text}`);
}

async function remove(stage: Stage, url: string, unreadable: SentUnreadable, ledger: Ledger): Promise<void> {
  const sql = 'SELECT id FROM quarantine_entries WHERE message_uuid = $1';
  const [entry] = await stage.sql<{ id: string }>(sql, [unreadable.uuid]);
  if (!entry) return;
  unreadable.removal = 'asked';
  const { status } = await asOperator(stage, url, 'DELETE', `/${entry.id}`);
  if (status === 204) unreadable.removal = 'done';
  else if (status < 500) ledger.find('lost', unreadable, `its removal was answered ${status}`);
}
