import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { DeliveryList, WebhookAnswer, WebhookList, WebhookSecret } from '@indbakke/shared/api';
import { CommonConfig, readConfig } from '@indbakke/shared/config';
import { openParts, type Parts, type Work } from '@indbakke/shared/service';
import { Webhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { askUntil } from '../../../infra/src/testkit/inbox-client.js';
import { ODENSKOV, startTestStack, type TestStack, VESTERSUND } from '../../../infra/src/testkit/stack.js';
import {
  auditOf,
  change,
  deliverMemo,
  expectProblem,
  SYSTEM,
  untilNumbered,
} from '../../../shared/test/inbox/support.js';
import { JournalerConfig } from '../src/config.js';
import { waitAfter } from '../src/webhooks/deliver-webhook.js';
import { sweepOldDeliveries } from '../src/webhooks/dispatch.js';
import { dispatch, openWebhooks } from '../src/webhooks/open-webhooks.js';
import { type Received, type Receiver, startReceiver } from './support/receiver.js';

let stack: TestStack;
let parts: Parts;
let receiver: Receiver;

beforeAll(async () => {
  stack = await startTestStack({ WEBHOOK_ALLOW: '127.0.0.0/8,localhost' });
  parts = await openParts(readConfig(CommonConfig, stack.env), 'by-hand');
});

beforeEach(async () => {
  receiver = await startReceiver();
});

afterEach(async () => {
  vi.useRealTimers();
  await stack.sql('DELETE FROM webhooks');
  await receiver.close();
});

afterAll(async () => {
  await parts.queues.close();
  await parts.store.close();
  await stack.close();
});

const call = (method: string, path: string, options: Parameters<TestStack['call']>[2] = {}) =>
  stack.call(method, `/webhooks${path}`, { as: SYSTEM, ...options });

async function create(body: object = {}): Promise<WebhookSecret> {
  const response = await call('POST', '', { body: { url: receiver.url, ...body } });
  expect(response.status, await response.clone().text()).toBe(200);
  return WebhookSecret.parse(await response.json());
}

async function read(id: string): Promise<WebhookAnswer> {
  const response = await call('GET', `/${id}`);
  expect(response.status).toBe(200);
  return WebhookAnswer.parse(await response.json());
}

async function deliveriesOf(id: string, query = ''): Promise<DeliveryList> {
  const response = await call('GET', `/${id}/deliveries?${query}`);
  expect(response.status, await response.clone().text()).toBe(200);
  return DeliveryList.parse(await response.json());
}

/** The only delivery of a webhook, once it is as it should be. */
async function deliveryOf(id: string, isSo: (delivery: DeliveryList['items'][number]) => boolean) {
  const [delivery] = await askUntil(
    async () => (await deliveriesOf(id)).items,
    ([first]) => first !== undefined && isSo(first),
  );
  expect(delivery && isSo(delivery), JSON.stringify(delivery)).toBe(true);
  return delivery as DeliveryList['items'][number];
}

const redeliver = (id: string, body: object) => call('POST', `/${id}/redeliveries`, { body });

/** What the receiver has got, once it is so many. */
const received = (count: number) =>
  askUntil(
    async () => [...receiver.received],
    ({ length }) => length >= count,
  );

/** As if the waits before the next attempts were over. */
async function makeDue(id: string): Promise<void> {
  await stack.sql(
    `UPDATE webhook_deliveries SET next_enqueue_at = now() WHERE webhook_id = $1 AND status = 'waiting' AND NOT is_taken`,
    [id],
  );
  await dispatch(parts);
}

describe('a webhook', () => {
  it('gets each event that follows, signed, as the feed has it', async () => {
    await deliverMemo(stack);
    await untilNumbered(stack); // or it would follow
    const { id, secret } = await create();
    const messageId = await deliverMemo(stack);
    await change(stack, 'POST', `${messageId}/rejection`, {
      body: { reason: 'unwanted', explanation: 'Ikke til os' },
      version: 1,
    });
    const all = await received(2);
    const response = await stack.call('GET', '/events?after=0&limit=1000', { as: SYSTEM });
    const { events } = (await response.json()) as { events: { id: string; messageId: string }[] };
    const expected = events.filter((event) => event.messageId === messageId);
    expect(all.map(({ event }) => event.data).toSorted((a, b) => Number(a.version) - Number(b.version))).toEqual(
      expected,
    );
    for (const { headers, body, event } of all) {
      expect(new Webhook(secret).verify(body, headers as Record<string, string>)).toEqual(event);
      expect(headers).toMatchObject({ 'webhook-id': event.data.id, 'content-type': 'application/json' });
      expect(event).toEqual({ type: event.data.type, timestamp: event.data.at, data: event.data });
      expect(headers['webhook-signature']).not.toContain(' ');
    }
    await deliveryOf(id, ({ status }) => status === 'delivered');
    expect(receiver.received).toHaveLength(2);
  });

  it('gets the types that it was registered for only', async () => {
    await create({ eventTypes: ['rejected', 'rejected'] });
    const messageId = await deliverMemo(stack);
    await change(stack, 'POST', `${messageId}/rejection`, {
      body: { reason: 'unwanted', explanation: 'Ikke til os' },
      version: 1,
    });
    const [first] = await received(1);
    expect(first?.event).toMatchObject({ type: 'rejected', data: { messageId } });
    const [webhook] = WebhookList.parse(await (await call('GET', '')).json()).items;
    expect(webhook).toMatchObject({
      url: receiver.url,
      eventTypes: ['rejected'],
      status: 'active',
      disabledCause: null,
    });
  });

  it('has nothing of another municipality, which has nothing of it', async () => {
    const { id } = await create();
    await deliverMemo(stack, { recipient: { id: VESTERSUND } });
    const messageId = await deliverMemo(stack);
    const [first] = await received(1);
    expect(first?.event.data.messageId).toBe(messageId);
    const { id: delivery } = await deliveryOf(id, ({ status }) => status === 'delivered');
    const as = { ...SYSTEM, municipality: VESTERSUND };
    for (const [method, path, body] of [
      ['GET', ''],
      ['PUT', '', { status: 'disabled' }],
      ['DELETE', ''],
      ['POST', '/secret'],
      ['GET', '/deliveries'],
      ['POST', '/redeliveries', { deliveryId: delivery }],
      ['POST', '/redeliveries', { since: '2020-01-01T00:00:00Z', until: '2099-01-01T00:00:00Z' }],
    ] as const) {
      await expectProblem(await call(method, `/${id}${path}`, { as, body }), 404, 'not-found');
    }
    expect(await (await call('GET', '', { as })).json()).toEqual({ items: [] });
    expect(await read(id)).toMatchObject({ status: 'active' });
  });

  it('answers its secret to whoever created it, and to nobody else: rows, jobs and the log have none', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const body = { url: `${receiver.url}?token=hemmelig` };
    const first = await (await call('POST', '', { body, headers })).json();
    const again = await call('POST', '', { body, headers });
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(await again.json()).toEqual(first);
    const { id, secret } = WebhookSecret.parse(first);
    expect(Buffer.from(secret.slice(6), 'base64')).toHaveLength(32);
    await deliverMemo(stack);
    await deliveryOf(id, ({ status }) => status === 'delivered');
    const bytes = Buffer.from(secret.slice(6), 'base64').toString('hex');
    for (const table of ['webhooks', 'webhook_deliveries', 'webhook_attempts', 'idempotency_keys', 'audit_events']) {
      const rows = JSON.stringify(await stack.sql(`SELECT t::text FROM ${table} t`));
      expect(rows).not.toContain(secret.slice(6));
      expect(rows).not.toContain(bytes);
      if (table !== 'webhooks') expect(rows).not.toContain('hemmelig');
    }
    const jobs = JSON.stringify(await stack.sql('SELECT j::text FROM bullmq.job j'));
    expect(jobs).toContain(id);
    for (const word of [secret.slice(6), 'hemmelig', receiver.url]) expect(jobs).not.toContain(word);
    expect(JSON.stringify(await read(id))).not.toContain(secret.slice(6));
  });

  it('has nothing personal in its rows, its jobs and what is sent', async () => {
    const { id } = await create();
    const personal = ['4101019999', 'Testesen', 'Hemmeligt', 'hemmelig.txt', 'Fritekst'];
    const messageId = await deliverMemo(stack, {
      subject: 'Hemmeligt emne',
      sender: { id: '4101019999', name: 'Test Testesen' },
      documents: [{ files: [{ name: 'hemmelig.txt', type: 'text/plain', content: Buffer.from('Hemmeligt') }] }],
    });
    receiver.answer((res) => res.writeHead(500).end('Hemmeligt om Test Testesen, 4101019999'));
    const rejection = { reason: 'other', explanation: 'Fritekst', outcome: { forwardedTo: { name: 'Fritekst' } } };
    await change(stack, 'POST', `${messageId}/rejection`, { body: rejection, version: 1 });
    await askUntil(
      async () => (await deliveriesOf(id)).items,
      (all) => all.filter(({ attempts }) => attempts.length > 0).length === 2,
    );
    const rows = [
      await stack.sql('SELECT t::text FROM webhook_deliveries t'),
      await stack.sql('SELECT t::text FROM webhook_attempts t'),
      await stack.sql(`SELECT j::text FROM bullmq.job j WHERE queue = 'deliver-webhook'`),
      receiver.received.map(({ headers, body }) => [headers, body]),
    ];
    const text = JSON.stringify(rows);
    expect(text).toContain(messageId);
    expect(personal.filter((one) => text.includes(one))).toEqual([]);
  });

  it.each([
    'ftp://core.example/',
    'https://bruger:kode@core.example/',
    'https://core.example/#hook',
    'https://[fe80::1%25eth0]/',
    'https://core.example:99999/',
    '/hook',
  ])('has a URL of another host, without secrets of a user: not %s', async (url) => {
    await expectProblem(await call('POST', '', { body: { url } }), 400, 'bad-request');
  });

  it('that is not there costs no statement when there are events', async () => {
    let statements = 0;
    let last: Promise<unknown> = Promise.resolve();
    const counted = <Call extends (...request: never[]) => Promise<unknown>>(method: Call) =>
      ((...request) => {
        statements += 1;
        last = method(...request);
        return last;
      }) as Call;
    const { store } = parts;
    const seen = { ...store, sweep: counted(store.sweep), sweepTogether: counted(store.sweepTogether) };
    const rest = async () => {
      for (let before: unknown; before !== last; ) {
        before = last;
        await last;
        await turn();
      }
    };
    const { hear, wake, sweeps } = openWebhooks({ ...parts, store: seen }, readConfig(JournalerConfig, stack.env));
    const [dispatcher] = sweeps as [Work['sweeps'][number]];
    const heard = () => {
      const before = statements;
      for (let n = 0; n < 10; n += 1) hear();
      return statements - before;
    };
    dispatcher.start();
    wake();
    await rest();
    expect(heard()).toBe(0);
    await create();
    wake();
    await rest();
    expect(heard()).toBe(1);
    await dispatcher.stop();
  });

  it('is one of at most 20, also when they are created at once', async () => {
    const body = { url: receiver.url };
    const answers = await Promise.all(Array.from({ length: 30 }, () => call('POST', '', { body })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(20);
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(10);
  });

  it('is in the log when it is created, changed and deleted, without its URL', async () => {
    const { id } = await create();
    await call('PUT', `/${id}`, { body: { url: `${receiver.url}2`, eventTypes: ['held'] } });
    await call('POST', `/${id}/secret`);
    await call('POST', `/${id}/redeliveries`, {
      body: { since: '2020-01-01T00:00:00Z', until: '2020-01-02T00:00:00Z' },
    });
    await call('DELETE', `/${id}`);
    const rows = await stack.sql<{ action: string; details: object }>(
      `SELECT action, details FROM audit_events WHERE details->>'webhookId' = $1 ORDER BY at, id`,
      [id],
    );
    expect(rows.map(({ action, details }) => [action, details])).toEqual([
      ['webhook-created', { webhookId: id }],
      ['webhook-changed', { webhookId: id, fields: 'url eventTypes' }],
      ['webhook-secret-made', { webhookId: id }],
      [
        'webhook-redelivered',
        { webhookId: id, since: '2020-01-01T00:00:00.000Z', until: '2020-01-02T00:00:00.000Z', deliveries: 0 },
      ],
      ['webhook-deleted', { webhookId: id }],
    ]);
  });

  it('that is changed sends what follows elsewhere', async () => {
    const other = await startReceiver();
    const { id } = await create();
    expect((await call('PUT', `/${id}`, { body: {} })).status).toBe(204);
    expect((await call('PUT', `/${id}`, { body: { url: other.url } })).status).toBe(204);
    await deliverMemo(stack);
    await deliveryOf(id, ({ status }) => status === 'delivered');
    expect([receiver.received.length, other.received.length]).toEqual([0, 1]);
    await other.close();
  });

  it('that is deleted while an attempt is in flight sends nothing more', async () => {
    const { id } = await create();
    const deleted = new Promise<void>((resolve) => {
      receiver.answer(async (res) => {
        await call('DELETE', `/${id}`);
        res.writeHead(500).end();
        resolve();
      });
    });
    await deliverMemo(stack);
    await deleted;
    await expectProblem(await call('GET', `/${id}`), 404, 'not-found');
    expect(await stack.sql('SELECT FROM webhook_deliveries UNION ALL SELECT FROM webhook_attempts')).toEqual([]);
    expect(receiver.received).toHaveLength(1);
    await expect
      .poll(async () => (await fetch(`${stack.url}/metrics`)).text())
      .toContain('indbakke_webhooks{state="working"} 0');
  });
});

describe('a delivery', () => {
  it('that fails is tried again with the same webhook-id and body, and another signature, until it succeeds', async () => {
    const { id, secret } = await create();
    receiver.answer(503);
    await deliverMemo(stack);
    const waiting = await deliveryOf(id, ({ attempts }) => attempts.length === 1);
    expect(waiting).toMatchObject({ status: 'waiting', attempts: [{ status: 503, error: null, answerSize: 0 }] });
    const wait = Date.parse(waiting.nextAttemptAt as string) - Date.parse(waiting.attempts[0]?.at as string);
    expect(wait).toBeGreaterThan(3_900);
    expect((await read(id)).failingSince).toBe(waiting.attempts[0]?.at);
    await stack.sql(`UPDATE webhook_attempts SET at = at - interval '1 hour'`); // not what tells when it is due
    receiver.answer((res) => res.end('ok'));
    await makeDue(id);
    const delivered = await deliveryOf(id, ({ status }) => status === 'delivered');
    expect(delivered).toMatchObject({
      nextAttemptAt: null,
      attempts: [{ status: 200, answerSize: 2 }, { status: 503 }],
    });
    const [first, second] = receiver.received;
    expect(second).toMatchObject({ id: first?.id, body: first?.body });
    new Webhook(secret).verify(second?.body as string, second?.headers as Record<string, string>);
    expect((await read(id)).failingSince).toBeNull();
  });

  it('waits longer after each attempt, and at most 6 hours, a fifth more or less', () => {
    const waits = Array.from({ length: 9 }, (_, n) => waitAfter(n + 1, () => 0.5));
    expect(waits).toEqual([5, 20, 80, 320, 1_280, 5_120, 20_480, 21_600, 21_600]);
    expect(waitAfter(2, () => 0)).toBeCloseTo(16);
    expect(waitAfter(2, () => 1)).toBeCloseTo(24);
  });

  it('waits longer also where the clock of the process is an hour behind the database’s', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 3_600_000 });
    receiver.answer(500);
    const { id } = await create();
    await deliverMemo(stack);
    await deliveryOf(id, ({ attempts }) => attempts.length === 1);
    await makeDue(id);
    await deliveryOf(id, ({ attempts }) => attempts.length === 2);
    const [{ wait } = { wait: 0 }] = await stack.sql<{ wait: number }>(
      `SELECT extract(epoch FROM next_enqueue_at - now())::float8 AS wait FROM webhook_deliveries WHERE webhook_id = $1`,
      [id],
    );
    expect(wait).toBeGreaterThan(10);
  });

  it('is tried for three days: the last time at their end, and then never', async () => {
    const { id } = await create();
    receiver.answer(500);
    await deliverMemo(stack);
    await deliveryOf(id, ({ attempts }) => attempts.length === 1);
    const [row] = await stack.sql<{ days: number }>(
      `UPDATE webhook_deliveries SET give_up_at = now() + interval '1 second', attempts = 5, next_enqueue_at = now()
       RETURNING extract(epoch FROM give_up_at - created_at)::float8 / 86400 AS days`,
    );
    const last = await deliveryOf(id, ({ status }) => status === 'failed');
    expect(last.attempts.length).toBeGreaterThanOrEqual(2);
    expect(last.nextAttemptAt).toBeNull();
    expect(row?.days).toBeLessThan(1);
    const [{ give_up_at: limit } = {}] = await stack.sql<{ give_up_at: Date }>(
      'SELECT give_up_at FROM webhook_deliveries',
    );
    const late = Date.parse(last.attempts[0]?.at as string) - (limit as Date).getTime();
    expect(late).toBeGreaterThanOrEqual(-1_000);
    expect(late).toBeLessThan(12_000); // not after the wait of a second attempt, 16 to 24 s
  });

  it('that is sent again waits as if it were new', async () => {
    const { id } = await create();
    await deliverMemo(stack);
    const { id: deliveryId } = await deliveryOf(id, ({ status }) => status === 'delivered');
    await stack.sql(
      `INSERT INTO webhook_attempts (webhook_id, delivery_id, number, municipality, at, milliseconds)
       SELECT webhook_id, id, n, municipality, now() - interval '4 days', 1 FROM webhook_deliveries, generate_series(2, 20) n`,
    );
    await stack.sql('UPDATE webhook_deliveries SET attempts = 20');
    receiver.answer(503);
    await redeliver(id, { deliveryId });
    const { attempts, nextAttemptAt } = await deliveryOf(id, (one) => one.attempts[0]?.status === 503);
    expect(Date.parse(nextAttemptAt as string) - Date.parse(attempts[0]?.at as string)).toBeLessThan(60_000);
  });

  it('is given three days when it is made', async () => {
    const { id } = await create();
    await deliverMemo(stack);
    await deliveryOf(id, ({ status }) => status === 'delivered');
    const rows = await stack.sql(`SELECT (give_up_at - created_at)::text AS tried FROM webhook_deliveries`);
    expect(rows).toEqual([{ tried: '3 days' }]);
  });

  it('is in a list, page by page and by status', async () => {
    const { id } = await create({ eventTypes: ['accepted'] });
    receiver.answer((res, { event }) => res.writeHead(event.data.position === bad ? 500 : 204).end());
    let bad: unknown;
    for (let n = 0; n < 3; n += 1) await deliverMemo(stack);
    await askUntil(
      async () => (await deliveriesOf(id, 'status=delivered')).items.length,
      (count) => count === 3,
    );
    bad = Number((await read(id)).position) + 1;
    await deliverMemo(stack);
    await askUntil(
      async () => (await deliveriesOf(id, 'status=waiting')).items,
      ([waiting]) => waiting?.attempts.length === 1,
    );
    const all = (await deliveriesOf(id)).items;
    expect(all).toHaveLength(4);
    expect((await deliveriesOf(id, 'status=waiting')).items).toEqual([all[0]]);
    const pages: unknown[] = [];
    let cursor: string | null = '';
    do {
      const page: DeliveryList = await deliveriesOf(id, `limit=2${cursor && `&cursor=${cursor}`}`);
      pages.push(...page.items);
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(pages).toEqual(all);
    const { nextCursor } = await deliveriesOf(id, 'limit=2');
    await expectProblem(await call('GET', `/${id}/deliveries?status=failed&cursor=${nextCursor}`), 400, 'bad-request');
  });

  it('is removed days after its last attempt, with its attempts', async () => {
    const { id } = await create();
    await deliverMemo(stack);
    await deliveryOf(id, ({ status }) => status === 'delivered');
    const afterDays = (days: number) => new Date(Date.now() + days * 86_400_000);
    await sweepOldDeliveries(parts, 30, afterDays(32));
    expect((await deliveriesOf(id)).items).toHaveLength(1);
    await sweepOldDeliveries(parts, 30, afterDays(34));
    expect((await deliveriesOf(id)).items).toEqual([]);
    expect(await stack.sql('SELECT FROM webhook_attempts')).toEqual([]);
  });

  it('that waits for a disabled webhook stays for as long', async () => {
    const { id } = await create();
    receiver.answer(410);
    await deliverMemo(stack);
    const waiting = await deliveryOf(id, ({ attempts }) => attempts.length === 1);
    expect(waiting).toMatchObject({ status: 'waiting', nextAttemptAt: null });
    await sweepOldDeliveries(parts, 30, new Date(Date.now() + 400 * 86_400_000));
    receiver.answer(204);
    await call('PUT', `/${id}`, { body: { status: 'active' } });
    await deliveryOf(id, ({ status }) => status === 'delivered');
  });
});

