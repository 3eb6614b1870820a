import { CommonConfig, readConfig } from '@indbakke/shared/config';
import { type CreateService, openParts, type Running, serve } from '@indbakke/shared/service';
import type { Store } from '@indbakke/shared/store';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMakePackageHandler } from '../../services/archiver/src/access-packages/make-package.js';
import { createMakeExtractHandler } from '../../services/journaler/src/extracts/make-extract.js';
import { readWithPython } from '../../services/journaler/test/support/spreadsheets.js';
import { NAMES, type Name, openCalls, operationOf, type PreparedCall, targetOf } from '../../shared/test/api/calls.js';
import {
  deliverMemo,
  deliverReply,
  expectProblem,
  read,
  registerSentMessage,
} from '../../shared/test/inbox/support.js';
import { allServices, StackConfig } from '../src/local/services.js';
import { checkedFetch } from '../src/testkit/checked-fetch.js';
import { sendingOn } from '../src/testkit/sending-on.js';
import { CONTACT_POINT, ODENSKOV, startTestStack, type TestStack, VESTERSUND } from '../src/testkit/stack.js';
import { type Statement, watchStatements } from '../src/testkit/watched-store.js';

// @module-tag long

// Every statement is bound to the caller's municipality twice: by a condition in the code, and by row-level security. Here each
// is taken away in turn: the other alone leaks nothing, and with neither everything leaks, so that both were really away.

const [OURS, THEIRS] = [VESTERSUND, ODENSKOV]; // we attack; everything of theirs is there
const SECRET = 'Hemmelig Testesen';
const THEIR_CITIZEN = '4202029999';

let stack: TestStack;
let calls: Awaited<ReturnType<typeof openCalls>>;
const theirs = new Map<Name, PreparedCall>();
const theirCall = (name: Name) => theirs.get(name) as PreparedCall;
/** A letter that they sent from the case BF-1. */
const theirLetter = () => theirCall('registerSentMessage').params.messageUUID as string;
/** What must not be in an answer to us. */
let secrets: string[];

beforeAll(async () => {
  stack = await startTestStack(sendingOn);
  calls = await openCalls(stack);
  for (const name of NAMES) {
    const [call] = await calls.prepare(name);
    theirs.set(name, call as PreparedCall);
  }
  // Without words, since those are found by a function that keeps to the municipality by itself.
  theirs.set('searchIncomingDocuments', { ...theirCall('searchIncomingDocuments'), body: { status: ['pending'] } });
  // Of our log, without our attacks: what they were made on is in it.
  theirs.set('listAuditEvents', { ...theirCall('listAuditEvents'), query: { action: 'accepted' } });
  theirs.set('searchAuditEvents', {
    ...theirCall('searchAuditEvents'),
    body: { citizen: '4101019999', action: 'accepted' },
  });
  theirs.set('exportAuditEvents', { ...theirCall('exportAuditEvents'), body: { action: 'accepted' } });
  await stack.sql(`UPDATE messages SET handled_at = handled_at - interval '2 days' WHERE municipality = $1`, [THEIRS]);
  theirs.set('listRetention', {
    ...theirCall('listRetention'),
    query: { removeContentAfterDays: '1', flagRejectedAfterDays: '1' },
  });
  const sender = { id: THEIR_CITIZEN, name: SECRET };
  await deliverMemo(stack, { subject: `Om ${SECRET}`, sender, concerning: { cpr: THEIR_CITIZEN, name: SECRET } });
  await registerSentMessage(stack, theirLetter(), { caseId: 'BF-1' }, THEIRS);
  await deliverReply(stack, [{ messageUUID: theirLetter() }]);
  await deliverMemo(stack, { recipient: { id: OURS }, subject: 'Vores', sender: { id: '4303039999', name: 'Vores' } });
  const ids = await stack.sql<{ id: string }>(
    `SELECT id::text FROM messages WHERE municipality = $1 UNION ALL SELECT id::text FROM files WHERE municipality = $1
     UNION ALL SELECT id::text FROM extracts WHERE municipality = $1 UNION ALL SELECT id::text FROM webhooks WHERE municipality = $1
     UNION ALL SELECT id::text FROM access_packages WHERE municipality = $1
     UNION ALL SELECT department_id FROM departments WHERE municipality = $1 AND department_id LIKE '%-%-%-%'
     UNION ALL SELECT id::text FROM zip_downloads WHERE municipality = $1
     UNION ALL SELECT contact_point_id FROM contact_points WHERE municipality = $1 AND contact_point_id <> '${CONTACT_POINT}'`,
    [THEIRS],
  );
  secrets = [...ids.map(({ id }) => id), SECRET, THEIR_CITIZEN, 'Henvendelse'];
});

