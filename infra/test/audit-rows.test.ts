import { randomUUID } from 'node:crypto';
import { ROLES } from '@indbakke/shared/access';
import { INSTALLATION } from '@indbakke/shared/audit';
import { digestOfParty, type KeyRing, loadKeyRing } from '@indbakke/shared/keys';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NAMES, type Name, openCalls, operationOf, type PreparedCall, send } from '../../shared/test/api/calls.js';
import { deliverMemo, deliverReply, expectProblem, read, SETUP, upsertCase } from '../../shared/test/inbox/support.js';
import { askUntil } from '../src/testkit/inbox-client.js';
import { sendingOn } from '../src/testkit/sending-on.js';
import { ODENSKOV, startTestStack, type TestStack, VESTERSUND } from '../src/testkit/stack.js';

// @module-tag long

// What each operation writes to the audit log: a new operation requires a row in EXPECTED.

let stack: TestStack;
let calls: Awaited<ReturnType<typeof openCalls>>;
let keys: KeyRing;

beforeAll(async () => {
  stack = await startTestStack(sendingOn);
  calls = await openCalls(stack);
  keys = await loadKeyRing(stack.env.KEY_FILE as string);
});

afterAll(async () => {
  await calls.close();
  await stack.close();
});

interface Row extends Record<string, unknown> {
  readonly action: string;
  readonly role: string | null;
  readonly details: Record<string, unknown>;
}

/** The rows that an actor’s work writes, in order, without those of others. */
async function rowsOf(actor: string, work: () => Promise<unknown>): Promise<Row[]> {
  const [before] = await stack.sql<{ ids: string[] }>(
    `SELECT coalesce(array_agg(id::text), '{}') AS ids FROM audit_events WHERE actor = $1`,
    [actor],
  );
  await work();
  return stack.sql<Row>(
    `SELECT municipality, actor_kind, actor, role, origin, action, result, message_id, encode(citizen, 'hex') AS citizen, details
     FROM audit_events WHERE actor = $1 AND id <> ALL ($2::uuid[]) ORDER BY at, action, id`,
    [actor, before?.ids],
  );
}

const LAES = 'IndkomneDokumenter.Læs';
const SEES_ALL = 'IndkomneDokumenter.SeAlle';
const CORE = 'Indbakke.System';
const AKTINDSIGT = 'Indbakke.Aktindsigt';

interface Expected {
  readonly action: string;
  readonly role: string;
  readonly details?: (call: PreparedCall, answer: unknown) => object;
  /** Of a message that the call does not name. */
  readonly ofMessage?: true;
}

const shownOf = (call: PreparedCall, answer: unknown) => {
  const body = (call.body ?? {}) as Record<string, unknown>;
  const { items } = answer as { items: unknown[] };
  const { status = ['pending'], sort: _, ...filters } = body as { status?: string[]; sort?: string };
  return { status: [...status].sort().join(' '), filters: Object.keys(filters).sort().join(' '), shown: items.length };
};
const paramsOf = ({ params }: PreparedCall) => params;
const fileOf = ({ params }: PreparedCall) => ({ fileId: params.fileId });
const exportOf = ({ body }: PreparedCall) => {
  const { status, sort: _, ...filters } = body as { status: string[]; sort?: string };
  return { status: [...status].sort().join(' '), filters: Object.keys(filters).sort().join(' ') };
};
const fieldsOf = ({ body, params }: PreparedCall) => ({ ...params, fields: Object.keys(body ?? {}).join(' ') });
const change = (action: string, role: string): Expected[] => [{ action, role }];
/** As they are stored. */
const timesOf = (body: object | undefined) => {
  const { from, until, ...others } = body as { from: string; until: string };
  return { ...others, from: new Date(from).toISOString(), until: new Date(until).toISOString() };
};
const NOTHING: Expected[] = [];
const SETS_UP = 'Indbakke.Opsætning';

