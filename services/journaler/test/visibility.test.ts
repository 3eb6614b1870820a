import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DELETION } from '../../../infra/src/testkit/inbox-client.js';
import {
  ODENSKOV,
  startTestStack,
  type TestStack,
  type TokenOptions,
  VESTERSUND,
} from '../../../infra/src/testkit/stack.js';
import { type Principal, type Role, visibleTo } from '../../../shared/src/access/index.js';
import { openStore, Prisma, type Store } from '../../../shared/src/store/index.js';
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

const me = (...roles: string[]): TokenOptions => ({ user: 'myself', teams: ['my-team'], roles });

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
  await upsertCase(stack, 'K-mine', { caseworker: 'myself' });
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
    await change(stack, 'POST', `${ids[name]}/rejection`, {
      as: SETUP,
      version: 1,
      body: { reason: 'unwanted', explanation: 'Ikke til os' },
    });
  }
  await change(stack, 'POST', `${ids.deleted}/deletion`, { version: 2, body: DELETION });
  const assign = (name: Name, kind: string, id: string) =>
    stack.sql('UPDATE messages SET assignee_kind = $2, assignee_id = $3 WHERE id = $1', [ids[name], kind, id]);
  await assign('mine', 'user', 'myself');
  await assign('mine, journalized', 'user', 'myself');
  await assign('mine, rejected', 'user', 'myself');
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

describe('the condition in SQL', () => {
  let store: Store;

  beforeAll(() => {
    store = openStore({ url: stack.serviceUrl, connections: 1, name: 'visibility' });
  });

  afterAll(() => store.close());

  const ROLES: Role[] = [
    'IndkomneDokumenter.Læs',
    'IndkomneDokumenter.SeAlle',
    'Indbakke.Opsætning',
    'Indbakke.Drift',
    'IndkomneDokumenter.Journaliser',
  ];
  const COMBINATIONS = Array.from({ length: 2 ** ROLES.length }, (_, bits) =>
    ROLES.filter((_, at) => bits & (1 << at)),
  );

  // The rule once more, in other words than the code’s.
  function expected(roles: readonly Role[], own: readonly Name[], municipality: string): Name[] {
    if (municipality !== ODENSKOV) return [];
    const reads = roles.includes('IndkomneDokumenter.Læs');
    const setsUp = roles.includes('Indbakke.Opsætning') || roles.includes('Indbakke.Drift');
    const all = roles.includes('IndkomneDokumenter.SeAlle') ? INBOX : own;
    return [...(reads ? all : []), ...(setsUp ? HELD : [])];
  }

  it.each<[string, string, string[], Name[], string]>([
    ['a caseworker with a team', 'myself', ['another-team', 'my-team'], MY_OWN, ODENSKOV],
    ['a caseworker without teams', 'myself', [], MY_OWN.filter((name) => name !== 'my team’s'), ODENSKOV],
    ['a member of the team', 'stranger', ['my-team'], ['my team’s'], ODENSKOV],
    ['a user called like the team', 'my-team', ['myself'], [], ODENSKOV],
    ['a stranger', 'stranger', [], [], ODENSKOV],
    ['a caseworker of another municipality', 'myself', ['my-team'], MY_OWN, VESTERSUND],
  ])('shows %s what the rule says, with every combination of roles', async (_who, id, teams, own, municipality) => {
    const names = new Map(Object.entries(ids).map(([name, messageId]) => [messageId, name]));
    for (const roles of COMBINATIONS) {
      const principal: Principal = { actor: { kind: 'user', id }, municipality, roles: new Set(roles), teams };
      const seen = Prisma.sql`SELECT m.id FROM messages m WHERE ${visibleTo(principal)}`;
      for (const plan of ['kept', 'fresh'] as const) {
        const rows = await store.query<{ id: string }>(municipality, seen, plan);
        const found = rows.map((row) => names.get(row.id)).toSorted();
        expect({ roles, found }).toEqual({ roles, found: expected(roles, own, municipality).toSorted() });
      }
    }
  });

  it('names the municipality itself, apart from row-level security', async () => {
    const principal: Principal = {
      actor: { kind: 'user', id: 'myself' },
      municipality: VESTERSUND,
      roles: new Set(ROLES),
      teams: [],
    };
    const { text, values } = Prisma.sql`SELECT m.id FROM messages m WHERE ${visibleTo(principal)}`;
    expect(await stack.sql(text, values)).toEqual([]); // as the owner, past the policies
  });
});

it('a caller who cannot see a message cannot change it', async () => {
  const roles = ['Journaliser', 'Afvis'].map((role) => `IndkomneDokumenter.${role}`);
  const as = { user: 'stranger', roles: ['IndkomneDokumenter.Læs', ...roles, 'DigitalPost.Slet'] };
  const changes: [string, string, object?][] = [
    ['POST', 'journalization', { caseIds: ['K-1'] }],
    ['DELETE', 'journalization', { reason: 'other' }],
    ['POST', 'rejection', { reason: 'unwanted', explanation: 'Ikke til os' }],
    ['DELETE', 'rejection'],
    ['POST', 'deletion', DELETION],
    ['POST', 'deletion/confirmation'],
    ['DELETE', 'deletion'],
    ['PUT', 'legal-hold', { reason: 'Retssag' }],
    ['DELETE', 'legal-hold', { reason: 'Slut' }],
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
    ['IndkomneDokumenter.Afvis', 'POST', 'rejection', { reason: 'unwanted', explanation: 'Ikke til os' }],
    ['IndkomneDokumenter.Afvis', 'DELETE', 'rejection'],
    ['DigitalPost.Slet', 'POST', 'deletion', DELETION],
    ['DigitalPost.Slet', 'PUT', 'legal-hold', { reason: 'Retssag' }],
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
  expect(rows.map(({ result, details }) => ({ result, ...details }))).toEqual([
    { result: 'not-found', call: 'get /api/v1/incoming-documents/:id' },
    { result: 'role-missing', call: 'get /api/v1/incoming-documents' },
  ]);
  const places = await stack.sql(
    `SELECT municipality, message_id FROM audit_events WHERE actor = 'intruder' ORDER BY at`,
  );
  expect(places).toEqual([
    { municipality: VESTERSUND, message_id: ids.mine }, // so that the message can be found later
    { municipality: VESTERSUND, message_id: null },
  ]);
});
