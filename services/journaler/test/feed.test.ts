import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { EventList } from '@indbakke/shared/api';
import { DAY, readConfig } from '@indbakke/shared/config';
import { loadKeyRing } from '@indbakke/shared/keys';
import { type CreateService, serve } from '@indbakke/shared/service';
import { type Listener, openStore, type Store } from '@indbakke/shared/store';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { allServices, StackConfig } from '../../../infra/src/local/services.js';
import { deliver } from '../../../infra/src/testkit/deliver.js';
import { askUntil, DELETION } from '../../../infra/src/testkit/inbox-client.js';
import { HAS_PGBOUNCER, startPgBouncer } from '../../../infra/src/testkit/pgbouncer.js';
import {
  CASEWORKER_ROLES,
  ODENSKOV,
  type Setup,
  setUp,
  startTestStack,
  type TestStack,
  type TokenOptions,
  VESTERSUND,
} from '../../../infra/src/testkit/stack.js';
import { watchStatements } from '../../../infra/src/testkit/watched-store.js';
import { writeMemo } from '../../../infra/src/testkit/write-memo.js';
import {
  change,
  deliverMemo,
  expectProblem,
  SYSTEM,
  untilNumbered,
  upsertCase,
} from '../../../shared/test/inbox/support.js';
import { Feed } from '../src/feed/feed.js';
import { FEED_CHANNEL, numberChanges } from '../src/feed/number-changes.js';
import { sweepOldEvents } from '../src/feed/sweep-old-events.js';

type Answer = z.infer<typeof EventList>;

const LONG = 60;
const NEVER = new AbortController().signal;