describe('a webhook that fails', () => {
  it.each([410])(
    'with %s is disabled at once, with an alarm, and goes on where it stopped when it is enabled',
    async (status) => {
      const { id } = await create();
      receiver.answer(status);
      await deliverMemo(stack);
      await askUntil(
        () => read(id),
        (webhook) => webhook.status === 'disabled',
      );
      expect(await read(id)).toMatchObject({ status: 'disabled', disabledCause: 'gone' });
      expect((await auditOf(stack, { action: 'webhook-disabled' })).at(-1)).toMatchObject({
        actor: 'indbakke',
        details: { webhookId: id, cause: 'gone' },
      });
      const metrics = await (await fetch(`${stack.url}/metrics`)).text();
      expect(metrics).toContain('indbakke_webhooks{state="gone"} 1');
      receiver.answer(204);
      await makeDue(id);
      const missed = await deliverMemo(stack);
      expect((await call('PUT', `/${id}`, { body: { status: 'active' } })).status).toBe(204);
      await askUntil(
        async () => (await deliveriesOf(id, 'status=delivered')).items.length,
        (count) => count === 2,
      );
      expect(receiver.received).toHaveLength(3);
      expect(receiver.received.some(({ event }) => event.data.messageId === missed)).toBe(true);
      expect(await read(id)).toMatchObject({ status: 'active', disabledCause: null });
    },
  );

  it('for five days is disabled; not before, and not soon after it was enabled', async () => {
    const { id } = await create();
    receiver.answer(500);
    await deliverMemo(stack);
    await deliveryOf(id, ({ attempts }) => attempts.length === 1);
    const failFor = async (days: number, enabled: number) => {
      await stack.sql(
        `UPDATE webhooks SET failing_since = now() - make_interval(days => $2, mins => 1), enabled_at = now() - make_interval(days => $3)
         WHERE id = $1`,
        [id, days, enabled],
      );
      const { attempts: before } = await deliveryOf(id, () => true);
      await makeDue(id);
      await deliveryOf(id, ({ attempts }) => attempts.length > before.length);
      return (await read(id)).disabledCause;
    };
    expect(await failFor(4, 30)).toBeNull();
    expect(await failFor(6, 1)).toBeNull();
    expect(await failFor(5, 30)).toBe('failing');
    expect((await auditOf(stack, { action: 'webhook-disabled' })).at(-1)?.details).toEqual({
      webhookId: id,
      cause: 'failing',
    });
  });

  it('tells since when and until when, once it works again, and sends at once what waits', async () => {
    const { id } = await create({ eventTypes: ['accepted'] });
    receiver.answer(500);
    await deliverMemo(stack);
    await deliverMemo(stack);
    await askUntil(
      async () => (await deliveriesOf(id)).items,
      (all) => all.filter(({ attempts }) => attempts.length > 0).length === 2,
    );
    const since = new Date(Date.now() - 6 * 60_000).toISOString();
    await stack.sql('UPDATE webhooks SET failing_since = $1', [since]);
    await stack.sql(`UPDATE webhook_deliveries SET next_enqueue_at = now() + interval '1 day', is_taken = false`);
    receiver.answer(204);
    await stack.sql(
      `UPDATE webhook_deliveries SET next_enqueue_at = now() WHERE id = (SELECT id FROM webhook_deliveries ORDER BY created_at, id LIMIT 1)`,
    );
    await askUntil(
      async () => (await deliveriesOf(id, 'status=delivered')).items.length,
      (count) => count === 3,
    );
    const { items } = await deliveriesOf(id);
    const recovered = items.find(({ event }) => event.type === 'recovered');
    const { until } = (recovered as NonNullable<typeof recovered>).event.data as { since: string; until: string };
    expect(recovered).toMatchObject({ status: 'delivered', event: { data: { since, until } } });
    const firstSuccess = items.flatMap(({ attempts }) =>
      attempts.filter(({ status }) => status === 204).map(({ at }) => at),
    );
    expect(until).toBe(firstSuccess.toSorted()[0]);
    expect(receiver.received.at(-1)?.event.type ?? '').toMatch(/recovered|accepted/);
    expect((await read(id)).failingSince).toBeNull();
  });

  it('for less than five minutes tells nothing', async () => {
    const { id } = await create();
    receiver.answer(500);
    await deliverMemo(stack);
    await deliveryOf(id, ({ attempts }) => attempts.length === 1);
    receiver.answer(204);
    await stack.sql(`UPDATE webhooks SET failing_since = now() - interval '4 minutes'`);
    await makeDue(id);
    await deliveryOf(id, ({ status }) => status === 'delivered');
    expect((await deliveriesOf(id)).items).toHaveLength(1);
  });

  it('for more than five minutes is asked by one delivery at a time', async () => {
    const { id } = await create();
    receiver.answer(500);
    await deliverMemo(stack);
    await deliveryOf(id, ({ attempts }) => attempts.length === 1);
    await stack.sql(`UPDATE webhooks SET failing_since = now() - interval '1 hour'`);
    let [open, most] = [0, 0];
    receiver.answer((res) => {
      open += 1;
      most = Math.max(most, open);
      setImmediate(() => {
        open -= 1;
        res.writeHead(500).end();
      });
    });
    for (let n = 0; n < 5; n += 1) await deliverMemo(stack);
    await makeDue(id);
    await askUntil(
      async () => (await deliveriesOf(id)).items,
      (all) => all.length === 6 && all.every(({ attempts }) => attempts.length > 0),
    );
    expect(most).toBe(1);
  });

  it('and is slow leaves room for others: of one at most 8 are sent at a time', { tags: 'long' }, async () => {
    const slow: WebhookSecret[] = [];
    for (let n = 0; n < 20; n += 1) slow.push(await create({ eventTypes: ['accepted'] }));
    const held: (() => void)[] = [];
    receiver.answer((res) => void held.push(() => res.writeHead(204).end()));
    for (let n = 0; n < 12; n += 1) await deliverMemo(stack);
    await received(20 * 8);
    const other = await startReceiver();
    const as = { ...SYSTEM, municipality: VESTERSUND };
    await call('POST', '', { as, body: { url: other.url } });
    await deliverMemo(stack, { recipient: { id: VESTERSUND } });
    await askUntil(
      async () => other.received.length,
      (count) => count === 1,
    );
    expect(receiver.received).toHaveLength(20 * 8);
    receiver.answer(204);
    for (const answer of held) answer();
    await received(20 * 12);
    for (const { id } of slow) {
      await askUntil(
        async () => (await deliveriesOf(id, 'status=delivered')).items,
        (all) => all.length === 12,
      );
    }
    await other.close();
  });

  it('goes on when the queue has lost all its jobs', { tags: 'long' }, async () => {
    const { id } = await create({ eventTypes: ['accepted'] });
    receiver.answer(500);
    for (let n = 0; n < 9; n += 1) await deliverMemo(stack);
    await askUntil(
      async () => (await deliveriesOf(id)).items,
      (all) => all.length === 9 && all.every(({ attempts }) => attempts.length > 0),
    );
    receiver.answer(204);
    const past = await stack.sql(
      `UPDATE webhook_deliveries SET is_taken = true, next_enqueue_at = now() - interval '1 second' WHERE webhook_id = $1 RETURNING 1`,
      [id],
    );
    expect(past).toHaveLength(9);
    await askUntil(
      async () => (await deliveriesOf(id, 'status=delivered')).items,
      (all) => all.length === 9,
    );
  });

  it('and gave up is told of a time whose redelivery has all that was given up', async () => {
    const { id } = await create({ eventTypes: ['accepted'] });
    receiver.answer(500);
    await deliverMemo(stack);
    const first = await deliveryOf(id, ({ attempts }) => attempts.length === 1);
    await stack.sql(`UPDATE webhook_deliveries SET status = 'failed'`);
    await stack.sql(`UPDATE webhooks SET failing_since = failing_since - interval '6 minutes'`);
    // An event is always made before the first attempt that fails; this one clearly so.
    const madeAt = new Date(Date.parse(first.event.timestamp) - 7 * 60_000).toISOString();
    await stack.sql(`UPDATE events SET at = $2 WHERE id = $1`, [first.id, madeAt]);
    await stack.sql(`UPDATE webhook_deliveries SET body = jsonb_set(body::jsonb, '{timestamp}', to_jsonb($1::text))`, [
      madeAt,
    ]);
    receiver.answer(204);
    await deliverMemo(stack);
    const { event } = (await received(3)).find((one) => one.event.type === 'recovered') as Received;
    expect(event.data).toMatchObject({ since: madeAt });
    expect(await (await redeliver(id, event.data)).json()).toMatchObject({ next: null });
    await askUntil(
      () => stack.sql<{ status: string }>('SELECT status FROM webhook_deliveries WHERE id = $1', [first.id]),
      ([delivery]) => delivery?.status === 'delivered',
    );
  });
});

