import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { JournalerConfig, startJournaler } from '@indbakke/journaler';
import { ReceiverConfig, startReceiver } from '@indbakke/receiver';
import { readConfig } from '@indbakke/shared/config';
import { Heartbeat, openParts, type Parts, type Running } from '@indbakke/shared/service';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { startRelay } from '../../../infra/src/testkit/relay.js';
import { CONTACT_POINT, ODENSKOV, type Setup, setUp, VESTERSUND } from '../../../infra/src/testkit/stack.js';
import { writeMemo } from '../../../infra/src/testkit/write-memo.js';
import { newMemo, replyTo } from '../../receiver/test/support/memos.js';
import { startReceiverProcess } from '../../receiver/test/support/receiver-process.js';
import { OperationsConfig } from '../src/config.js';
import { formatIn } from '../src/pages/language.js';
import { CERTIFICATES, readCertificates } from '../src/sections/certificates.js';
import { COPIES, readCopies, sweepGoneCopies } from '../src/sections/copies.js';
import { KEYS, noteMasterKeys, readMasterKeys } from '../src/sections/keys.js';
import { MAIL, readLastReceipt, readMail } from '../src/sections/mail.js';
import { OUTAGES, readOutages } from '../src/sections/outages.js';
import { REFUSALS, readRefusedOften, sweepOldRefusals } from '../src/sections/refusals.js';
import { ROOM, readRoom } from '../src/sections/room.js';
import type { OperationsParts } from '../src/sections/section.js';
import { readSilence, SILENCE } from '../src/sections/silence.js';

// What operations read of the whole installation: written by receivers that tests start, or as rows where time must have passed.

let stack: Setup;
let parts: Parts & Pick<OperationsParts, 'config' | 'silence'>;

beforeAll(async () => {
  stack = await setUp();
  const config = readConfig(OperationsConfig, { ...stack.env, WATCH_CERTIFICATES: '/no/such/file' });
  const opened = await openParts(config, 'by-hand');
  parts = { ...opened, config, silence: () => readSilence(opened) };
});
afterAll(async () => {
  await parts.queues.close();
  await parts.store.close();
  await stack.close();
});
beforeEach(async () => {
  for (const table of ['copies', 'outages', 'refused_deliveries', 'minute_figures'])
    await stack.sql(`DELETE FROM ${table}`);
});

let receiver: Running | undefined;
afterEach(async () => {
  await receiver?.close();
  receiver = undefined;
});

/** Another receiver, whose last heartbeat, with what it has counted, comes when it is closed. */
async function startAnother(env = {}): Promise<(memo: string | Buffer) => Promise<Response>> {
  const running = await startReceiver(readConfig(ReceiverConfig, { ...stack.env, ...env }));
  receiver = running;
  const headers = { 'content-type': 'application/xml', accept: 'application/json' };
  return (body) => fetch(`${running.url}/sf1606/PostModtag`, { method: 'POST', headers, body });
}

async function closeIt(): Promise<void> {
  await receiver?.close();
  receiver = undefined;
}

const unknownRecipient = (messageUUID = randomUUID()) =>
  writeMemo(newMemo({ messageUUID, recipient: { id: '99999999' } }));

/** Counts of all minutes, by figure and label. */
async function counts(): Promise<Record<string, number>> {
  const rows = await stack.sql<{ key: string; count: number }>(
    `SELECT figure || ' ' || label AS key, sum(count)::int AS count FROM minute_figures GROUP BY 1`,
  );
  return Object.fromEntries(rows.map(({ key, count }) => [key, count]));
}