/** The rows of one call that succeeds. */
const EXPECTED: Record<Name, readonly Expected[]> = {
  listIncomingDocuments: [{ action: 'list', role: SEES_ALL, details: shownOf }],
  searchIncomingDocuments: [{ action: 'search', role: SEES_ALL, details: shownOf }],
  listIncomingDocumentIds: [{ action: 'list-ids', role: SEES_ALL, details: shownOf }],
  summarizeIncomingDocuments: NOTHING, // counts, no persons
  exportIncomingDocuments: [
    { action: 'export-began', role: SEES_ALL, details: exportOf },
    { action: 'exported', role: SEES_ALL, details: exportOf },
  ],
  bulkChangeIncomingDocuments: NOTHING, // a row for each item, below
  getIncomingDocument: [{ action: 'read', role: SEES_ALL }],
  downloadFile: [{ action: 'read-file', role: SEES_ALL, details: fileOf }],
  readText: [{ action: 'read-text', role: SEES_ALL }],
  downloadZip: [{ action: 'read-zip', role: SEES_ALL }],
  createZipDownload: [
    {
      action: 'zip-created',
      role: LAES,
      details: (_, answer) => ({ zipId: (answer as { id: string }).id, messages: 1 }),
    },
  ],
  listZipDownloads: NOTHING, // the caller’s own requests, no messages
  getZipDownload: NOTHING,
  deleteZipDownload: [{ action: 'zip-deleted', role: LAES, details: paramsOf }],
  downloadZipOfMany: [
    { action: 'read-zip', role: SEES_ALL, details: paramsOf, ofMessage: true },
    { action: 'zip-downloaded', role: LAES, details: paramsOf },
  ],
  assignIncomingDocument: change('assigned', 'IndkomneDokumenter.Tildel'),
  unassignIncomingDocument: change('unassigned', 'IndkomneDokumenter.Tildel'),
  releaseIncomingDocument: change('released', 'Indbakke.Opsætning'),
  journalizeIncomingDocument: change('journalized', 'IndkomneDokumenter.Journaliser'),
  takeBackJournalization: change('taken-back', 'IndkomneDokumenter.Journaliser'),
  rejectIncomingDocument: change('rejected', 'IndkomneDokumenter.Afvis'),
  tellOutcome: change('outcome-told', 'IndkomneDokumenter.Afvis'),
  sendOnIncomingDocument: change('distribution-asked', 'IndkomneDokumenter.SendVidere'),
  reopenIncomingDocument: change('reopened', 'IndkomneDokumenter.Afvis'),
  deleteIncomingDocument: [{ action: 'deleted', role: 'DigitalPost.Slet', details: ({ body }) => body ?? {} }],
  confirmDeletion: [{ action: 'deleted', role: 'DigitalPost.Slet', details: () => ({ requestedBy: 'another' }) }],
  cancelDeletion: change('deletion-cancelled', 'DigitalPost.Slet'),
  setLegalHold: change('legal-hold-set', 'IndkomneDokumenter.Afvis'),
  liftLegalHold: change('legal-hold-lifted', 'DigitalPost.Slet'),
  offerHandover: change('handover-offered', 'IndkomneDokumenter.Afvis'),
  withdrawHandover: change('handover-withdrawn', 'IndkomneDokumenter.Afvis'),
  listHandovers: [
    {
      action: 'handovers-listed',
      role: LAES,
      details: ({ query }, answer) => ({
        direction: query.direction,
        shown: (answer as { items: unknown[] }).items.length,
      }),
    },
  ],
  takeHandover: [{ action: 'taken-over', role: 'IndkomneDokumenter.Journaliser', details: paramsOf, ofMessage: true }],
  refuseHandover: [{ action: 'offer-refused', role: 'IndkomneDokumenter.Journaliser', details: paramsOf }],
  markConcern: change('concern-marked', 'IndkomneDokumenter.Tildel'),
  unmarkConcern: change('concern-unmarked', 'IndkomneDokumenter.Tildel'),
  recordAssessment: change('concern-assessed', 'IndkomneDokumenter.Tildel'),
  recordConfirmation: change('concern-confirmed', 'IndkomneDokumenter.Tildel'),
  createExtract: [
    { action: 'extract-created', role: LAES, details: (_, answer) => ({ extractId: (answer as { id: string }).id }) },
  ],
  listExtracts: NOTHING, // the caller’s own searches, no messages
  getExtract: NOTHING,
  deleteExtract: [{ action: 'extract-deleted', role: LAES, details: paramsOf }],
  downloadExtract: [{ action: 'read-extract', role: LAES, details: paramsOf }],
  readFigures: NOTHING, // counts, no persons
  downloadFiguresAsCsv: NOTHING,
  downloadFiguresAsExcel: NOTHING,
  listAuditEvents: [{ action: 'log-searched', role: 'Revisionslog.Læs' }],
  searchAuditEvents: [
    { action: 'log-searched', role: 'Revisionslog.Læs', details: () => ({ filters: 'citizen from' }) },
  ],
  exportAuditEvents: [{ action: 'log-exported', role: 'Revisionslog.Læs', details: () => ({ filters: 'message' }) }],
  makeAuditSheet: [{ action: 'log-sheet-made', role: 'Revisionslog.Læs', details: () => ({ filters: 'citizen' }) }],
  createAccessPackage: [
    {
      action: 'package-created',
      role: AKTINDSIGT,
      details: (_, answer) => ({ packageId: (answer as { id: string }).id }),
    },
  ],
  listAccessPackages: NOTHING, // the caller’s own requests, no messages
  getAccessPackage: NOTHING,
  deleteAccessPackage: [{ action: 'package-deleted', role: AKTINDSIGT, details: paramsOf }],
  downloadAccessPackage: [{ action: 'package-downloaded', role: AKTINDSIGT, details: paramsOf }],
  registerSentMessage: [
    {
      action: 'sent-message-registered',
      role: 'Indbakke.System',
      details: ({ params, body }) => ({
        messageUuid: params.messageUUID,
        caseId: (body as { caseId: string }).caseId,
        fields: Object.keys(body ?? {}).join(' '),
      }),
    },
  ],
  setUpReply: [
    {
      action: 'reply-set-up',
      role: 'Indbakke.System',
      details: ({ body }) => {
        const { messageUUID, caseId, contactPointId } = body as Record<string, string>;
        return { messageUuid: messageUUID, caseId, contactPoint: contactPointId };
      },
    },
  ],
  upsertCase: [{ action: 'case-registered', role: 'Indbakke.System', details: fieldsOf }],
  getMunicipality: NOTHING, // settings, no messages
  changeMunicipality: [
    {
      action: 'municipality-changed',
      role: SETS_UP,
      details: () => ({ after: expect.stringMatching(/"replyDays":\d/) }),
    },
  ],
  listSettingsChanges: NOTHING,
  listRetention: NOTHING, // ids and times, no persons
  listContactPoints: NOTHING,
  addContactPoint: [
    {
      action: 'contact-point-added',
      role: SETS_UP,
      details: (_, answer) => ({ contactPoint: (answer as { id: string }).id }),
    },
  ],
  importContactPoints: [{ action: 'contact-point-added', role: SETS_UP }],
  getContactPoint: NOTHING,
  changeContactPoint: [
    {
      action: 'contact-point-changed',
      role: SETS_UP,
      details: ({ params }) => ({
        contactPoint: params.contactPointId,
        before: '{"kle":"27.24.00"}',
        after: '{"kle":"27.30.00"}',
      }),
    },
  ],
  removeContactPoint: [
    {
      action: 'contact-point-removed',
      role: SETS_UP,
      details: ({ params }) => ({ contactPoint: params.contactPointId }),
    },
  ],
  listDepartments: NOTHING, // no persons
  addDepartment: [
    {
      action: 'department-added',
      role: SETS_UP,
      details: (_, answer) => ({ department: (answer as { id: string }).id }),
    },
  ],
  importDepartments: [{ action: 'department-added', role: SETS_UP }],
  changeDepartment: [
    {
      action: 'department-changed',
      role: SETS_UP,
      details: ({ params }) => ({
        department: params.departmentId,
        before: '{"phone":"12 34 56 78"}',
        after: '{"phone":"87 65 43 21"}',
      }),
    },
  ],
  removeDepartment: [
    {
      action: 'department-removed',
      role: SETS_UP,
      details: ({ params }) => ({ department: params.departmentId }),
    },
  ],
  startContactPointCheck: [
    {
      action: 'contact-point-check-started',
      role: SETS_UP,
      details: ({ params }) => ({ contactPoint: params.contactPointId }),
    },
  ],
  getContactPointCheck: NOTHING, // counts and ids
  setAbsence: [{ action: 'absence-set', role: CORE, details: ({ params, body }) => ({ ...params, ...timesOf(body) }) }],
  getAbsence: NOTHING, // ids of users, no messages
  removeAbsence: [{ action: 'absence-removed', role: CORE, details: paramsOf }],
  registerCases: [
    {
      action: 'case-registered',
      role: 'Indbakke.System',
      details: ({ body }) => {
        const { caseId, ...fields } = body as { caseId: string };
        return { caseId, fields: Object.keys(fields).join(' ') };
      },
    },
  ],
  listEvents: NOTHING, // ids and codes, no persons
  createWebhook: [
    { action: 'webhook-created', role: CORE, details: (_, answer) => ({ webhookId: (answer as { id: string }).id }) },
  ],
  listWebhooks: NOTHING, // no persons
  getWebhook: NOTHING,
  changeWebhook: [{ action: 'webhook-changed', role: CORE, details: fieldsOf }],
  deleteWebhook: [{ action: 'webhook-deleted', role: CORE, details: paramsOf }],
  makeWebhookSecret: [{ action: 'webhook-secret-made', role: CORE, details: paramsOf }],
  listWebhookDeliveries: NOTHING, // ids and codes, no persons
  redeliverToWebhook: [{ action: 'webhook-redelivered', role: CORE, details: paramsOf }],
  listQuarantine: [
    {
      action: 'quarantine-listed',
      role: 'Indbakke.Drift',
      details: (_, answer) => ({ status: 'all', shown: (answer as { items: unknown[] }).items.length }),
    },
  ],
  downloadQuarantined: [{ action: 'quarantine-downloaded', role: 'Indbakke.Karantæne', details: paramsOf }],
  acceptQuarantined: [{ action: 'quarantine-accepted', role: 'Indbakke.Drift', details: paramsOf }],
  refuseQuarantined: [{ action: 'quarantine-refused', role: 'Indbakke.Drift', details: paramsOf }],
  removeQuarantined: [{ action: 'quarantine-removed', role: 'Indbakke.Drift', details: paramsOf }],
};