const PYTHON = '/usr/bin/python3';
if (!existsSync(PYTHON)) process.stdout.write(`Skipped: the verifier of webhooks requires ${PYTHON}.\n`);

describe.skipIf(!existsSync(PYTHON))('a receiver in Python', () => {
  const VERIFIER = fileURLToPath(new URL('../../../docs/examples/verify_webhook.py', import.meta.url));

  /** @returns why it is refused; nothing when it is taken */
  const refusalOf = (secret: string, { headers, body }: Pick<Received, 'headers' | 'body'>) =>
    new Promise<string>((resolve) => {
      const args = ['id', 'timestamp', 'signature'].map((name) => String(headers[`webhook-${name}`]));
      const python = execFile(PYTHON, [VERIFIER, ...args], { env: { WEBHOOK_SECRET: secret } }, (_error, _out, fault) =>
        resolve(fault.trim()),
      );
      python.stdin?.end(body);
    });

  it('verifies what it gets, by either secret, and refuses what was changed or is old', async () => {
    const { id, secret: old } = await create();
    const { secret } = WebhookSecret.parse(await (await call('POST', `/${id}/secret`)).json());
    await deliverMemo(stack);
    const [webhook] = (await received(1)) as [Received];
    const at = Number(webhook.headers['webhook-timestamp']);
    const sign = (timestamp: number) => new Webhook(secret).sign(webhook.id, new Date(timestamp * 1_000), webhook.body);
    const changed = (headers: object, body = webhook.body) => ({ headers: { ...webhook.headers, ...headers }, body });
    const dated = (timestamp: number) =>
      changed({ 'webhook-timestamp': String(timestamp), 'webhook-signature': sign(timestamp) });
    expect(
      await Promise.all([
        refusalOf(secret, webhook),
        refusalOf(old, webhook),
        refusalOf(secret, dated(at)),
        refusalOf(`whsec_${Buffer.alloc(32).toString('base64')}`, webhook),
        refusalOf(secret, changed({}, `${webhook.body} `)),
        refusalOf(secret, changed({ 'webhook-id': randomUUID() })),
        refusalOf(secret, changed({ 'webhook-timestamp': String(at - 1) })),
        refusalOf(secret, dated(at - 600)),
        refusalOf(secret, dated(at + 600)),
        refusalOf(secret, changed({ 'webhook-timestamp': 'now' })),
      ]),
    ).toEqual([
      '',
      '',
      '',
      ...Array.from({ length: 4 }, () => 'No signature fits.'),
      ...Array.from({ length: 3 }, () => 'The timestamp is too far from now.'),
    ]);
  });
});