describe('GET /api/v1/events', () => {
  let stack: TestStack;

  beforeAll(async () => {
    stack = await startTestStack();
  });
  afterAll(() => stack.close());

  const get = (query: string, municipality = ODENSKOV) =>
    stack.call('GET', `/events?${query}`, { as: { ...SYSTEM, municipality } });

  async function events(query: string, municipality?: string): Promise<Answer> {
    const response = await get(query, municipality);
    expect(response.status, await response.clone().text()).toBe(200);
    return EventList.strict().parse(await response.json());
  }

  const latest = async () => (await events('after=latest')).head;

  it('begins at the newest position, without events', async () => {
    await deliverMemo(stack);
    await untilNumbered(stack);
    const { head } = await events('after=0');
    expect(head).toBeGreaterThan(0);
    for (const query of ['after=latest', '']) expect(await events(query)).toEqual({ events: [], next: head, head });
  });

  it('answers each change once, in order, with ids and codes', async () => {
    const before = await latest();
    const id = await deliverMemo(stack);
    await stack.call('PUT', `/incoming-documents/${id}/assignment`, {
      body: { assignee: { kind: 'user', id: 'anna' } },
      version: 1,
    });
    await change(stack, 'POST', `${id}/rejection`, {
      body: { reason: 'unwanted', explanation: 'Ikke til os' },
      version: 2,
    });
    await untilNumbered(stack);
    const { events: found, next, head } = await events(`after=${before}`);
    expect(found.map(({ id: _, at: __, ...event }) => event)).toEqual([
      expect.objectContaining({ position: before + 1, type: 'accepted', messageId: id, status: 'pending', version: 1 }),
      {
        position: before + 2,
        type: 'assigned',
        messageId: id,
        status: 'pending',
        version: 2,
        details: { assigneeKind: 'user', assigneeId: 'anna' },
      },
      expect.objectContaining({
        position: before + 3,
        type: 'rejected',
        messageId: id,
        status: 'rejected',
        version: 3,
      }),
    ]);
    expect([next, head]).toEqual([before + 3, before + 3]);
    expect(await events(`after=${before}&limit=2`)).toEqual({ events: found.slice(0, 2), next: before + 2, head });
    expect(await events(`after=${before + 2}&wait=${LONG}`)).toEqual({ events: found.slice(2), next, head });
    expect(await events(`after=${next}`)).toEqual({ events: [], next, head });
  });

  it('waits for the next change, and answers it at once', async () => {
    const before = await latest();
    const waiting = events(`after=${before}&wait=${LONG}`);
    const id = await deliverMemo(stack);
    expect(await waiting).toMatchObject({ events: [{ position: before + 1, type: 'accepted', messageId: id }] });
  });

  it('has no events when the time is over', async () => {
    const before = await latest();
    expect(await events(`after=${before}&wait=1`)).toEqual({ events: [], next: before, head: before });
  });

  it('has nothing of another municipality', async () => {
    const before = await latest();
    const id = await deliverMemo(stack, { recipient: { id: VESTERSUND } });
    await untilNumbered(stack);
    expect(await latest()).toBe(before);
    const theirs = await events('after=0', VESTERSUND);
    expect(theirs.events.map(({ messageId }) => messageId)).toEqual([id]);
  });

  it('has nothing personal', async () => {
    const before = await latest();
    const personal = ['4101019999', 'Test Testesen', 'Hemmeligt emne', 'hemmelig.txt', 'Fritekst'];
    const id = await deliverMemo(stack, {
      subject: 'Hemmeligt emne',
      sender: { id: '4101019999', name: 'Test Testesen' },
      documents: [{ files: [{ name: 'hemmelig.txt', type: 'text/plain', content: Buffer.from('Indhold') }] }],
    });
    const rejection = { reason: 'other', explanation: 'Fritekst', outcome: { forwardedTo: { name: 'Fritekst' } } };
    await change(stack, 'POST', `${id}/rejection`, { body: rejection, version: 1 });
    await change(stack, 'POST', `${id}/deletion`, { version: 2, body: DELETION });
    await untilNumbered(stack);
    const response = await get(`after=${before}`);
    const text = await response.text();
    expect(text).toContain('deleted');
    expect(personal.filter((one) => text.includes(one))).toEqual([]);
  });

  it('is for the core and for those who read the inbox', async () => {
    const response = await stack.call('GET', '/events?after=0', { as: { roles: ['Indbakke.Opsætning'] } });
    await expectProblem(response, 403, 'role-missing');
  });

  describe('of who reads the inbox', () => {
    const seenBy = async (as: TokenOptions, after: number): Promise<Answer> => {
      const response = await stack.call('GET', `/events?after=${after}`, { as });
      expect(response.status, await response.clone().text()).toBe(200);
      return EventList.strict().parse(await response.json());
    };
    const assign = (id: string, to: string, version: number) =>
      change(stack, 'PUT', `${id}/assignment`, { body: { assignee: { kind: 'user', id: to } }, version });
    const READER = { user: 'anna', roles: ['IndkomneDokumenter.Læs'] };

    it('has the events of messages that the caller may see now, and the positions of all', async () => {
      const before = await latest();
      const [mine, other] = [await deliverMemo(stack), await deliverMemo(stack)];
      await assign(mine, 'anna', 1);
      await assign(other, 'anna', 1);
      await assign(other, 'bo', 2);
      await untilNumbered(stack);
      const all = await events(`after=${before}`);
      expect(all.events).toHaveLength(5);
      const ofMine = all.events.filter(({ messageId }) => messageId === mine);
      expect(await seenBy(READER, before)).toEqual({ ...all, events: ofMine });
      expect(await seenBy({ user: 'anna', roles: [...READER.roles, 'IndkomneDokumenter.SeAlle'] }, before)).toEqual(
        all,
      );
      expect(await seenBy({ user: 'carl', roles: READER.roles }, before)).toEqual({ ...all, events: [] });
    });

    it('answers at once also a change that the caller may not see', async () => {
      const before = await latest();
      const waiting = stack.call('GET', `/events?after=${before}&wait=${LONG}`, { as: READER });
      await deliverMemo(stack);
      expect(await (await waiting).json()).toEqual({ events: [], next: before + 1, head: before + 1 });
    });

    it('has held messages for who may see them only', async () => {
      const before = await latest();
      const id = await deliverMemo(stack);
      await stack.sql(`UPDATE messages SET status = 'held', held_cause = 'enquiries-off' WHERE id = $1`, [id]);
      await untilNumbered(stack);
      const everything = [...CASEWORKER_ROLES];
      expect((await seenBy({ user: 'anna', roles: everything }, before)).events).toEqual([]);
      expect(
        (await seenBy({ user: 'anna', roles: [...everything, 'Indbakke.Opsætning'] }, before)).events,
      ).toHaveLength(1);
    });

    it('does not name a case that is restricted to others', async () => {
      await upsertCase(stack, 'BF-lukket', { restrictedTo: ['bo'] });
      await upsertCase(stack, 'BF-1');
      const before = await latest();
      const id = await deliverMemo(stack);
      await change(stack, 'POST', `${id}/journalization`, {
        as: { user: 'bo', roles: [...CASEWORKER_ROLES] },
        body: { caseIds: ['BF-lukket'] },
        version: 1,
      });
      await change(stack, 'DELETE', `${id}/journalization`, {
        as: { user: 'bo', roles: [...CASEWORKER_ROLES] },
        body: { reason: 'wrong-case' },
        version: 2,
      });
      await untilNumbered(stack);
      const { events: seen } = await seenBy({ user: 'anna', roles: [...CASEWORKER_ROLES] }, before);
      expect(seen.map(({ type }) => type)).toEqual(['accepted', 'journalized', 'taken-back']);
      expect(JSON.stringify(seen)).not.toContain('BF-lukket');
      expect(JSON.stringify(await events(`after=${before}`))).toContain('BF-lukket');
    });
  });

  it.each([
    'after=x',
    'after=-1',
    'after=01',
    'after=1e3',
    'after=9999999999999999',
    'wait=61',
    'limit=0',
    'limit=1001',
  ])('refuses %s', async (query) => {
    await expectProblem(await get(query), 400, 'bad-request');
  });

  it.each(['', '&wait=60'])('says that a position newer than the newest is not there%s', async (wait) => {
    const head = await latest();
    const problem = await expectProblem(await get(`after=${head + 1}${wait}`), 410, 'position-gone');
    expect(problem).toMatchObject({ oldest: 1, path: 'query.after' });
    // The lists after the position: else what changes between the two is never learned.
    expect(problem.detail).toBe(
      `The newest position is ${head}. Ask for after=latest, then read the lists, then go on from there.`,
    );
  });

  it('a shutdown answers all who wait', { tags: 'long' }, async () => {
    const other = await startTestStack();
    const { token, url } = other;
    const authorization = `Bearer ${await token(SYSTEM)}`;
    const waiting = Array.from({ length: 10 }, async () => {
      const response = await fetch(`${url}/api/v1/events?after=0&wait=${LONG}`, { headers: { authorization } });
      return response.json();
    });
    await expect.poll(async () => (await fetch(`${url}/metrics`)).text()).toContain('indbakke_feed_waiting 10');
    await other.close();
    for (const answer of await Promise.all(waiting)) expect(answer).toEqual({ events: [], next: 0, head: 0 });
  });

  it('a caller that goes away waits no more', async () => {
    const before = await latest();
    const waitingNow = async () =>
      /^indbakke_feed_waiting (\d+)$/m.exec(await (await fetch(`${stack.url}/metrics`)).text())?.[1];
    const gone = new AbortController();
    const authorization = `Bearer ${await stack.token(SYSTEM)}`;
    const waiting = fetch(`${stack.url}/api/v1/events?after=${before}&wait=${LONG}`, {
      headers: { authorization },
      signal: gone.signal,
    });
    await expect.poll(waitingNow).toBe('1');
    gone.abort();
    await expect(waiting).rejects.toThrow();
    await expect.poll(waitingNow).toBe('0');
  });

  it('a caller that ended its direction with the request is answered at once', async () => {
    const socket = connect(Number(new URL(stack.url).port), '127.0.0.1');
    socket.end(
      `GET /api/v1/events?wait=${LONG}&after=${await latest()} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${await stack.token(SYSTEM)}\r\n\r\n`,
    );
    expect(await text(socket)).toContain('"events":[]');
  });

  it('tells how old the oldest change without a position is', async () => {
    await stack.sql(
      `INSERT INTO audit_events (id, municipality, action, at, actor_kind, actor, details)
       VALUES ($1, $2, 'read', now() - interval '1 hour', 'user', 'anna', '{}')`,
      [randomUUID(), ODENSKOV],
    );
    await untilNumbered(stack);
    const metrics = async () => (await fetch(`${stack.url}/metrics`)).text();
    await expect.poll(metrics).toContain('indbakke_unnumbered_age_seconds{rows="audit"} 0\n');
    expect(await metrics()).toContain('indbakke_unnumbered_age_seconds{rows="events"} 0\n');
  });
});