const actorOf = ({ as }: PreparedCall) => as.user as string;
/** What all rows of a call have. */
const commonOf = (call: PreparedCall) => ({
  municipality: call.as.operator ? INSTALLATION : ODENSKOV,
  actor: actorOf(call),
  actor_kind: call.as.system ? 'system' : 'user',
  origin: '127.0.0.1',
});
const messageOf = ({ operation, params }: PreparedCall) =>
  operation.path.includes('/incoming-documents/:id') ? params.id : null;
/** The message whose log is read. */
const sought = ({ body }: PreparedCall) => (body as { message?: string } | undefined)?.message;

async function answerOf(response: Response): Promise<unknown> {
  const bytes = Buffer.from(await response.arrayBuffer());
  return response.headers.get('content-type')?.includes('json') ? JSON.parse(bytes.toString()) : undefined;
}

it('has a row for every operation', () => {
  expect(Object.keys(EXPECTED).toSorted()).toEqual([...NAMES].toSorted());
});

const otherThan = (roles: readonly string[]) =>
  roles.includes('Revisionslog.Læs') ? 'DigitalPost.Slet' : 'Revisionslog.Læs';

const ONE_BY_ONE = NAMES.filter((name) => name !== 'bulkChangeIncomingDocuments');

describe('a call that succeeds writes these rows and no others:', () => {
  it.each(ONE_BY_ONE)('%s', async (name) => {
    for (const call of await calls.prepare(name)) {
      let answer: unknown;
      const rows = await rowsOf(actorOf(call), async () => {
        const response = await send(stack, call);
        answer = await answerOf(response);
        expect(response.ok, JSON.stringify(answer)).toBe(true);
      });
      const expected = EXPECTED[name].map(({ action, role, details, ofMessage }) => ({
        ...commonOf(call),
        action,
        role,
        result: 'done',
        message_id: ofMessage ? expect.any(String) : (messageOf(call) ?? sought(call) ?? null),
        details: expect.objectContaining(details?.(call, answer) ?? {}),
      }));
      expect(rows).toEqual(expected.map((row) => expect.objectContaining(row)));
    }
  });

  it('bulkChangeIncomingDocuments: one for each item', async () => {
    for (const call of await calls.prepare('bulkChangeIncomingDocuments')) {
      const { items } = call.body as { items: { id: string }[] };
      const missing = { ...items[0], id: randomUUID() };
      const withMissing = { ...call, body: { ...call.body, items: [...items, missing] } };
      const rows = await rowsOf(actorOf(call), () => send(stack, withMissing));
      const ofItem = (id: string) => rows.filter(({ message_id }) => message_id === id);
      expect(rows).toHaveLength(items.length + 1);
      for (const { id } of items) {
        expect(ofItem(id)).toEqual([
          expect.objectContaining({ ...commonOf(call), result: 'done', role: roleOf(call) }),
        ]);
      }
      const refused = { ...commonOf(call), action: 'refused', result: 'not-found', role: roleOf(call) };
      expect(ofItem(missing.id)).toEqual([expect.objectContaining(refused)]);
    }
  });
});

