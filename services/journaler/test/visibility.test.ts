import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestStack, type TestStack, type TokenOptions, VESTERSUND } from '../../../infra/src/testkit/stack.js';
import {
  auditOf,
  change,
  deliverMemo,
  deliverReply,
  expectProblem,
  list,
  read,
  registerSentMessage,
  SETUP,
  upsertCase,
} from '../../../shared/test/inbox/support.js';

// One message of each kind, and who may see it.
const MESSAGES = [
  'nobody’s',
  'mine',
  'my team’s',
  'another’s',
  'for a case of mine',
  'for a case of another',
  'mine, journalized',
  'mine, rejected',
  'held',
  'held, then rejected',
  'deleted',
] as const;
type Name = (typeof MESSAGES)[number];

const MY_OWN: Name[] = ['mine', 'my team’s', 'for a case of mine', 'mine, journalized', 'mine, rejected'];
const HELD: Name[] = ['held', 'held, then rejected'];
const INBOX = MESSAGES.filter((name) => name !== 'deleted' && !HELD.includes(name));

const me = (...roles: string[]): TokenOptions => ({ user: 'me', teams: ['my-team'], roles });

const WHO: [string, TokenOptions, Name[]][] = [
  ['Læs', me('IndkomneDokumenter.Læs'), MY_OWN],
  ['Læs and SeAlle', me('IndkomneDokumenter.Læs', 'IndkomneDokumenter.SeAlle'), INBOX],
  ['Opsætning', me('Indbakke.Opsætning'), HELD],
  ['Drift', me('Indbakke.Drift'), HELD],
  ['Læs and Opsætning', me('IndkomneDokumenter.Læs', 'Indbakke.Opsætning'), [...MY_OWN, ...HELD]],
  [
    'Læs, SeAlle and Drift',
    me('IndkomneDokumenter.Læs', 'IndkomneDokumenter.SeAlle', 'Indbakke.Drift'),
    [...INBOX, ...HELD],
  ],
  ['Læs, as another user', { user: 'stranger', roles: ['IndkomneDokumenter.Læs'] }, []],
  ['everything, in another municipality', { ...SETUP, municipality: VESTERSUND }, []],
];

let stack: TestStack;
const ids = {} as Record<Name, string>;

async function arrange(): Promise<void> {
  const [mine, others] = [randomUUID(), randomUUID()];
  await registerSentMessage(stack, mine, { caseId: 'K-mine' });
  await upsertCase(stack, 'K-mine', { caseworker: 'me' });
  await registerSentMessage(stack, others, { caseId: 'K-others' });
  await upsertCase(stack, 'K-others', { caseworker: 'another' });
  const answering = (replyUUID: string) => [{ messageUUID: randomUUID(), replyUUID }];
  for (const name of MESSAGES) {
    if (name === 'for a case of mine') ids[name] = await deliverReply(stack, answering(mine));
    else if (name === 'for a case of another') ids[name] = await deliverReply(stack, answering(others));
    else ids[name] = await deliverMemo(stack);
  }

  for (const name of ['held', 'held, then rejected'] as const) {
    await stack.sql(`UPDATE messages SET status = 'held', held_cause = 'enquiries-off' WHERE id = $1`, [ids[name]]);
  }
  await change(stack, 'POST', `${ids['mine, journalized']}/journalization`, {
    version: 1,
    body: { caseIds: ['K-mine'] },
  });
  for (const name of ['mine, rejected', 'held, then rejected', 'deleted'] as const) {
    await change(stack, 'POST', `${ids[name]}/rejection`, { as: SETUP, version: 1, body: { reason: 'unwanted' } });
  }
  await change(stack, 'POST', `${ids.deleted}/deletion`, { version: 2 });
  const assign = (name: Name, kind: string, id: string) =>
    stack.sql('UPDATE messages SET assignee_kind = $2, assignee_id = $3 WHERE id = $1', [ids[name], kind, id]);
  await assign('mine', 'user', 'me');
  await assign('mine, journalized', 'user', 'me');
  await assign('mine, rejected', 'user', 'me');
  await assign('my team’s', 'team', 'my-team');
  await assign('another’s', 'user', 'another');
}

beforeAll(async () => {
  stack = await startTestStack();
  await arrange();
});

afterAll(() => stack.close());

