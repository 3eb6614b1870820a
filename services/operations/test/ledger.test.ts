import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GiB, readConfig } from '@indbakke/shared/config';
import { plusDays } from '@indbakke/shared/danish-time';
import { openParts, type Parts } from '@indbakke/shared/service';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { noonIn, wholeDay } from '../../../infra/src/testkit/noon.js';
import { ODENSKOV, startTestStack, type TestStack, VESTERSUND } from '../../../infra/src/testkit/stack.js';
import { textDocument } from '../../../infra/src/testkit/write-memo.js';
import { auditOf, change, deliverMemo, upsertCase } from '../../../shared/test/inbox/support.js';
import {
  acceptDifferences,
  alone,
  checkDueDays,
  compareList,
  makeDueDays,
  OperationsConfig,
  openLedgerFolder,
  readDays,
  readDifferences,
  readLedger,
} from '../src/app.js';
import { formatIn } from '../src/pages/language.js';
import { LEDGER } from '../src/sections/ledger.js';
import type { OperationsParts } from '../src/sections/section.js';

let stack: TestStack;
let parts: Parts;
let folder: Awaited<ReturnType<typeof openLedgerFolder>>;

const TODAY = await wholeDay(3);
// All that is received now is of a day that is over then.
const TOMORROW = noonIn(1);

beforeAll(async () => {
  stack = await startTestStack({ SMALL_CONTENT_BYTES: '0' });
  const config = readConfig(OperationsConfig, stack.env);
  parts = await openParts(config, 'by-hand');
  folder = await openLedgerFolder(config);
  // So that the sweep of the stack, which comes after a minute, has no day to make.
  for (const id of [ODENSKOV, VESTERSUND]) await deliverMemo(stack, { recipient: { id } });
});

afterAll(async () => {
  await parts.queues.close();
  await parts.store.close();
  await stack.close();
});

const root = () => `${stack.contentFolder}-ledger`;
const files = () =>
  readdirSync(root(), { recursive: true, encoding: 'utf8' })
    .filter((name) => /[0-9a-f]{32}$/.test(name))
    .map((name) => join(root(), name));
const fileOf = (day: string) => files().find((file) => readFileSync(file, 'utf8').includes(`"day":"${day}"`)) as string;

const inTurn = <T>(work: () => Promise<T>) => alone(stack.env.DATABASE_URL as string, true, work) as Promise<T>;
const make = (now = TOMORROW) => inTurn(() => makeDueDays(parts, folder, now));
/** As in the nights of four weeks. */
const check = () =>
  inTurn(async () => {
    await stack.sql('UPDATE ledger_days SET checked_at = NULL');
    return checkDueDays(parts, folder, GiB);
  });
const differences = async () =>
  (await readDifferences(parts)).map(({ municipality, kind, subject }) => `${municipality} ${kind} ${subject}`).sort();

// Each test begins without a ledger.
beforeEach(() =>
  inTurn(async () => {
    await stack.sql('DELETE FROM ledger_files');
    await stack.sql('DELETE FROM ledger_days');
    await stack.sql('DELETE FROM ledger_differences');
    for (const file of files()) rmSync(file);
  }),
);

const reject = (id: string) =>
  change(stack, 'POST', `${id}/rejection`, { version: 1, body: { reason: 'unwanted', explanation: 'Det er reklame' } });