describe('figures by the minute', () => {
  it('equal what was delivered, by answer, and how long it took', async () => {
    const deliver = await startAnother();
    const memo = writeMemo(newMemo({}));
    for (const body of [memo, memo, writeMemo(newMemo({})), unknownRecipient(), 'hello', 'hello']) await deliver(body);
    await closeIt();
    expect(await counts()).toEqual({
      'receipt accepted': 2,
      'receipt duplicate': 1,
      'receipt not-our-recipient': 1,
      'receipt not-xml': 2,
    });
    const minutes = (await readMail(parts, 5)).filter(({ receipt }) => receipt);
    expect(minutes.reduce((sum, { answers }) => sum + (answers.accepted ?? 0), 0)).toBe(2);
    for (const { receipt } of minutes) {
      expect(receipt?.mean).toBeGreaterThan(0);
      expect(receipt?.longest).toBeGreaterThanOrEqual(receipt?.mean as number);
    }
    expect(await readLastReceipt(parts)).toBeInstanceOf(Date);
  });

  it('count nothing of a training municipality', async () => {
    const cvr = '44444444';
    await stack.sql(
      `INSERT INTO municipalities (cvr, name, is_training, training_since) VALUES ($1, 'Øvelse', true, now())`,
      [cvr],
    );
    const deliver = await startAnother();
    expect((await deliver(writeMemo(newMemo({ recipient: { id: cvr } })))).status).toBe(200);
    await closeIt();
    expect(await counts()).toEqual({});
  });

  it('have the first suggestion run of each message, and how long it waited', async () => {
    const journaler = await startJournaler(readConfig(JournalerConfig, stack.env));
    const deliver = await startAnother();
    await deliver(writeMemo(newMemo(replyTo(randomUUID()))));
    await vi.waitFor(async () => {
      expect(await stack.sql('SELECT FROM messages WHERE suggestion_run_at IS NULL')).toEqual([]);
    }, 20_000);
    await journaler.close();
    await closeIt();
    const [row] = await stack.sql(`SELECT longest FROM minute_figures WHERE figure = 'suggestion' AND label = 'none'`);
    expect(row?.longest).toBeGreaterThan(0);
  });

  it('that were not answered are sent again, and count once', async () => {
    const relay = await startRelay(stack.serviceUrl);
    const config = readConfig(OperationsConfig, { ...stack.env, DATABASE_URL: relay.url });
    const behind = await openParts(config, 'behind');
    try {
      const heartbeat = new Heartbeat(behind, ['receiver']);
      behind.tally.add('receipt', 'accepted', 1);
      relay.cutAfter('minute_figures');
      await expect(heartbeat.beat(true)).rejects.toThrow();
      await relay.restore();
      behind.tally.add('receipt', 'accepted', 3);
      await heartbeat.beat(true);
      await heartbeat.beat(true);
    } finally {
      await behind.queues.close();
      await behind.store.close();
      await relay.close();
    }
    const figures = await stack.sql(
      'SELECT sum(count)::int AS count, sum(seconds) AS seconds, max(longest) AS longest FROM minute_figures',
    );
    expect(figures).toEqual([{ count: 2, seconds: 4, longest: 3 }]);
  });
});

describe('outages', () => {
  /** As if the last that any receiver said was so many seconds ago. */
  const letTimePass = (seconds: number) =>
    stack.sql(
      `UPDATE copies SET able_at = able_at - make_interval(secs => $1), seen_at = seen_at - make_interval(secs => $1), started_at = started_at - make_interval(secs => $1)`,
      [seconds],
    );
  const receiverSays = async (isAble: boolean) => new Heartbeat(parts, ['receiver']).beat(isAble);

  it('a receiver that is killed and started again: between its last heartbeat and the next one', {
    tags: 'long',
  }, async () => {
    const killed = await startReceiverProcess(stack.env);
    await vi.waitFor(
      async () => expect(await stack.sql('SELECT FROM copies WHERE able_at IS NOT NULL')).toHaveLength(1),
      10_000,
    );
    process.kill(killed.pid, 'SIGKILL');
    const [{ at } = { at: new Date(0) }] = await stack.sql<{ at: Date }>('SELECT max(able_at) AS at FROM copies');
    const lastAble = at.getTime();
    await letTimePass(300);
    expect(await readOutages(parts, 10)).toEqual([{ from: new Date(lastAble - 300_000), until: null }]);
    expect((await readCopies(parts)).map(({ state }) => state)).toEqual(['lost']);

    await startAnother();
    await vi.waitFor(async () => expect(await stack.sql('SELECT FROM outages')).toHaveLength(1), 10_000);
    const [outage] = await readOutages(parts, 10);
    const { from, until } = outage as { from: Date; until: Date };
    expect(from).toEqual(new Date(lastAble - 300_000));
    expect(until.getTime() - from.getTime()).toBeGreaterThan(300_000);
    expect((await readCopies(parts)).map(({ state }) => state).toSorted()).toEqual(['replaced', 'running']);
    await closeIt();
    expect((await readCopies(parts)).map(({ state }) => state).toSorted()).toEqual(['replaced', 'stopped']);
  });

  it('while the database is away nothing is written; once it is back, the receiver writes the outage', {
    tags: 'long',
  }, async () => {
    const relay = await startRelay(stack.serviceUrl);
    await startAnother({ DATABASE_URL: relay.url });
    await vi.waitFor(
      async () => expect(await stack.sql('SELECT FROM copies WHERE able_at IS NOT NULL')).toHaveLength(1),
      10_000,
    );
    await relay.cut();
    await letTimePass(120);
    expect(await readOutages(parts, 10)).toEqual([{ from: expect.any(Date), until: null }]);
    await relay.restore();
    await vi.waitFor(async () => expect(await stack.sql('SELECT FROM outages')).toHaveLength(1), 25_000);
    await closeIt();
    await relay.close();
  });

  it('a receiver without content store is there, and able to store nothing', async () => {
    await receiverSays(true);
    await letTimePass(60);
    await receiverSays(false);
    expect(await stack.sql('SELECT FROM outages')).toEqual([]);
    expect(await readOutages(parts, 10)).toHaveLength(1);
    await receiverSays(true);
    expect(await readOutages(parts, 10)).toEqual([{ from: expect.any(Date), until: expect.any(Date) }]);
  });

  it('none while receipts are given, though a part does not answer in time', async () => {
    await receiverSays(true);
    await letTimePass(25);
    parts.tally.add('receipt', 'duplicate', 1);
    await receiverSays(false);
    await letTimePass(25);
    parts.tally.add('receipt', 'send-again', 1);
    await receiverSays(false);
    expect(await readOutages(parts, 10)).toEqual([]);
    await letTimePass(10);
    expect(await readOutages(parts, 10)).toEqual([{ from: expect.any(Date), until: null }]);
  });

  it('none while one of two receivers goes on, in half a minute, or of another service', async () => {
    await receiverSays(true);
    await letTimePass(25);
    await receiverSays(true);
    await letTimePass(60);
    await receiverSays(true); // writes the only one
    await stack.sql('DELETE FROM outages');
    await new Heartbeat(parts, ['journaler']).beat(true);
    await letTimePass(60);
    await new Heartbeat(parts, ['journaler']).beat(true);
    expect(await stack.sql('SELECT FROM outages')).toEqual([]);
  });

  it('of days is found by the receiver that comes then, although copies are removed after a day', async () => {
    await receiverSays(true);
    await receiverSays(false);
    await new Heartbeat(parts, ['archiver']).beat(true);
    await letTimePass(3 * 86_400);
    await sweepGoneCopies(parts);
    expect(await readCopies(parts)).toHaveLength(1);
    await receiverSays(true);
    await sweepGoneCopies(parts);
    expect(await stack.sql(`SELECT FROM outages WHERE until_at - from_at > interval '3 days'`)).toHaveLength(1);
    expect(await readCopies(parts)).toHaveLength(1);
  });
});