describe('a new secret', () => {
  it('signs together with the one before for 24 hours', async () => {
    const { id, secret: old } = await create();
    const headers = { 'idempotency-key': randomUUID() };
    const made = WebhookSecret.parse(await (await call('POST', `/${id}/secret`, { headers })).json());
    expect(WebhookSecret.parse(await (await call('POST', `/${id}/secret`, { headers })).json())).toEqual(made);
    expect(made.secret).not.toBe(old);
    const left = Date.parse((await read(id)).previousSecretUntil as string) - Date.now();
    expect(Math.round(left / 3_600_000)).toBe(24);
    await deliverMemo(stack);
    const [both] = await received(1);
    for (const secret of [old, made.secret]) {
      new Webhook(secret).verify(both?.body as string, both?.headers as Record<string, string>);
    }
    expect(String(both?.headers['webhook-signature']).split(' ')).toHaveLength(2);
    await stack.sql(`UPDATE webhooks SET previous_secret_until = now() - interval '1 second'`);
    await deliverMemo(stack);
    const [, one] = await received(2);
    new Webhook(made.secret).verify(one?.body as string, one?.headers as Record<string, string>);
    expect(() => new Webhook(old).verify(one?.body as string, one?.headers as Record<string, string>)).toThrow();
    expect((await read(id)).previousSecretUntil).toBeNull();
  });
});