describe('the line of a day', () => {
  it('has every message that was received, and says what had become of each', async () => {
    await upsertCase(stack, 'L-1');
    const messageUUID = randomUUID();
    const [pending, journalized, rejected, deleted] = [
      await deliverMemo(stack, { messageUUID }),
      await deliverMemo(stack),
      await deliverMemo(stack),
      await deliverMemo(stack),
    ];
    await change(stack, 'POST', `${journalized}/journalization`, { version: 1, body: { caseIds: ['L-1'] } });
    await reject(rejected);
    await reject(deleted);
    await change(stack, 'POST', `${deleted}/deletion`, { version: 2, body: { sentOn: false, senderInformed: false } });
    const rows = await stack.sql<{ id: string }>('SELECT id FROM messages WHERE municipality = $1', [ODENSKOV]);
    const before = new Set(rows.map(({ id }) => id));
    expect(await make()).toBe(1);

    const { lines, faults } = await readLedger(folder, parts.keys);
    expect(faults).toEqual([]);
    const line = lines.find((each) => each.is === 'day' && each.municipality === ODENSKOV);
    expect(line).toMatchObject({ day: TODAY, received: before.size });
    const { messages, fates } = line as { messages: [string, string][]; fates: Record<string, number> };
    expect(messages.map(([id]) => id)).toEqual([...before].sort());
    expect(messages).toContainEqual([pending, messageUUID]);
    expect(Object.values(fates).reduce((sum, count) => sum + count)).toBe(before.size);
    expect(fates).toMatchObject({ journalized: 1, rejected: 1, deleted: 1 });
    expect(lines.find((each) => each.is === 'day' && each.municipality === VESTERSUND)).toMatchObject({ received: 1 });
    expect(readFileSync(fileOf(TODAY), 'utf8')).not.toMatch(/4101019999|Det er reklame/);
    expect(await check()).toBe(2);
    expect(await differences()).toEqual([]);
  });

  it('is made once, also for days on which nothing ran', async () => {
    await deliverMemo(stack);
    const later = noonIn(4);
    expect(await make(later)).toBe(4);
    expect(await make(later)).toBe(0);
    expect((await readDays(parts, { municipality: ODENSKOV })).map(({ received }) => received > 0)).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect((await readLedger(folder, parts.keys)).faults).toEqual([]);
  });

  it('is written by one process at a time', async () => {
    await inTurn(async () => {
      expect(await alone(stack.env.DATABASE_URL as string, false, async () => 'written')).toBeUndefined();
    });
    expect(await alone(stack.env.DATABASE_URL as string, false, async () => 'written')).toBe('written');
  });
});

describe('a difference', () => {
  it('is a message that was counted and has gone without a tombstone', async () => {
    const [id, other] = [await deliverMemo(stack), await deliverMemo(stack)];
    await make();
    await withoutRow(id);
    await check();
    expect(await differences()).toEqual([`${ODENSKOV} gone ${id}`]);
    await deliverMemo(stack, { messageUUID: await externalIdOf(other) }); // a duplicate changes nothing
    await check();
    expect(await differences()).toEqual([`${ODENSKOV} gone ${id}`]);
  });

  it('is a message that has gone before it was counted, by the audit log', async () => {
    const id = await deliverMemo(stack);
    await withoutRow(id);
    await make();
    await check();
    expect(await differences()).toContain(`${ODENSKOV} gone ${id}`);
    await stack.sql('DELETE FROM audit_events WHERE message_id = $1', [id]);
    await stack.sql(`DELETE FROM audit_events a WHERE NOT EXISTS (SELECT FROM messages WHERE id = a.message_id)`);
    await check();
    expect(await differences()).toEqual([]);
  });

  it('is a message of a day that its line does not have, or that lacks a row', async () => {
    await make();
    const [late, without] = [await deliverMemo(stack), await deliverMemo(stack)];
    await stack.sql('DELETE FROM message_details WHERE message_id = $1', [without]);
    await check();
    expect(await differences()).toEqual(
      [
        `${ODENSKOV} incomplete ${without}`,
        `${ODENSKOV} not-counted ${late}`,
        `${ODENSKOV} not-counted ${without}`,
      ].sort(),
    );
    await withoutRow(without);
    await stack.sql('DELETE FROM audit_events WHERE message_id = $1', [without]);
  });

  it('is content that has gone, or is not what was received; it is none when the message is deleted', async () => {
    const memo = { documents: [textDocument('Indhold af en vis længde')] };
    const [missing, damaged, other, whole] = [
      await deliverMemo(stack, memo),
      await deliverMemo(stack, memo),
      await deliverMemo(stack, memo),
      await deliverMemo(stack, memo),
    ];
    await make();
    rmSync(await containerOf(missing));
    const path = await containerOf(damaged);
    const bytes = readFileSync(path);
    bytes[260] = (bytes[260] as number) ^ 1;
    writeFileSync(path, bytes);
    await stack.sql('UPDATE files SET sha256 = $2 WHERE message_id = $1', [other, Buffer.alloc(32)]);
    await check();
    expect(await differences()).toEqual(
      [
        `${ODENSKOV} content-damaged ${damaged}`,
        `${ODENSKOV} content-damaged ${other}`,
        `${ODENSKOV} content-missing ${missing}`,
      ].sort(),
    );
    for (const id of [missing, damaged, other, whole]) {
      await reject(id);
      await change(stack, 'POST', `${id}/deletion`, { version: 2, body: { sentOn: false, senderInformed: false } });
    }
    await check();
    expect(await differences()).toEqual([]);
  });

  it('alarms until somebody accepts it, which the audit log has', async () => {
    const id = await deliverMemo(stack);
    await make();
    await withoutRow(id);
    await check();
    expect(await metric('indbakke_ledger_differences{kind="gone"}')).toBe(1);
    expect(await acceptDifferences(parts, { municipality: ODENSKOV, day: TODAY }, 'ledger-accept')).toBe(1);
    expect(await metric('indbakke_ledger_differences{kind="gone"}')).toBe(0);
    expect(await auditOf(stack, { action: 'ledger-accepted' })).toMatchObject([
      { actor: 'ledger-accept', details: { of: ODENSKOV, day: TODAY, count: 1 } },
    ]);
    await check();
    expect(await differences()).toEqual([]);
    await stack.sql('DELETE FROM audit_events WHERE message_id = $1', [id]);
  });
});