afterAll(async () => {
  await calls.close();
  await stack.close();
});

/** Runs the services again on the same database, with another store. */
async function serveWith(change: (store: Store) => Store): Promise<Running> {
  const config = readConfig(StackConfig, stack.env);
  const services = allServices(config).map(
    (create): CreateService =>
      async (parts, askParts) => ({
        ...(await create({ ...parts, store: change(parts.store) }, askParts)),
        jobs: [],
        sweeps: [],
      }),
  );
  return serve(config, 'other', services);
}

/** Their call, made by us: with every role, and under the same name. */
async function attack(url: string, call: PreparedCall, municipality: string = OURS): Promise<Response> {
  const { operation, as, headers, body } = call;
  return checkedFetch(`${url}/api/v1${targetOf(call)}`, {
    method: operation.method.toUpperCase(),
    headers: {
      authorization: `Bearer ${await stack.token({ ...as, municipality })}`,
      ...(body && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body && { body: JSON.stringify(body) }),
  });
}

/** An answer as text, sheets opened. */
async function textOf(response: Response): Promise<string> {
  const bytes = Buffer.from(await response.arrayBuffer());
  const isSheet = response.headers.get('content-type')?.includes('spreadsheetml');
  return isSheet && response.ok ? JSON.stringify(await readWithPython(bytes)) : bytes.toString('utf8');
}

const leaksIn = (text: string) => secrets.filter((secret) => text.includes(secret));

/** Calls that find by themselves what there is. */
const isListing = (name: Name) => !operationOf(name).params && operationOf(name).method !== 'put' && !CREATES.has(name);
const OF_MUNICIPALITIES = NAMES.filter((name) => !operationOf(name).isOfInstallation);
const OF_INSTALLATION = NAMES.filter((name) => operationOf(name).isOfInstallation);
const CREATES: ReadonlySet<Name> = new Set([
  'createExtract',
  'createWebhook',
  'createAccessPackage',
  'createZipDownload',
  'registerCases',
  'addContactPoint',
  'importContactPoints',
  'addDepartment',
  'importDepartments',
  'bulkChangeIncomingDocuments',
  'setUpReply',
]);
const LISTINGS = OF_MUNICIPALITIES.filter(isListing);
/** An offer is a row of both municipalities, so row-level security shows it to either: the code alone tells giver from taker. */
const OF_BOTH: ReadonlySet<Name> = new Set(['listHandovers', 'takeHandover', 'refuseHandover']);
const ofOne = (name: Name) => !OF_BOTH.has(name);
/** They make what is not there. */
const REGISTERS: ReadonlySet<Name> = new Set(['registerSentMessage', 'upsertCase', 'setAbsence']);
const ON_ONE = OF_MUNICIPALITIES.filter((name) => operationOf(name).params && !REGISTERS.has(name));
const READS_ONE = ON_ONE.filter((name) => operationOf(name).method === 'get');

const TENANT_CONDITION = /([\w."]*\b(?:municipality|cvr)) = (\$\d+)(?!::)/g;

async function setRowLevelSecurity(state: 'ENABLE' | 'DISABLE'): Promise<void> {
  const tables = await stack.sql<{ name: string }>(
    `SELECT c.relname AS name FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND EXISTS (
       SELECT FROM pg_policy WHERE polrelid = c.oid)`,
  );
  for (const { name } of tables) await stack.sql(`ALTER TABLE ${name} ${state} ROW LEVEL SECURITY`);
}

/** Of every row of theirs but the audit log’s, and without what numbering writes by itself. */
async function digestTheirs(): Promise<object[]> {
  const tables = await stack.sql<{ name: string }>(
    `SELECT c.relname AS name FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND NOT relispartition
       AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'municipality') AND relname <> 'feed_heads'`,
  );
  return Promise.all(
    tables.map(async ({ name }) => {
      const text = name === 'events' ? `(to_jsonb(t) - 'position')::text` : 't::text';
      const [row] = await stack.sql(
        `SELECT md5(coalesce(string_agg(${text}, '' ORDER BY ${text}), '')) AS digest FROM ${name} t WHERE municipality = $1`,
        [THEIRS],
      );
      return { name, ...row };
    }),
  );
}

describe('without the condition in the code, row-level security', () => {
  let open: Running;
  let conditions = 0;

  const withoutCondition = ({ text }: Statement) =>
    text.replace(TENANT_CONDITION, (condition) => {
      conditions += 1;
      return `(true OR ${condition})`;
    });

  beforeAll(async () => {
    open = await serveWith((store) => watchStatements(store, withoutCondition));
  });

  afterAll(() => open.close());

  /** The call, in whose statements a condition must have been taken away. */
  async function attackOpen(name: Name): Promise<Response> {
    conditions = 0;
    const response = await attack(open.url, theirCall(name));
    expect(conditions, `${name} has no condition in the code`).toBeGreaterThan(0);
    return response;
  }

  it.each(LISTINGS.filter(ofOne))('shows nothing of another municipality: %s', async (name) => {
    const response = await attackOpen(name);
    expect(response.status).toBe(200);
    expect(leaksIn(await textOf(response))).toEqual([]);
  });

  it.each(ON_ONE.filter(ofOne))(
    'finds nothing of another municipality, and changes nothing there: %s',
    async (name) => {
      const before = await digestTheirs();
      const response = await attackOpen(name);
      expect(response.status).toBe(404);
      expect(leaksIn(await textOf(response))).toEqual([]);
      expect(await digestTheirs()).toEqual(before);
    },
  );

  it('changes nothing of another municipality in a bulk', async () => {
    const before = await digestTheirs();
    const response = await attackOpen('bulkChangeIncomingDocuments');
    expect(await response.json()).toMatchObject({ items: [{ done: null, problem: { code: 'not-found' } }] });
    expect(await digestTheirs()).toEqual(before);
  });

  it.each([
    { q: SECRET },
    { q: 'hemm' },
    { q: THEIR_CITIZEN },
    { sender: THEIR_CITIZEN },
    { concerning: THEIR_CITIZEN },
    { case: 'BF-1', status: ['journalized'] },
    { assignee: 'anna' },
    { status: ['pending', 'held', 'journalized', 'rejected'] },
  ])('finds nothing of another municipality by a filter: %j', async (body) => {
    const call = { ...theirCall('searchIncomingDocuments'), body };
    const response = await attack(open.url, call);
    expect(response.status).toBe(200);
    expect(leaksIn(await textOf(response))).toEqual([]);
  });

  describe('taken away as well,', () => {
    beforeAll(() => setRowLevelSecurity('DISABLE'));
    afterAll(() => setRowLevelSecurity('ENABLE'));

    // Of settings there is one row, whichever comes first.
    it.each(LISTINGS.filter((name) => ofOne(name) && name !== 'getMunicipality'))(
      'leaves everything open: %s',
      async (name) => {
        const response = await attackOpen(name);
        expect(response.status).toBe(200);
        const text = await textOf(response);
        if (/figures|summar/i.test(name)) {
          const ours = await attack(stack.url, theirCall(name));
          expect(text.replaceAll(/"at":"[^"]*"/g, '')).not.toBe((await textOf(ours)).replaceAll(/"at":"[^"]*"/g, ''));
        } else expect(leaksIn(text)).not.toEqual([]);
      },
    );

    it.each(READS_ONE)('leaves everything open: %s', async (name) => {
      expect((await attackOpen(name)).status).toBe(200);
    });
  });
});

describe('what is of the installation is closed to municipalities:', () => {
  const digestEntries = () => stack.sql('SELECT e::text FROM quarantine_entries e ORDER BY id');

  /** A statement on the quarantine, bound to a municipality. */
  async function asMunicipality(statement: string) {
    const client = new pg.Client({ connectionString: stack.serviceUrl });
    await client.connect();
    try {
      await client.query('BEGIN; SET LOCAL ROLE indbakke_app');
      await client.query(`SELECT set_config('indbakke.municipality', $1, true)`, [OURS]);
      return (await client.query(statement)).rowCount;
    } finally {
      await client.end();
    }
  }

  it.each(OF_INSTALLATION)('by the token: %s', async (name) => {
    const before = await digestEntries();
    const { operator: _, ...as } = theirCall(name).as;
    const response = await attack(stack.url, { ...theirCall(name), as });
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ code: 'role-missing' });
    expect(await digestEntries()).toEqual(before);
  });

  it.each([
    'SELECT FROM quarantine_entries',
    `UPDATE quarantine_entries SET status = 'answer-accepted', accepted_at = now(), accepted_by = 'x'`,
    'DELETE FROM quarantine_entries',
    `SELECT FROM audit_events WHERE municipality = 'installation'`,
  ])('by row-level security: %s', async (statement) => {
    expect((await digestEntries()).length).toBeGreaterThan(0);
    expect(await asMunicipality(statement)).toBe(0);
  });
});

describe('without row-level security, the condition in the code', () => {
  beforeAll(() => setRowLevelSecurity('DISABLE'));
  afterAll(() => setRowLevelSecurity('ENABLE'));

  it.each(LISTINGS)('shows nothing of another municipality: %s', async (name) => {
    const response = await attack(stack.url, theirCall(name));
    expect(response.status).toBe(200);
    expect(leaksIn(await textOf(response))).toEqual([]);
  });

  it.each(ON_ONE)('finds nothing of another municipality, and changes nothing there: %s', async (name) => {
    const before = await digestTheirs();
    expect((await attack(stack.url, theirCall(name))).status).toBe(404);
    expect(await digestTheirs()).toEqual(before);
  });

  it('suggests no case of another municipality', async () => {
    const id = await deliverReply(stack, [{ messageUUID: theirLetter() }], { recipient: { id: OURS } });
    expect((await read(stack, id, { municipality: OURS })).suggestion).toBeNull();
  });

  it('makes no file of an extract for another municipality', async () => {
    const { extractId } = theirCall('getExtract').params as { extractId: string };
    await stack.sql(`UPDATE extracts SET next_run_at = now() WHERE id = $1`, [extractId]);
    const before = await digestTheirs();
    const [job] = await stack.sql<{ run: number }>('SELECT run FROM extracts WHERE id = $1', [extractId]);
    const parts = await openParts(readConfig(CommonConfig, stack.env), 'by-hand');
    const make = createMakeExtractHandler(parts, { SMALL_CONTENT_BYTES: 65_536 });
    await make({ extractId, municipality: OURS, run: job?.run as number }, { signal: new AbortController().signal });
    await parts.queues.close();
    await parts.store.close();
    expect(await digestTheirs()).toEqual(before);
  });

  it('puts no message of another municipality into an access package, nor makes one for it', async () => {
    const { packageId } = theirCall('getAccessPackage').params as { packageId: string };
    const waiting = `UPDATE access_packages SET status = 'waiting', sha256 = NULL, key_id = NULL, next_enqueue_at = 'infinity' WHERE id = $1`;
    await stack.sql(waiting, [packageId]);
    const before = await digestTheirs();
    const [theirJob] = await stack.sql<{ run: number }>('SELECT run FROM access_packages WHERE id = $1', [packageId]);
    const parts = await openParts(readConfig(CommonConfig, stack.env), 'by-hand');
    const make = createMakePackageHandler(parts, { SMALL_CONTENT_BYTES: 262_144 });
    const context = { attempt: 1, signal: new AbortController().signal };
    await make({ packageId, municipality: OURS, run: theirJob?.run as number }, context);
    expect(await digestTheirs()).toEqual(before);

    const as = { user: 'aktindsigt-2', municipality: OURS, roles: ['Indbakke.Aktindsigt'] };
    const body = { citizen: THEIR_CITIZEN };
    const { id } = (await (await stack.call('POST', '/access-packages', { as, body })).json()) as { id: string };
    await stack.sql(`UPDATE access_packages SET run = 1, next_enqueue_at = 'infinity' WHERE id = $1`, [id]);
    await make({ packageId: id, municipality: OURS, run: 1 }, context);
    const made = await stack.call('GET', `/access-packages/${id}`, { as });
    expect(await made.json()).toMatchObject({ status: 'made', messageCount: 0 });
    await parts.queues.close();
    await parts.store.close();
  });

  it.each(['registerSentMessage', 'upsertCase'] as const)('registers here alone: %s', async (name) => {
    const before = await digestTheirs();
    expect((await attack(stack.url, theirCall(name))).status).toBe(204);
    expect(await digestTheirs()).toEqual(before);
  });
});

it.each([...CREATES, ...REGISTERS].filter((name) => !name.startsWith('bulk')))(
  'makes nothing for a municipality that is not set up: %s',
  async (name) => {
    const response = await attack(stack.url, theirCall(name), '99999999');
    await expectProblem(response, 404, 'not-found');
  },
);

describe('what another municipality has is answered like what nobody has:', () => {
  let watched: Running;
  let statements: Statement[] = [];
  let client: pg.Client;

  beforeAll(async () => {
    watched = await serveWith((store) =>
      watchStatements(store, (statement) => {
        statements.push(statement);
        return statement.text;
      }),
    );
    client = new pg.Client({ connectionString: stack.serviceUrl });
    await client.connect();
    // Else the shape is that of the statistics of the moment.
    await client.query('SET enable_bitmapscan = off');
    // So many that PostgreSQL looks a message up by its id.
    await stack.sql(
      `INSERT INTO messages SELECT (jsonb_populate_record(m, jsonb_build_object('id', gen_random_uuid(), 'external_id', n))).*
       FROM messages m, generate_series(1, 3000) AS n
       WHERE m.id = (SELECT id FROM messages WHERE municipality = $1 AND blob_name IS NULL LIMIT 1)`,
      [OURS],
    );
    await stack.sql('ANALYZE messages');
  });

  afterAll(async () => {
    await client.end();
    await watched.close();
  });

  const NOBODYS = '0197a3b0-0000-7000-8000-00000000ffff';
  const nobodys = (call: PreparedCall): PreparedCall => ({
    ...call,
    params: Object.fromEntries(Object.keys(call.params).map((name) => [name, NOBODYS])),
  });

  /** Everything of the answer and the audit log that could tell the two apart, with the ids that were asked for as `id`. */
  async function traceOf(call: PreparedCall) {
    statements = [];
    const response = await attack(watched.url, call);
    const { correlationId, ...problem } = (await response.json()) as { correlationId: string };
    expect(correlationId).toBe(response.headers.get('x-correlation-id'));
    const headers = [...response.headers].filter(([name]) => name !== 'date' && name !== 'x-correlation-id');
    const [audit] = await stack.sql(
      `SELECT municipality, actor_kind, actor, on_behalf_of, role, origin, action, result, message_id::text, details FROM audit_events
       ORDER BY at DESC, id DESC LIMIT 1`,
    );
    const ids = new RegExp(Object.values(call.params).join('|'), 'g');
    return {
      answer: { status: response.status, problem, headers },
      audit: JSON.parse(JSON.stringify(audit).replaceAll(ids, 'id')),
      statements: statements.map(({ text }) => text),
    };
  }

  /** How PostgreSQL runs a statement for us: its plan, and the blocks that it touches. Nothing is kept. */
  async function workOf({ text, values }: Statement) {
    const explain = { text: `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${text}`, values: [...values] };
    const results = [];
    for (let times = 0; times < 2; times += 1) {
      await client.query('BEGIN; SET LOCAL ROLE indbakke_app; SET LOCAL enable_seqscan = off');
      await client.query(`SELECT set_config('indbakke.municipality', $1, true)`, [OURS]);
      const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(explain);
      await client.query('ROLLBACK');
      results.push(rows[0]?.['QUERY PLAN'][0].Plan as PlanNode);
    }
    const plan = results[1] as PlanNode; // the first one may have warmed a cache
    return { shape: shapeOf(plan), blocks: plan['Shared Hit Blocks'] + plan['Shared Read Blocks'] };
  }

  interface PlanNode {
    readonly 'Node Type': string;
    readonly 'Index Name'?: string;
    readonly 'Actual Rows': number;
    readonly 'Shared Hit Blocks': number;
    readonly 'Shared Read Blocks': number;
    readonly Plans?: PlanNode[];
  }

  /** The nodes that ran, with their rows. */
  function shapeOf({ 'Node Type': node, 'Index Name': index, 'Actual Rows': rows, Plans = [] }: PlanNode): unknown {
    return [node, index, rows, ...Plans.map(shapeOf)];
  }

  it.each(ON_ONE)('%s', async (name) => {
    const call = theirCall(name);
    const theirsAsked = await traceOf(call);
    const ofTheirs = statements;
    const nobodysAsked = await traceOf(nobodys(call));
    const ofNobodys = statements;
    expect(theirsAsked).toEqual(nobodysAsked);
    expect(theirsAsked.answer.status).toBe(404);
    expect(theirsAsked.audit).toMatchObject({ municipality: OURS, action: 'refused', result: 'not-found' });

    for (const [index, statement] of ofTheirs.entries()) {
      if (/^\s*INSERT/.test(statement.text)) continue; // of the audit row and the like, whose place in an index varies
      const [found, missed] = [await workOf(statement), await workOf(ofNobodys[index] as Statement)];
      expect(found.shape).toEqual(missed.shape);
      // The index of ids leads to one row of theirs, whose municipality is then compared: no more work than that.
      expect(found.blocks - missed.blocks).toBeOneOf([0, 1]);
    }
  });
});

describe('a function that runs with the rights of the owner', () => {
  const ALL = ['pending', 'held', 'journalized', 'rejected'];

  /** What search_messages() finds for the services, and whether it is of the municipality. */
  async function search(municipality: string, query: string, statuses: string[]) {
    const client = new pg.Client({ connectionString: stack.serviceUrl });
    await client.connect();
    try {
      await client.query('BEGIN; SET LOCAL ROLE indbakke_app');
      await client.query(`SELECT set_config('indbakke.municipality', $1, true)`, [municipality]);
      const { rows } = await client.query<{ isOwn: boolean }>(
        `SELECT EXISTS (SELECT FROM messages WHERE id = message_id) AS "isOwn"
         FROM search_messages($1, $2, true, NULL, NULL, NULL, NULL, 100)`,
        [query, statuses],
      );
      return rows;
    } finally {
      await client.end();
    }
  }

  it('is one of these: each is tested here, or tells nothing of messages', async () => {
    const functions = await stack.sql<{ name: string }>(
      `SELECT proname AS name FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef ORDER BY 1`,
    );
    const ofMonths = ['audit_month_faults', 'audit_months_before', 'drop_audit_month', 'make_audit_months'];
    const ofScrub = ['begin', 'begin_wal', 'copy', 'due', 'end', 'end_wal', 'fill_wal', 'swap'].map(
      (name) => `scrub_${name}`,
    );
    const ofOperations = ['database_size', 'ids_here', 'master_keys_in_use']; // ids_here tells only of ids that are given
    const ofMessages = ['is_in_sight', 'search_messages'];
    const known = ['applied_migrations', ...ofMonths, ...ofScrub, ...ofOperations, ...ofMessages].sort();
    expect(functions.map(({ name }) => name)).toEqual(known);
  });

  it.each([
    ['a word', 'hemmelig', ALL],
    ['the beginning of a word', 'he', ALL],
    ['a number', THEIR_CITIZEN, ALL],
    ['a word like one in the index', `${THEIRS}p1401:hemmelig`, ALL],
    ['a word with quotes', `x\\' | '${THEIRS}`, ALL],
    ['a status that is none', 'hemmelig', ['pending', `p1401:' | '${THEIRS}p`]],
    ['no word', ' ', ALL],
  ])('finds what is of the municipality that is set, and nothing else: by %s', async (_what, query, statuses) => {
    expect(await search('', query, statuses)).toEqual([]);
    for (const municipality of [OURS, THEIRS]) {
      for (const { isOwn } of await search(municipality, query, statuses)) expect(isOwn).toBe(true);
    }
  });

  it('says of no message of others that it is in sight', async () => {
    const [own] = await stack.sql<{ id: string }>(
      `UPDATE messages SET contact_point_id = 'point-1'
       WHERE id = (SELECT id FROM messages WHERE municipality = $1 LIMIT 1) RETURNING id`,
      [OURS],
    );
    for (const [municipality, isInSight] of [
      [OURS, true],
      [THEIRS, false],
    ] as const) {
      const client = new pg.Client({ connectionString: stack.serviceUrl });
      await client.connect();
      try {
        await client.query('BEGIN; SET LOCAL ROLE indbakke_app');
        await client.query(
          `SELECT set_config('indbakke.municipality', $1, true), set_config('indbakke.limits', $2, true)`,
          [municipality, '\npoint-1\n'],
        );
        const { rows } = await client.query('SELECT is_in_sight($1) AS "isInSight"', [own?.id]);
        expect(rows).toEqual([{ isInSight }]);
      } finally {
        await client.end();
      }
    }
  });

  it('finds what is theirs for them', async () => {
    expect(await search(THEIRS, 'hemmelig', ALL)).toEqual([{ isOwn: true }]);
    expect(await search(THEIRS, THEIR_CITIZEN, ALL)).toEqual([{ isOwn: true }]);
  });
});