/** The role of the change that a bulk makes. */
function roleOf({ body }: PreparedCall): string {
  const { action } = body as { action: string };
  if (/delet/.test(action)) return 'DigitalPost.Slet';
  if (action.endsWith('assign')) return 'IndkomneDokumenter.Tildel';
  return `IndkomneDokumenter.${/reject|outcome|reopen/.test(action) ? 'Afvis' : 'Journaliser'}`;
}

describe('a refused call writes one row:', () => {
  it.each(NAMES)('%s without the role', async (name) => {
    const [prepared] = await calls.prepare(name);
    const operator = operationOf(name).isOfInstallation ?? false;
    const as = { user: 'nobody', roles: [otherThan(operationOf(name).roles)], operator };
    const call = { ...(prepared as PreparedCall), as };
    const rows = await rowsOf('nobody', async () => expectProblem(await send(stack, call), 403, 'role-missing'));
    const refused = {
      ...commonOf(call),
      action: 'refused',
      result: 'role-missing',
      role: null,
      message_id: messageOf(call) ?? null,
    };
    expect(rows).toEqual([expect.objectContaining({ ...refused, details: refusalOf(call) })]);
  });

  const OF_INSTALLATION = NAMES.filter((name) => operationOf(name).isOfInstallation);

  it.each(OF_INSTALLATION)('%s with every role, but of a municipality', async (name) => {
    const [prepared] = (await calls.prepare(name)) as [PreparedCall];
    const call = { ...prepared, as: { user: 'nosy', roles: Object.keys(ROLES) } };
    const rows = await rowsOf('nosy', async () => expectProblem(await send(stack, call), 403, 'role-missing'));
    const refused = { ...commonOf(call), action: 'refused', result: 'role-missing', role: null };
    expect(rows).toEqual([expect.objectContaining({ ...refused, details: refusalOf(call) })]);
  });

  const ON_ONE = NAMES.filter((name) => {
    const { params, method, change, isOfInstallation } = operationOf(name);
    return (params && (method !== 'put' || isOfInstallation)) || change;
  });

  it.each(ON_ONE)('%s of what is not there', async (name) => {
    const [prepared] = (await calls.prepare(name)) as [PreparedCall];
    const params = Object.fromEntries(Object.keys(prepared.params).map((param) => [param, randomUUID()]));
    const call = { ...prepared, params };
    const rows = await rowsOf(actorOf(call), async () => expectProblem(await send(stack, call), 404, 'not-found'));
    const refused = { ...commonOf(call), action: 'refused', result: 'not-found', message_id: messageOf(call) };
    expect(rows).toEqual([expect.objectContaining({ ...refused, details: refusalOf(call), role: expect.any(String) })]);
  });

  it('not one that the caller got wrong, or that came too late', async () => {
    const as = { ...SETUP, user: 'hurried' };
    const id = await deliverMemo(stack);
    const rows = await rowsOf('hurried', async () => {
      await expectProblem(await stack.call('GET', '/incoming-documents?limit=0', { as }), 400, 'bad-request');
      const late = { as, version: 7, body: { reason: 'unwanted', explanation: 'Ikke til os' } };
      await expectProblem(
        await stack.call('POST', `/incoming-documents/${id}/rejection`, late),
        412,
        'version-changed',
      );
    });
    expect(rows).toEqual([]);
  });

  /** All ids of the call but the message’s. */
  function refusalOf(call: PreparedCall) {
    const { operation, params } = call;
    const { id, caseId: _, ...others } = params;
    const ids = messageOf(call) === null ? (id === undefined ? others : { ...others, id }) : others;
    return { ...ids, call: `${operation.method} ${operation.path}` };
  }
});