describe('refusals', () => {
  it('an id that is refused for the fifth time is a loop, until it is accepted', async () => {
    const deliver = await startAnother();
    const [messageUUID, other] = [randomUUID(), randomUUID()];
    for (let times = 0; times < 4; times += 1) await deliver(unknownRecipient(messageUUID));
    await deliver(unknownRecipient(other));
    await closeIt();
    expect(await readRefusedOften(parts, 5)).toEqual([]);
    await (await startAnother())(unknownRecipient(messageUUID));
    await closeIt();
    const [loop, ...more] = await readRefusedOften(parts, 5);
    expect([loop, more]).toMatchObject([{ externalId: messageUUID, count: 5, codes: ['not-our-recipient'] }, []]);

    await (await startAnother())(writeMemo(newMemo({ messageUUID })));
    await closeIt();
    expect(await readRefusedOften(parts, 5)).toEqual([]);
  });

  it('of which nothing came for two days is none any more, and its row is removed after 35', async () => {
    await stack.sql(`INSERT INTO refused_deliveries VALUES ('a', 'not-yet', 9, now() - interval '9 days', now() - interval '3 days'),
      ('b', 'not-yet', 9, now() - interval '50 days', now() - interval '36 days')`);
    expect(await readRefusedOften(parts, 5)).toEqual([]);
    await sweepOldRefusals(parts);
    expect(await stack.sql('SELECT external_id FROM refused_deliveries')).toEqual([{ external_id: 'a' }]);
  });

  it('are known by a hash where the id is no UUID, which may be personal', async () => {
    const deliver = await startAnother();
    await deliver(writeMemo(newMemo({ messageUUID: '4101019999', recipient: { id: '99999999' } })));
    await closeIt();
    expect(await stack.sql('SELECT external_id FROM refused_deliveries')).toEqual([
      { external_id: expect.stringMatching(/^sha256:/) },
    ]);
  });

  it('of callers that may not deliver are not counted', async () => {
    await startAnother();
    const headers = { 'content-type': 'application/xml', 'x-forwarded-for': '10.0.0.1' };
    await fetch(`${receiver?.url}/sf1606/PostModtag`, { method: 'POST', headers, body: unknownRecipient() });
    await closeIt();
    expect(await stack.sql('SELECT FROM refused_deliveries')).toEqual([]);
  });
});