describe.each(WHO)('%s', (_who, as, sees) => {
  it('lists what the caller sees and nothing else', async () => {
    const pages = await Promise.all(
      ['pending', 'held', 'journalized', 'rejected'].map((status) => list(stack, `?status=${status}`, as)),
    );
    const names = new Map(Object.entries(ids).map(([name, id]) => [id, name]));
    const seen = pages.flatMap(({ items }) => items.map(({ id }) => names.get(id)));
    expect(seen.toSorted()).toEqual(sees.toSorted());
  });

  it.each(MESSAGES)('reads what the caller sees, else gets 404: %s', async (name) => {
    const paths = ['', `/files/${randomUUID()}`, '/zip'];
    const [one, file, zip] = await Promise.all(
      paths.map((path) => stack.call('GET', `/incoming-documents/${ids[name]}${path}`, { as })),
    );
    expect((one as Response).status).toBe(sees.includes(name) ? 200 : 404);
    expect((zip as Response).status).toBe(sees.includes(name) ? 200 : 404);
    const { detail } = await expectProblem(file as Response, 404, 'not-found');
    expect(detail).toMatch(sees.includes(name) ? /no such file/ : /no such message/);
  });
});

it('a caller who cannot see a message cannot change it', async () => {
  const roles = ['Journaliser', 'Afvis'].map((role) => `IndkomneDokumenter.${role}`);
  const as = { user: 'stranger', roles: ['IndkomneDokumenter.Læs', ...roles, 'DigitalPost.Slet'] };
  const changes: [string, string, object?][] = [
    ['POST', 'journalization', { caseIds: ['K-1'] }],
    ['DELETE', 'journalization', { reason: 'other' }],
    ['POST', 'rejection', { reason: 'unwanted' }],
    ['DELETE', 'rejection'],
    ['POST', 'deletion'],
  ];
  for (const [method, path, body] of changes) {
    const response = await stack.call(method, `/incoming-documents/${ids['another’s']}/${path}`, {
      as,
      version: 1,
      body,
    });
    await expectProblem(response, 404, 'not-found');
  }
  expect(await read(stack, ids['another’s'])).toMatchObject({ status: 'pending', version: 1 });
});

it('a role that may change a message does not let its caller see one: that takes Læs', async () => {
  const changes: [string, string, string, object?][] = [
    ['IndkomneDokumenter.Journaliser', 'POST', 'journalization', { caseIds: ['K-1'] }],
    ['IndkomneDokumenter.Journaliser', 'DELETE', 'journalization', { reason: 'other' }],
    ['IndkomneDokumenter.Afvis', 'POST', 'rejection', { reason: 'unwanted' }],
    ['IndkomneDokumenter.Afvis', 'DELETE', 'rejection'],
    ['DigitalPost.Slet', 'POST', 'deletion'],
  ];
  for (const [role, method, path, body] of changes) {
    for (const name of ['mine', 'mine, journalized', 'mine, rejected'] as const) {
      const { version } = await read(stack, ids[name]);
      const options = { as: me(role), version, ...(body && { body }) };
      const response = await stack.call(method, `/incoming-documents/${ids[name]}/${path}`, options);
      await expectProblem(response, 404, 'not-found');
    }
  }
});

it('SeAlle without Læs sees nothing: it only extends Læs', async () => {
  const as = me('IndkomneDokumenter.SeAlle');
  await expectProblem(await stack.call('GET', `/incoming-documents/${ids.mine}`, { as }), 403, 'role-missing');
});

it('a refused attempt is in the audit log of the caller’s municipality', async () => {
  const as = { ...SETUP, user: 'intruder', municipality: VESTERSUND };
  await expectProblem(await stack.call('GET', `/incoming-documents/${ids.mine}`, { as }), 404, 'not-found');
  await expectProblem(
    await stack.call('GET', `/incoming-documents`, { as: { ...as, roles: [] } }),
    403,
    'role-missing',
  );
  const rows = (await auditOf(stack, { action: 'refused' })).filter(({ actor }) => actor === 'intruder');
  expect(rows.map(({ details }) => details)).toEqual([
    { code: 'not-found', call: 'get /api/v1/incoming-documents/:id' },
    { code: 'role-missing', call: 'get /api/v1/incoming-documents' },
  ]);
  const places = await stack.sql(
    `SELECT municipality, message_id FROM audit_events WHERE actor = 'intruder' ORDER BY at`,
  );
  expect(places).toEqual([
    { municipality: VESTERSUND, message_id: ids.mine }, // so that the message can be found later
    { municipality: VESTERSUND, message_id: null },
  ]);
});