describe('the role is the one that allowed it:', () => {
  const reading = async (id: string, roles: string[], user = `reader-${randomUUID()}`) => {
    const rows = await rowsOf(user, () => read(stack, id, { user, roles }));
    return rows.map(({ role }) => role);
  };

  it('Læs of the assignee’s own, SeAlle of what is another’s', async () => {
    const id = await deliverMemo(stack);
    const body = { assignee: { kind: 'user', id: 'reader-own' } };
    expect(
      (await stack.call('PUT', `/incoming-documents/${id}/assignment`, { as: SETUP, version: 1, body })).status,
    ).toBe(200);
    expect(await reading(id, [LAES, SEES_ALL], 'reader-own')).toEqual([LAES]);
    expect(await reading(id, [LAES, SEES_ALL])).toEqual([SEES_ALL]);
  });

  it('Opsætning of a held message, though the reader has Læs too', async () => {
    const id = await deliverMemo(stack);
    await stack.sql(`UPDATE messages SET status = 'held', held_cause = 'enquiries-off' WHERE id = $1`, [id]);
    expect(await reading(id, [LAES, SEES_ALL, 'Indbakke.Opsætning'])).toEqual(['Indbakke.Opsætning']);
  });

  it.each([
    ['status=held', 'Indbakke.Opsætning'],
    ['status=pending', LAES],
  ])('of a list with %s', async (query, role) => {
    const as = { user: 'setter', roles: [LAES, 'Indbakke.Opsætning'] };
    const rows = await rowsOf('setter', () => stack.call('GET', `/incoming-documents?${query}`, { as }));
    expect(rows.map((row) => row.role)).toEqual([role]);
  });
});