describe('silence', () => {
  /** So many messages, the newest so many hours ago, with so many hours between them. */
  async function messagesCame({ municipality = ODENSKOV, count = 25, hoursAgo = 0, every = 10 }): Promise<void> {
    await stack.sql('DELETE FROM message_keys WHERE municipality = $1', [municipality]);
    await stack.sql(
      `INSERT INTO messages (id, municipality, channel, external_id, fingerprint, kind, contact_point_id, received_at, letter_at,
         transmission_id, document_count, file_count, content_size, remarks, status, status_at, status_by, next_enqueue_at)
       SELECT gen_random_uuid(), $1, 'sf1606', gen_random_uuid(), 'f', 'enquiry', $2, at, at, gen_random_uuid(), 1, 1, 1, '[]', 'pending', at, 'test', at
       FROM generate_series(0, $3 - 1) AS n, LATERAL (SELECT now() - make_interval(hours => $4 + n * $5) AS at) AS t`,
      [municipality, CONTACT_POINT, count, hoursAgo, every],
    );
  }
  beforeEach(() => stack.sql('TRUNCATE messages CASCADE'));

  const silent = async () =>
    (await readSilence(parts))
      .map(({ municipality, contactPointId }) => `${municipality} ${contactPointId}`)
      .toSorted();

  it('nothing for over twice the longest gap: the contact point, and the municipality that has no other', async () => {
    await messagesCame({ hoursAgo: 30, every: 14 });
    await messagesCame({ municipality: VESTERSUND, hoursAgo: 27, every: 14 });
    expect(await silent()).toEqual([`${ODENSKOV} ${CONTACT_POINT}`, `${ODENSKOV} null`]);
    const [one] = await readSilence(parts);
    expect(one).toMatchObject({ lastAt: expect.any(Date), longestGap: 14 * 3_600 });
  });

  it('less than a day is no silence, nor is any of one that gets less than 20 messages', async () => {
    await messagesCame({ hoursAgo: 23, every: 1 });
    expect(await silent()).toEqual([]);
    await stack.sql('TRUNCATE messages CASCADE');
    await messagesCame({ count: 19, hoursAgo: 200, every: 1 });
    expect(await silent()).toEqual([]);
  });

  it('nor of a contact point that is not active', async () => {
    await messagesCame({ hoursAgo: 300, every: 2 });
    await stack.sql('UPDATE contact_points SET is_active = false WHERE municipality = $1', [ODENSKOV]);
    expect(await silent()).toEqual([`${ODENSKOV} null`]);
    await stack.sql('UPDATE contact_points SET is_active = true');
  });
});

describe('room', () => {
  it('is full when what is left is taken at the pace of the last seven days', async () => {
    const free = (await parts.blobs.free()) ?? 0;
    const [{ bytes = 0 } = {}] = await stack.sql<{ bytes: number }>('SELECT database_size()::float8 AS bytes');
    await stack.sql(
      `INSERT INTO daily_sizes VALUES (current_date - 30, 'database', 1), (current_date - 5, 'content-free', $1), (current_date - 5, 'database', $2)
       ON CONFLICT DO NOTHING`,
      [Math.floor(free * 2), Math.floor(bytes / 2)],
    );
    const { content, database } = await readRoom(parts, bytes * 2);
    expect(content.fullInDays).toBeCloseTo(5, 0);
    expect(database.fullInDays).toBeCloseTo(10, 0);
    expect((await readRoom(parts, undefined)).database.fullInDays).toBeUndefined();
    await stack.sql(`UPDATE daily_sizes SET bytes = 1 WHERE day < current_date AND what = 'content-free'`);
    expect((await readRoom(parts, undefined)).content.fullInDays).toBeUndefined();
  });
});

describe('keys and certificates', () => {
  it('the current master key is known since it was first seen', async () => {
    await stack.sql('DELETE FROM master_keys');
    await noteMasterKeys(parts);
    await noteMasterKeys(parts);
    expect(await readMasterKeys(parts)).toEqual([
      { id: parts.keys.currentKeyId, state: 'current', firstAt: expect.any(Date) },
    ]);
  });

  it('a file that is no certificate has no days left', async () => {
    const file = join(stack.contentFolder, '..', 'no-certificate.pem');
    await writeFile(file, 'hello');
    expect(await readCertificates([file, '/no/such/file'])).toEqual([
      { file, daysLeft: undefined },
      { file: '/no/such/file', daysLeft: undefined },
    ]);
  });
});

it('each section is shown in both languages', async () => {
  await stack.sql(`INSERT INTO outages VALUES (now() - interval '2 days', now() - interval '1 day')`);
  await stack.sql(`INSERT INTO minute_figures VALUES (date_trunc('minute', now()), 'receipt', 'accepted', 2, 1, 0.7)`);
  for (const { show } of [CERTIFICATES, COPIES, KEYS, MAIL, OUTAGES, REFUSALS, ROOM, SILENCE]) {
    for (const language of ['da', 'en'] as const) {
      const { title, body } = await show(parts as OperationsParts, new Date(), language, formatIn(language));
      expect(title).not.toBe('');
      expect(body.text).toMatch(/<table>|<p>/);
      expect(body.text).not.toMatch(/undefined|NaN/);
    }
  }
});