it('a repeat of the call that made a secret is answered that one, and none that was made since', async () => {
  const body = { url: receiver.url };
  const headers = { 'idempotency-key': randomUUID() };
  const first = WebhookSecret.parse(await (await call('POST', '', { body, headers })).json());
  await call('POST', `/${first.id}/secret`);
  expect(await (await call('POST', '', { body, headers })).json()).toEqual(first);
  const others = { 'idempotency-key': randomUUID() };
  const second = await (await call('POST', `/${first.id}/secret`, { headers: others })).json();
  await call('POST', `/${first.id}/secret`);
  expect(await (await call('POST', `/${first.id}/secret`, { headers: others })).json()).toEqual(second);
});

describe('a redelivery', () => {
  it('sends one again, with the same webhook-id', async () => {
    const { id } = await create();
    await deliverMemo(stack);
    const { id: deliveryId } = await deliveryOf(id, ({ status }) => status === 'delivered');
    expect(await (await redeliver(id, { deliveryId })).json()).toEqual({ deliveries: 1, next: null });
    const [first, second] = await received(2);
    expect(second).toMatchObject({ id: deliveryId, body: first?.body });
    const again = await deliveryOf(id, ({ attempts }) => attempts.length === 2);
    expect(again.status).toBe('delivered');
    await expectProblem(await redeliver(id, { deliveryId: randomUUID() }), 404, 'not-found');
  });

  it('sends the events of a time again, those of its types, whether or not they had a delivery', async () => {
    const before = await deliverMemo(stack);
    const missed = await deliverMemo(stack);
    await change(stack, 'POST', `${missed}/rejection`, {
      body: { reason: 'unwanted', explanation: 'Ikke til os' },
      version: 1,
    });
    await untilNumbered(stack);
    const { id } = await create({ eventTypes: ['accepted'] });
    const sent = await deliverMemo(stack);
    await deliveryOf(id, ({ status }) => status === 'delivered');
    const at = async (messageId: string) => {
      const [event] = await stack.sql<{ at: Date }>(`SELECT at FROM events WHERE message_id = $1 AND version = 1`, [
        messageId,
      ]);
      return event?.at as Date;
    };
    const since = await at(missed);
    const until = new Date((await at(sent)).getTime() + 1);
    expect(since.getTime()).toBeGreaterThan((await at(before)).getTime());
    expect(await (await redeliver(id, { since, until })).json()).toEqual({ deliveries: 2, next: null });
    const all = await received(3);
    const ids = all.map(({ event }) => event.data.messageId);
    expect(ids.toSorted()).toEqual([missed, sent, sent].toSorted());
    expect(all.every(({ id: webhookId, event }) => webhookId === event.data.id)).toBe(true);
    expect(await (await redeliver(id, { since: until, until: '2099-01-01T00:00:00Z' })).json()).toMatchObject({
      deliveries: 0,
    });
  });

  it.each([
    {},
    { since: '2026-01-01T00:00:00Z' },
    { since: '2026-01-02T00:00:00Z', until: '2026-01-01T00:00:00Z' },
    { deliveryId: '0197a3b0-0000-7000-8000-000000000005', since: '2026-01-01T00:00:00Z' },
    { after: 5 },
  ])('takes either one delivery or a time: not %j', async (body) => {
    const { id } = await create();
    await expectProblem(await redeliver(id, body), 400, 'bad-request');
  });

  it('of more than 10000 events goes on where the first call ended', async () => {
    const { id } = await create({ status: undefined });
    await call('PUT', `/${id}`, { body: { status: 'disabled' } });
    const municipality = ODENSKOV;
    const [head] = await stack.sql<{ position: string }>(
      'SELECT event_position AS position FROM feed_heads WHERE municipality = $1',
      [municipality],
    );
    const from = Number(head?.position);
    await stack.sql(
      `INSERT INTO events (id, municipality, message_id, type, status, version, at, position)
       SELECT gen_random_uuid(), $1, gen_random_uuid(), 'accepted', 'pending', 1, '2021-01-01', $2 + n FROM generate_series(1, 10002) n`,
      [municipality, from],
    );
    await stack.sql('UPDATE feed_heads SET event_position = $2 WHERE municipality = $1', [municipality, from + 10_002]);
    await stack.sql('UPDATE webhooks SET position = $1', [from + 10_001]);
    const time = { since: '2021-01-01T00:00:00Z', until: '2021-01-02T00:00:00Z' };
    expect(await (await redeliver(id, time)).json()).toEqual({ deliveries: 10_000, next: from + 10_000 });
    expect(await (await redeliver(id, { ...time, after: from + 10_000 })).json()).toEqual({
      deliveries: 1,
      next: null,
    });
    await stack.sql(`DELETE FROM events WHERE at = '2021-01-01'`);
  });
});