describe('a list', () => {
  const search = async (body: object) => {
    let items: unknown[] = [];
    const as = { ...SETUP, user: 'searcher' };
    const [row, ...more] = await rowsOf('searcher', async () => {
      const response = await stack.call('POST', '/incoming-documents/search', { as, body });
      items = ((await response.json()) as { items: unknown[] }).items;
    });
    expect(more).toEqual([]);
    expect(row?.details.shown).toBe(items.length);
    return { citizen: row?.citizen, shown: items.length };
  };

  it.each([
    ['sender', { sender: '460606-9999' }],
    ['concerning', { concerning: '4606069999' }],
    ['q', { q: '460606 9999' }],
    ['q with other words', { q: 'Emma 460606-9999' }],
    ['concerning, before sender', { concerning: '4606069999', sender: '4707079999' }],
  ])('by a citizen’s number in %s carries the hash that the citizen’s messages have', async (_where, body) => {
    const id = await deliverMemo(stack, {
      sender: { id: '4707079999', name: 'Test Testesen' },
      concerning: { cpr: '460606-9999', name: 'Emma Testesen' },
    });
    const subjects = await stack.sql<{ key: string }>(
      `SELECT key FROM message_subjects WHERE message_id = $1 AND kind = 'citizen'`,
      [id],
    );
    const { citizen } = await search(body);
    expect(citizen).toBe(digestOfParty(keys, '4606069999').toString('hex'));
    expect(subjects.map(({ key }) => key)).toContain(citizen);
  });

  it.each([{}, { q: 'Emma' }, { q: '12345678901' }, { case: 'K-1' }])('by %j carries none', async (body) => {
    expect((await search(body)).citizen).toBeNull();
  });

  it('has how many each page showed, of any filter and order', async () => {
    for (let more = 0; more < 5; more += 1) await deliverMemo(stack, { subject: 'Sider' });
    for (const filter of [
      {},
      { hasMedia: false },
      { q: 'Sider' },
      { late: false, sort: '-letterAt' },
      { sort: 'replyBy' },
    ]) {
      for (const limit of [1, 2, 200]) expect((await search({ ...filter, limit })).shown).toBeLessThanOrEqual(limit);
    }
  });
});

