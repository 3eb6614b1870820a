import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { deliverMemo, list, read, SYSTEM } from '../../shared/test/inbox/support.js';
import { repository } from '../../tools/local-state.mjs';
import { launchCommand } from '../src/testkit/command.js';
import { startTestStack, type TestStack, type TokenOptions } from '../src/testkit/stack.js';
import { writeMemo } from '../src/testkit/write-memo.js';

// The onboarding of a municipality, from its file to its first letter in the inbox, with what goes wrong on the way.

const CVR = '55555555';
const SUPERUSER: TokenOptions = { user: 'superbruger-1', municipality: CVR, roles: ['Indbakke.Opsætning'] };
const CASEWORKER: TokenOptions = {
  user: 'sagsbehandler-1',
  municipality: CVR,
  roles: ['IndkomneDokumenter.Læs', 'IndkomneDokumenter.SeAlle'],
};
const OPERATOR: TokenOptions = { operator: true, user: 'drift-1', roles: ['Indbakke.Drift'] };
const POINT = '241d39f6-998e-4929-b198-ccacbbf4b330'; // of the file
const WRONG_POINT = randomUUID();

let stack: TestStack;
let folder: string;

beforeAll(async () => {
  stack = await startTestStack({ QUARANTINE_LOOP_AFTER: '3' });
  folder = mkdtempSync(join(tmpdir(), 'indbakke-onboarding-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await stack.close();
});

const toUs = (contactPointId: string, more: object = {}) => ({ recipient: { id: CVR }, contactPointId, ...more });

async function json<T>(method: string, path: string, as: TokenOptions, options: object = {}): Promise<T> {
  const response = await stack.call(method, path, { as, ...options });
  expect(response.ok, await response.clone().text()).toBe(true);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

interface Event {
  type: string;
  messageId: string;
  details: Record<string, string>;
}

it('a municipality is refused before it is set up, and set up by its file', async () => {
  expect((await stack.deliver(writeMemo(toUs(POINT)))).status).toBe(403);
  const file = join(folder, 'kommune.yaml');
  const example = readFileSync(join(repository, 'infra/municipality.example.yaml'), 'utf8');
  writeFileSync(file, example.replace('22222222', CVR));
  const command = launchCommand('municipality', ['apply', file], { DATABASE_OWNER_URL: stack.ownerUrl });
  expect(await command.ended).toMatchObject({ status: 0, output: expect.stringContaining('+ the municipality') });
  const { warnings } = await json<{ warnings: object[] }>('GET', '/municipality', SUPERUSER);
  expect(warnings).toEqual([]);
});

it('mail to a wrong contact point is held and alarmed; once that is set up, it is released automatically, in order', async () => {
  const ids = [];
  for (let n = 0; n < 3; n += 1) ids.push(await deliverMemo(stack, toUs(WRONG_POINT, { subject: `Brev ${n}` })));
  expect((await list(stack, '', CASEWORKER)).items).toEqual([]);
  const held = await list(stack, '?status=held', SUPERUSER);
  expect(held.items.map(({ id, heldCause }) => [id, heldCause])).toEqual(
    ids.map((id) => [id, 'unknown-contact-point']),
  );
  const core = { ...SYSTEM, municipality: CVR };
  const eventsOf = async (type: string) => {
    const { events } = await json<{ events: Event[] }>('GET', '/events?after=0&limit=100', core);
    return events.filter((event) => event.type === type);
  };
  // The alarm: an event for the one who is named for the cause.
  await expect.poll(() => eventsOf('held'), { timeout: 10_000 }).toHaveLength(3);
  expect((await eventsOf('held'))[0]?.details).toMatchObject({ contactKind: 'user', contactId: 'superbruger-1' });

  await json('POST', '/contact-points', SUPERUSER, { body: { id: WRONG_POINT, name: 'Skole og familie' } });
  await expect.poll(async () => (await list(stack, '', CASEWORKER)).items.length, { timeout: 15_000 }).toBe(3);
  await expect.poll(() => eventsOf('released'), { timeout: 10_000 }).toHaveLength(3);
  expect((await eventsOf('released')).map(({ messageId }) => messageId)).toEqual(ids);
});

it('the check of a contact point waits for its code, and says when and where it came, or where to look', async () => {
  interface Check {
    check: { code: string; status: string };
    steps: object[];
  }
  const path = `/contact-points/${POINT}/check`;
  const { check } = await json<Check>('POST', path, SUPERUSER);
  await stack.sql(`UPDATE contact_point_checks SET started_at = started_at - interval '2 hours'`);
  expect(await json('GET', path, SUPERUSER)).toMatchObject({ check: { status: 'missing' }, steps: { length: 5 } });
  const messageId = await deliverMemo(stack, toUs(POINT, { subject: `Kontrol ${check.code}` }));
  const arrived = await json<Check>('GET', path, SUPERUSER);
  const arrival = { messageId, minutes: 120, contactPoint: { id: POINT, name: 'Børn og familie' } };
  expect(arrived).toMatchObject({ check: { status: 'arrived', arrival }, steps: [] });
  expect(await read(stack, messageId, CASEWORKER)).toMatchObject({
    assignee: { kind: 'team', id: 'team-modtagelsen' },
  });
});

it('a delivery that cannot be read, and comes again and again, is ended by an operator', async () => {
  const broken = `${writeMemo(toUs(POINT))}<`;
  const send = async () => (await stack.deliver(broken)).status;
  for (let times = 0; times < 3; times += 1) expect(await send()).toBe(400);
  const { items } = await json<{ items: { id: string; count: number }[] }>('GET', '/quarantine', OPERATOR);
  expect(items).toMatchObject([{ count: 3, reason: 'not-xml' }]);
  await json('PUT', `/quarantine/${items[0]?.id}/acceptance`, OPERATOR);
  expect(await send()).toBe(200); // which ends it: a positive receipt is not sent again
  expect((await list(stack, '?limit=200', CASEWORKER)).items).toHaveLength(4);
});