describe.runIf(HAS_PGBOUNCER)('where LISTEN does not work, behind PgBouncer in transaction mode,', () => {
  it('a change comes all the same, by looking', { tags: 'long' }, async () => {
    const setup = await setUp();
    const pooler = await startPgBouncer(setup.serviceUrl, { pool_mode: 'transaction' });
    const deaf = openStore({ url: pooler.url, connections: 2, name: 'deaf' });
    const config = readConfig(StackConfig, setup.env);
    const services = allServices(config).map(
      (create): CreateService =>
        (parts, askParts) =>
          create({ ...parts, store: { ...parts.store, listen: deaf.listen } }, askParts),
    );
    const running = await serve(config, 'deaf', services);
    const authorization = `Bearer ${await setup.token(SYSTEM)}`;
    const ask = fetch(`${running.url}/api/v1/events?after=0&wait=${LONG}`, { headers: { authorization } });
    await expect.poll(async () => (await fetch(`${running.url}/metrics`)).text()).toContain('indbakke_feed_waiting 1');
    await deliver(running.url, writeMemo());
    expect(await (await ask).json()).toMatchObject({ events: [{ position: 1, type: 'accepted' }] });
    expect(await (await fetch(`${running.url}/metrics`)).text()).toContain('indbakke_feed_hearing 0');
    await running.close();
    await deaf.close();
    await pooler.close();
    await setup.close();
  });
});