describe('the ledger itself', () => {
  it('shows a line that was altered, and a file that has gone', async () => {
    await deliverMemo(stack);
    await make(noonIn(3));
    const [first, second] = [fileOf(TODAY), fileOf(plusDays(TODAY, 1))];
    const text = readFileSync(first, 'utf8');
    writeFileSync(first, text.replace(/"received":(\d+)/, '"received":0'));
    rmSync(second);
    const { faults } = await readLedger(folder, parts.keys);
    expect(faults).toHaveLength(2); // one line is altered, and before the third file one has gone
    await make(noonIn(3));
    await check();
    expect(await differences()).toEqual(
      [
        `${ODENSKOV} line-forged ${first.split('/').at(-1)}`,
        `${ODENSKOV} line-forged ${second.split('/').at(-1)}`,
        `${VESTERSUND} line-forged ${second.split('/').at(-1)}`,
        `installation line-missing ${second.split('/').at(-1)}`,
      ].sort(),
    );
    writeFileSync(first, text);
  });

  it('knows of another database, or an older state of it', async () => {
    await deliverMemo(stack);
    await make();
    expect(await differences()).toEqual([]);
    await stack.sql(`UPDATE ledger_files SET database = 'another' WHERE database IS NOT NULL`);
    await make();
    expect(await differences()).toEqual([expect.stringMatching(/^installation restored \d+-[0-9A-F]{8}-\d+$/)]);
  });
});