it('a page that ends where so many were read has how many it showed, of several statuses', async () => {
  const id = await deliverMemo(stack, { recipient: { id: VESTERSUND } });
  await upsertCase(stack, 'K-1', {}, VESTERSUND);
  await stack.sql(
    `INSERT INTO messages SELECT (jsonb_populate_record(m, jsonb_build_object('id', gen_random_uuid(), 'external_id', n,
       'received_at', now() - make_interval(secs => n),
       'status', CASE WHEN n % 3 = 0 THEN 'journalized' ELSE 'rejected' END, 'status_before', CASE WHEN n % 3 > 0 THEN 'pending' END,
       'suggested_case_id', CASE WHEN n % 100 < 2 THEN 'K-1' END, 'suggestion_basis', CASE WHEN n % 100 < 2 THEN 'case-id' END,
       'suggestion_sender', CASE WHEN n % 100 < 2 THEN 'other' END))).*
     FROM messages m, generate_series(1, 3500) AS n WHERE m.id = $1`,
    [id],
  );
  const as = { ...SETUP, user: 'pager', municipality: VESTERSUND };
  const shown: number[] = [];
  const rows = await rowsOf('pager', async () => {
    let cursor: string | undefined;
    do {
      const body = { status: ['journalized', 'rejected'], hasSuggestion: true, sort: '-receivedAt', cursor };
      const response = await stack.call('POST', '/incoming-documents/search', { as, body });
      const page = (await response.json()) as { items: unknown[]; nextCursor: string | null };
      shown.push(page.items.length);
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
  });
  expect(shown.length).toBeGreaterThan(2);
  const suggested = await stack.sql(
    `SELECT FROM messages WHERE municipality = $1 AND status IN ('journalized', 'rejected') AND suggested_case_id IS NOT NULL`,
    [VESTERSUND],
  );
  expect(suggested.length).toBeGreaterThanOrEqual(70);
  expect(shown.reduce((sum, each) => sum + each)).toBe(suggested.length);
  expect(rows.map(({ details }) => details.shown)).toEqual(shown);
});

describe('a row is in the transaction of its change:', () => {
  const ofMessage = (id: string) =>
    stack.sql<{ action: string }>('SELECT action FROM audit_events WHERE message_id = $1 ORDER BY at, id', [id]);
  const journalize = (id: string, body: object) =>
    stack.call('POST', `/incoming-documents/${id}/journalization`, { as: SETUP, version: 1, body });

  it('a change that fails leaves none', async () => {
    const id = await deliverMemo(stack);
    await expectProblem(await journalize(id, { caseIds: ['K-never'] }), 409, 'unknown-case');
    expect(await ofMessage(id)).toEqual([{ action: 'accepted' }]);
  });

  it('one whose connection is cut after it was written leaves none', async () => {
    const id = await deliverMemo(stack);
    await upsertCase(stack, 'K-locked', { status: 'closed' });
    const blocker = new pg.Client({ connectionString: stack.ownerUrl });
    await blocker.connect();
    await blocker.query('BEGIN');
    await blocker.query(`SELECT FROM cases WHERE case_id = 'K-locked' FOR UPDATE`);
    const answer = journalize(id, { caseIds: ['K-locked'], casesAreOpen: true });
    const blocked = await askUntil(
      () =>
        stack.sql<{ pid: number }>(
          `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        ),
      (rows) => rows.length > 0,
    );
    await stack.sql('SELECT pg_terminate_backend($1)', [blocked[0]?.pid]);
    expect((await answer).status).toBe(503);
    await blocker.end();
    expect(await ofMessage(id)).toEqual([{ action: 'accepted' }]);
    expect(await read(stack, id)).toMatchObject({ status: 'pending', version: 1 });
  });
});

it('no row of the log, and none of whom messages are about, has a name, number, subject or file name', async () => {
  const personal = {
    name: 'Hemmelig Testesen',
    subject: 'Om Hemmelig',
    cpr: '4808089999',
    file: 'hemmelig.pdf',
    case: 'K-5',
  };
  const documents = [
    {
      label: personal.subject,
      files: [{ name: personal.file, type: 'text/plain', content: Buffer.from('Hemmeligt') }],
    },
  ];
  const sender = { id: personal.cpr, name: personal.name };
  await upsertCase(stack, personal.case, { parties: [personal.cpr] });
  const replyUUID = randomUUID();
  const sent = { caseId: personal.case, messageId: randomUUID(), recipientId: personal.cpr };
  await stack.call('PUT', `/sent-messages/${replyUUID}`, { as: { user: 'dubu-core', system: true }, body: sent });
  const concerning = { cpr: personal.cpr, name: personal.name };
  const id = await deliverReply(stack, [{ messageUUID: replyUUID }], {
    subject: personal.subject,
    sender,
    concerning,
    documents,
  });
  for (const body of [{ q: personal.name }, { q: personal.cpr }, { sender: personal.cpr }, { case: personal.cpr }]) {
    await stack.call('POST', '/incoming-documents/search', { as: SETUP, body });
    await stack.call('POST', '/incoming-documents/export', { as: SETUP, body });
  }
  const { documents: read1 } = await read(stack, id);
  await stack.call('GET', `/incoming-documents/${id}/files/${read1[0]?.files[0]?.id}`);
  await stack.call('GET', `/incoming-documents/${personal.cpr}`);
  await stack.call('PUT', `/cases/${personal.cpr}`, { as: { user: 'nobody', roles: [] }, body: {} });
  const rejection = { reason: 'other', explanation: personal.name, outcome: { forwardedTo: { name: personal.name } } };
  await stack.call('POST', `/incoming-documents/${id}/rejection`, { as: SETUP, version: 2, body: rejection });
  const rows = await stack.sql<{ text: string }>(
    `SELECT a::text AS text FROM audit_events a UNION ALL SELECT e::text FROM events e UNION ALL SELECT s::text FROM message_subjects s`,
  );
  const text = rows.map((row) => row.text).join('\n');
  expect(text).toContain(id);
  for (const secret of [
    'Hemmelig',
    'hemmelig',
    'Testesen',
    personal.cpr,
    '480808-9999',
    'Henvendelse',
    '4101019999',
    '4606069999',
  ]) {
    expect(text).not.toContain(secret);
  }
});

it('a refusal that cannot be recorded is not told: the caller is asked to try again later', async () => {
  await stack.sql('REVOKE INSERT ON audit_events FROM indbakke_app');
  try {
    await expectProblem(await stack.call('GET', '/incoming-documents', { as: { roles: [] } }), 503, 'unavailable');
  } finally {
    await stack.sql('GRANT INSERT ON audit_events TO indbakke_app');
  }
});