describe('a feed', () => {
  let setup: Setup;
  let store: Store;
  let watched: Store;
  let feed: Feed;
  let listener: Listener;
  let reads = 0;

  const number = async () => {
    const keys = await loadKeyRing(setup.env.KEY_FILE as string);
    while (await numberChanges({ store, keys }));
  };
  /** Changes of messages of their own, with their positions. @returns their ids */
  async function changed(count = 1, at = new Date()): Promise<string[]> {
    const ids = Array.from({ length: count }, () => randomUUID());
    await setup.sql(
      `INSERT INTO events (id, municipality, message_id, type, status, version, at)
       SELECT gen_random_uuid(), $1, id, 'accepted', 'pending', 1, $3::timestamptz + n * interval '1 ms'
       FROM unnest($2::uuid[]) WITH ORDINALITY AS one (id, n)`,
      [ODENSKOV, ids, at],
    );
    await number();
    return ids;
  }
  const read = (after: number, wait = LONG, limit = 100) =>
    feed.read(ODENSKOV, { after: String(after), wait, limit }, NEVER);
  const idsIn = ({ events }: Answer) => events.map(({ messageId }) => messageId);

  beforeAll(async () => {
    setup = await setUp();
    store = openStore({ url: setup.serviceUrl, connections: 4, name: 'feed' });
    watched = watchStatements(store, ({ text }) => {
      reads += 1;
      return text;
    });
    listener = store.listen([FEED_CHANNEL], (_, payload) => feed.hear(payload));
    listener.start();
    await askUntil(async () => listener.isHearing, Boolean);
  });

  beforeEach(() => {
    feed = new Feed({ store: watched });
  });
  afterEach(async () => {
    feed.endWaiting();
    // TRUNCATE and a reader that has not ended can wait for each other.
    await setup.sql('DELETE FROM events; DELETE FROM feed_heads');
  });

  afterAll(async () => {
    await listener.stop();
    await store.close();
    await setup.close();
  });

  it('reads a change once for a hundred who wait', async () => {
    await changed();
    await read(0);
    reads = 0;
    const waiting = Array.from({ length: 100 }, () => read(1));
    const ids = await changed();
    for (const answer of await Promise.all(waiting)) expect(idsIn(answer)).toEqual(ids);
    expect(reads).toBe(1);
  });

  it('reads nothing for those who come back to what was read', async () => {
    const ids = await changed(3);
    await read(2);
    reads = 0;
    for (let n = 0; n < 2; n += 1) expect(idsIn(await read(2))).toEqual(ids.slice(2));
    expect(reads).toBe(0);
  });

  it('remembers the newest thousand only', async () => {
    await changed();
    await read(0);
    await changed(1_000);
    await read(1);
    reads = 0;
    for (const after of [1, 0]) expect((await read(after)).events[0]?.position).toBe(after + 1);
    expect(reads).toBe(1);
  });

  it('answers those at the end and those far behind, each with what follows', async () => {
    const ids = await changed(2_500);
    const positions = [0, 700, 1_600, 2_499, 2_500];
    const waiting = positions.map((after) => read(after, LONG, 1_000));
    ids.push(...(await changed()));
    for (const [n, answer] of (await Promise.all(waiting)).entries()) {
      const [after = 0, { events, next }] = [positions[n], answer];
      expect(events.length).toBeGreaterThan(0);
      expect(idsIn(answer)).toEqual(ids.slice(after, after + events.length));
      expect(next).toBe(after + events.length);
    }
  });

  it('does not lose a change that comes while it reads', async () => {
    const slow = new Feed({
      store: {
        ...watched,
        query: async (...args) => {
          const found = await watched.query(...args);
          await between();
          return found as never;
        },
      },
    });
    let ids: string[] = [];
    const between = async () => {
      if (ids.length === 0) {
        ids = [randomUUID()];
        ids = await changed();
        slow.hear(`${ODENSKOV} 1`);
      }
    };
    const answer = await slow.read(ODENSKOV, { after: '0', wait: LONG, limit: 100 }, NEVER);
    expect(idsIn(answer)).toEqual(ids);
  });

  it('without notifications it looks, with one statement for all who wait', async () => {
    const deaf = new Feed({ store });
    const waiting = [ODENSKOV, VESTERSUND, ODENSKOV].map((municipality) =>
      deaf.read(municipality, { after: '0', wait: LONG, limit: 100 }, NEVER),
    );
    await expect.poll(() => deaf.waiters).toBe(3);
    const ids = await changed();
    await deaf.look({ isHearing: false });
    const [one, , three] = await Promise.all([waiting[0], undefined, waiting[2]]);
    expect([idsIn(one as Answer), idsIn(three as Answer)]).toEqual([ids, ids]);
    deaf.endWaiting();
    expect(await waiting[1]).toEqual({ events: [], next: 0, head: 0 });
  });

  it('with notifications it looks as well, now and then', async () => {
    let sweeps = 0;
    const counted = new Feed({
      store: {
        ...store,
        sweep: (...args) => {
          sweeps += 1;
          return store.sweep(...args);
        },
      },
    });
    const waiting = counted.read(ODENSKOV, { after: '0', wait: LONG, limit: 100 }, NEVER);
    await expect.poll(() => counted.waiters).toBe(1);
    for (let n = 0; n < 30; n += 1) await counted.look({ isHearing: true });
    expect(sweeps).toBe(4); // the first, since something may have been told before, and each tenth
    counted.endWaiting();
    await waiting;
  });

  it('keeps events for their days, and says what the oldest is', async () => {
    const now = new Date();
    await changed(3, new Date(now.getTime() - 31 * DAY));
    const kept = await changed(2, now);
    const older = await changed(1, new Date(now.getTime() - 40 * DAY)); // committed late: it stays until those before it go
    await sweepOldEvents({ store }, 30, now);
    for (const wait of [0, LONG]) {
      await expect(read(2, wait)).rejects.toMatchObject({ code: 'position-gone', oldest: 4 });
      expect(idsIn(await read(3, wait))).toEqual([...kept, ...older]);
    }
    await sweepOldEvents({ store }, 30, new Date(now.getTime() + 31 * DAY));
    await expect(read(5, 0)).rejects.toMatchObject({
      code: 'position-gone',
      oldest: 7,
      message: expect.stringContaining('Events before position 7 are not kept.'),
    });
    expect(await read(6, 0)).toEqual({ events: [], next: 6, head: 6 });
    const after = await changed();
    expect(idsIn(await read(6))).toEqual(after);
  });

  it('keeps what has no position yet, however old', async () => {
    await setup.sql(
      `INSERT INTO events (id, municipality, message_id, type, status, version, at)
       VALUES ($1, $2, $1, 'accepted', 'pending', 1, now() - interval '1 year')`,
      [randomUUID(), ODENSKOV],
    );
    await sweepOldEvents({ store }, 30, new Date());
    await number();
    expect((await read(0)).events).toHaveLength(1);
  });

  it('has nothing of before a backup was restored', async () => {
    await changed(2);
    await read(1);
    await setup.sql('DELETE FROM events WHERE position = 2');
    await setup.sql('UPDATE feed_heads SET event_position = 1');
    await feed.look({ isHearing: false }); // the connection ended with the database
    const waiting = read(1);
    const ids = await changed();
    expect([idsIn(await waiting), idsIn(await read(1))]).toEqual([ids, ids]);
  });

  it('what fails to be read fails for those who wait for it, and not for the next', async () => {
    let isAway = true;
    const failing = new Feed({
      store: {
        ...store,
        query: (...args) => (isAway ? Promise.reject(new Error('away')) : (store.query(...args) as never)),
      },
    });
    const ask = () => failing.read(ODENSKOV, { after: '0', wait: LONG, limit: 100 }, NEVER);
    const waiting = [ask(), ask()];
    for (const one of waiting) await expect(one).rejects.toThrow('away');
    isAway = false;
    const ids = await changed();
    expect(idsIn(await ask())).toEqual(ids);
  });
});