describe('a process that is killed', () => {
  it('when the lines of a day are written leaves them to the next one, which writes none a second time', {
    tags: 'long',
    timeout: 120_000,
  }, async () => {
    const id = await deliverMemo(stack);
    expect(await killedAt('make', 'ledger-line-written')).toBe('SIGKILL');
    expect(await readDays(parts, {})).toEqual([]);
    expect(await make()).toBe(0);
    const { lines, faults } = await readLedger(folder, parts.keys);
    expect(faults).toEqual([]);
    const [line] = lines.filter((each) => each.is === 'day' && each.municipality === ODENSKOV);
    expect((line as { messages: [string, string][] }).messages.map(([each]) => each)).toContain(id);
    expect(await readDays(parts, { municipality: ODENSKOV })).toHaveLength(1);
  });

  it('while content is read leaves the rest of the day to the next one', {
    tags: 'long',
    timeout: 120_000,
  }, async () => {
    for (let count = 0; count < 22; count += 1) await deliverMemo(stack);
    await make();
    expect(await killedAt('check', 'ledger-content-read')).toBe('SIGKILL');
    const progress = 'SELECT check_after, checked_at FROM ledger_days WHERE municipality = $1';
    expect(await stack.sql(progress, [ODENSKOV])).toEqual([{ check_after: expect.any(String), checked_at: null }]);
    expect(await inTurn(() => checkDueDays(parts, folder, GiB))).toBeGreaterThanOrEqual(1);
    expect(await stack.sql(progress, [ODENSKOV])).toEqual([{ check_after: null, checked_at: expect.any(Date) }]);
  });

  async function killedAt(what: 'make' | 'check', point: string): Promise<unknown> {
    const script = fileURLToPath(new URL('./support/killed.mjs', import.meta.url));
    const child = spawn(process.execPath, [script, what, point, TOMORROW.toISOString()], {
      env: { PATH: process.env.PATH, ...stack.env, LOG_LEVEL: 'silent' },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    return (await once(child, 'exit'))[1];
  }
});

describe('a list of what was sent to us', () => {
  it('is compared by its column of messageUUIDs, whatever its headings, encoding and separator', async () => {
    const [here, held, gone] = [randomUUID(), randomUUID(), randomUUID()];
    await deliverMemo(stack, { messageUUID: here });
    const heldId = await deliverMemo(stack, { messageUUID: held });
    await stack.sql(`UPDATE messages SET status = 'held', held_cause = 'conflict' WHERE id = $1`, [heldId]);
    const rows = [here.toUpperCase(), held, gone].map((id) => [`Hændelse åbnet`, randomUUID(), id, '27-11-2026 10:00']);
    const csv = (separator: string) =>
      [['Hændelse', 'Forsendelse', 'Besked-ID', 'Tidspunkt'], ...rows]
        .map((cells) => cells.join(separator))
        .join('\r\n');
    const expected = {
      column: 'Besked-ID',
      otherColumns: ['Forsendelse'],
      places: { waiting: [here], held: [held], missing: [gone] },
      without: 0,
    };
    const compare = (bytes: Buffer, column?: string) => compareList(parts, bytes, column);
    expect(await compare(Buffer.from(`\uFEFF${csv(';')}`))).toMatchObject(expected);
    expect(await compare(Buffer.from(csv(','), 'latin1'))).toMatchObject(expected);
    expect(await compare(Buffer.from(csv('\t')), 'besked-id')).toMatchObject({ ...expected, otherColumns: [] });
    const withoutHeadings = Buffer.from([here, gone].join('\n'));
    expect(await compare(withoutHeadings)).toMatchObject({ places: { waiting: [here], missing: [gone] } });
    await expect(compare(Buffer.from('a;b\n1;2'))).rejects.toThrow('Name the one of the messageUUIDs with --column.');
    await stack.sql(`UPDATE messages SET status = 'pending', held_cause = NULL WHERE id = $1`, [heldId]);
  });
});

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${stack.url}/metrics`)).text();
  const line = text.split('\n').find((each) => each.startsWith(name));
  return Number(line?.split(' ').at(-1));
}

async function externalIdOf(id: string): Promise<string> {
  const [row] = await stack.sql<{ external_id: string }>('SELECT external_id FROM messages WHERE id = $1', [id]);
  return row?.external_id as string;
}

async function containerOf(id: string): Promise<string> {
  const [row] = await stack.sql<{ blob_name: string }>('SELECT blob_name FROM messages WHERE id = $1', [id]);
  const name = row?.blob_name as string;
  return join(stack.contentFolder, name.slice(0, 2), name);
}

/** As somebody with the rights of the owner could remove it. */
async function withoutRow(id: string): Promise<void> {
  for (const table of [
    'message_details',
    'message_words',
    'message_parties',
    'message_keys',
    'message_contents',
    'files',
    'documents',
    'reply_references',
  ])
    await stack.sql(`DELETE FROM ${table} WHERE message_id = $1`, [id]);
  await stack.sql('DELETE FROM messages WHERE id = $1', [id]);
}

describe('the section of the operations page', () => {
  it('shows the days, and what is different', async () => {
    const id = await deliverMemo(stack);
    await make();
    const show = async () => {
      const config = readConfig(OperationsConfig, stack.env);
      return LEDGER.show({ ...parts, config } as OperationsParts, new Date(), 'da', formatIn('da'));
    };
    const calm = await show();
    expect(calm.concern).toBeUndefined();
    expect(calm.body.text).toContain(`<th scope="row">${TODAY}</th>`);
    const received = (await readDays(parts, {})).reduce((sum, day) => sum + day.received, 0);
    expect(calm.body.text).toContain(`<td class="number">${received}</td>`);
    await withoutRow(id);
    await check();
    const alarmed = await show();
    expect(alarmed.concern).toBe('1 afvigelse fra opgørelsen');
    expect(alarmed.body.text).toContain(`<code>${id}</code>`);
    await stack.sql('DELETE FROM audit_events WHERE message_id = $1', [id]);
  });
});
