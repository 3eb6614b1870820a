import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { sendingOn } from '../../../infra/src/testkit/sending-on.js';
import { startTestStack, type TestStack, VESTERSUND } from '../../../infra/src/testkit/stack.js';
import { ROLES } from '../../src/access/index.js';
import { type Operation, requiresVersion, takesIdempotencyKey } from '../../src/api/index.js';
import { expectProblem } from '../inbox/support.js';
import { heldAreLookedAt, NAMES, openCalls, operationOf, type PreparedCall, send, targetOf } from './calls.js';

// @module-tag long

// Every call refuses what it does not take, alike, and changes nothing then: tested on calls that would succeed without it.

let stack: TestStack;
let calls: Awaited<ReturnType<typeof openCalls>>;
let tables: string[];

beforeAll(async () => {
  stack = await startTestStack(sendingOn);
  calls = await openCalls(stack);
  const rows = await stack.sql<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND NOT relispartition
     ORDER BY 1`,
  );
  // When an owner of extracts was last seen is what the call itself shows; numbering, heartbeats and the ledger go on by themselves.
  const byThemselves = [
    'extract_owners',
    'feed_heads',
    'ledger_files',
    'ledger_days',
    'ledger_differences',
    'copies',
    'minute_figures',
    'outages',
    'daily_sizes',
    'master_keys',
  ];
  tables = rows.map(({ name }) => name).filter((name) => !byThemselves.includes(name));
});

afterAll(async () => {
  await calls.close();
  await stack.close();
});

/** Columns that change by themselves: what is sent on meets nobody, and is tried again. */
const BY_ITSELF: Readonly<Record<string, string>> = {
  events: 'position',
  onward_distributions: 'attempts,fault,run,next_enqueue_at',
};

/** Of every row there is but the audit log’s, a digest for each table. */
async function digestRows(): Promise<object> {
  const digests = tables.map((table) => {
    const row = table in BY_ITSELF ? `(to_jsonb(t) - '{${BY_ITSELF[table]}}'::text[])::text` : 't::text';
    return `(SELECT md5(coalesce(string_agg(${row}, E'\\n' ORDER BY ${row}), '')) FROM ${table} t) AS ${table}`;
  });
  const [row] = await stack.sql(`SELECT ${digests.join(', ')}`);
  return row as object;
}

/** How many audit events each action has. */
const countAudit = async (): Promise<Record<string, number>> => {
  const rows = await stack.sql<{ action: string; count: number }>(
    'SELECT action, count(*)::int FROM audit_events GROUP BY action',
  );
  return Object.fromEntries(rows.map(({ action, count }) => [action, count]));
};

interface Fault {
  readonly fault: string;
  readonly status: number;
  readonly code: string;
  /** What the refusal names, if anything. */
  readonly path?: string;
  readonly make: (call: PreparedCall) => PreparedCall | { readonly raw: string | Buffer; readonly type?: string };
}

const bad = { status: 400, code: 'bad-request' } as const;
const withQuery = (query: Record<string, string>) => (call: PreparedCall) => ({
  ...call,
  query: { ...call.query, ...query },
});
const withHeaders = (headers: Record<string, string>) => (call: PreparedCall) => ({
  ...call,
  headers: { ...call.headers, ...headers },
});
const withBody = (change: (body: object) => object) => (call: PreparedCall) => ({
  ...call,
  body: change(call.body ?? {}),
});
const withParams = (change: (name: string) => string) => (call: PreparedCall) => ({
  ...call,
  params: Object.fromEntries(Object.keys(call.params).map((name) => [name, change(name)])),
});

function* faultsOf(operation: Operation): Generator<Fault> {
  const { query, body, bodyOrQuery, roles, params, method, isOfInstallation } = operation;
  const fields = { ...query?.shape, ...(body && 'shape' in body && !bodyOrQuery ? body.shape : {}) };

  // Query
  const takesQuery = bodyOrQuery
    ? (call: PreparedCall) => ({ ...call, query: call.body as Record<string, string>, body: undefined })
    : (call: PreparedCall) => call;
  yield {
    ...bad,
    fault: 'a parameter that it does not know',
    path: 'query.unknown',
    make: (call) => withQuery({ unknown: '1' })(takesQuery(call)),
  };
  yield {
    ...bad,
    fault: 'a parameter without a name',
    path: 'query',
    make: (call) => withQuery({ '': '1' })(takesQuery(call)),
  };
  for (const name of Object.keys(query?.shape ?? {})) {
    const { success } = query?.shape[name]?.safeParse('\0') ?? {};
    if (success === false) {
      yield {
        ...bad,
        fault: `${name} in a form that it has not`,
        path: `query.${name}`,
        make: withQuery({ [name]: '\0' }),
      };
    }
  }
  if (bodyOrQuery) {
    yield { ...bad, fault: 'fields in body and query', path: 'query', make: withQuery({ reason: 'other' }) };
  }

  // Body
  if (operation.lines) {
    yield { ...bad, fault: 'no body', path: 'body', make: (call) => ({ ...call, body: undefined }) };
    yield {
      fault: 'a body of another type',
      status: 415,
      code: 'unsupported-media-type',
      make: () => ({ raw: '{}', type: 'application/json' }),
    };
  } else {
    yield* faultsOfBody(operation);
  }

  // Cursor
  if ('cursor' in fields) {
    const [place, with_] = query
      ? (['query', withQuery] as const)
      : (['body', (more: object) => withBody((sent) => ({ ...sent, ...more }))] as const);
    for (const cursor of ['x', 'eyJ9', Buffer.from('["2026-11-20T08:00:00Z"]').toString('base64url'), ' ']) {
      yield { ...bad, fault: `the cursor ${cursor}`, path: `${place}.cursor`, make: with_({ cursor }) };
    }
  }

  // Path
  for (const name of Object.keys(params?.shape ?? {})) {
    const wrong = ['caseId', 'userId', 'contactPointId', 'departmentId'].includes(name) ? 'x'.repeat(257) : 'x';
    yield {
      ...bad,
      fault: `a path whose ${name} cannot be one`,
      path: `path.${name}`,
      make: (call) => ({ ...call, params: { ...call.params, [name]: wrong } }),
    };
  }

  // Headers
  if (requiresVersion(operation)) {
    yield {
      fault: 'no If-Match',
      status: 428,
      code: 'version-needed',
      path: 'header.if-match',
      make: (call) => ({ ...call, headers: {} }),
    };
    for (const version of ['*', '"1", "2"', '"0"', '"01"', '"-1"', '"x"', '""', '"99999999999"']) {
      yield {
        ...bad,
        fault: `If-Match: ${version}`,
        path: 'header.if-match',
        make: withHeaders({ 'if-match': version }),
      };
    }
  } else if (method !== 'get') {
    yield {
      ...bad,
      fault: 'If-Match, which it does not take',
      path: 'header.if-match',
      make: withHeaders({ 'if-match': '"1"' }),
    };
  }
  if (method !== 'get') {
    for (const name of ['if-none-match', 'if-unmodified-since', 'content-range']) {
      yield {
        ...bad,
        fault: `${name}, which it does not take`,
        path: `header.${name}`,
        make: withHeaders({ [name]: 'x' }),
      };
    }
  }
  if (takesIdempotencyKey(operation)) {
    for (const key of ['a b', 'x'.repeat(256)]) {
      yield {
        ...bad,
        fault: `an Idempotency-Key of ${key.length} characters`,
        path: 'header.idempotency-key',
        make: withHeaders({ 'idempotency-key': key }),
      };
    }
  }

  // Callers
  yield {
    fault: 'a caller with every other role',
    status: 403,
    code: 'role-missing',
    make: (call) => ({
      ...call,
      as: {
        ...call.as,
        user: 'visitor',
        roles: Object.keys(ROLES).filter((role) => !(roles as readonly string[]).includes(role)),
      },
    }),
  };
  if (isOfInstallation) {
    yield {
      fault: 'a caller of a municipality with every role',
      status: 403,
      code: 'role-missing',
      make: (call) => ({ ...call, as: { user: 'visitor', roles: Object.keys(ROLES) } }),
    };
  }
  if (params && !roles.includes('Indbakke.System')) {
    const gone = { status: 404, code: 'not-found' } as const;
    yield { ...gone, fault: 'ids that nothing has', make: withParams(() => randomUUID()) };
    if (!isOfInstallation) {
      yield {
        ...gone,
        fault: 'a caller of another municipality',
        make: (call) => ({ ...call, as: { ...call.as, municipality: VESTERSUND } }),
      };
    }
    if ('fileId' in params.shape) {
      yield {
        ...gone,
        fault: 'the id of a file that nothing has',
        make: (call) => ({ ...call, params: { ...call.params, fileId: randomUUID() } }),
      };
    }
  }
}

function* faultsOfBody({ body, bodyOrQuery }: Operation): Generator<Fault> {
  const example = (body?.meta()?.examples as object[] | undefined)?.[0];
  yield {
    ...bad,
    fault: 'a field that it does not know',
    path: 'body.unknown',
    make: withBody((sent) => ({ ...sent, unknown: 1 })),
  };
  for (const path of objectsIn(example ?? {})) {
    yield {
      ...bad,
      fault: `a field that it does not know in ${path.join('.')}`,
      path: ['body', ...path, 'unknown'].join('.'),
      make: withBody((sent) => replaceAt(sent, path, (inside) => ({ ...(inside as object), unknown: 1 }))),
    };
  }
  for (const name of Object.keys((body && 'shape' in body && body.shape) ?? example ?? {})) {
    // The second becomes no text and no number.
    for (const value of [[5], { toString: [] }]) {
      yield {
        ...bad,
        fault: `${name} of another type: ${JSON.stringify(value)}`,
        path: `body.${name}`,
        make: withBody((sent) => ({ ...sent, [name]: value })),
      };
    }
  }
  for (const raw of ['{', '[]', 'null', '"x"']) {
    yield { ...bad, fault: `a body that is ${raw}`, path: 'body', make: () => ({ raw }) };
  }
  yield {
    ...bad,
    fault: 'a field twice',
    path: 'body',
    make: () => ({ raw: JSON.stringify({ ...example, a: 1 }).replace('"a":1', '"a":1,"a":1') }),
  };
  yield { ...bad, fault: 'a body in Latin-1', path: 'body', make: () => ({ raw: Buffer.from('{"a":"æ"}', 'latin1') }) };
  yield {
    fault: 'a body of another type',
    status: 415,
    code: 'unsupported-media-type',
    make: () => ({ raw: '{}', type: 'text/plain' }),
  };
  yield {
    fault: 'a body that is too large',
    status: 413,
    code: 'too-large',
    make: () => ({ raw: JSON.stringify({ unknown: 'x'.repeat(2 ** 20) }) }),
  };
  if (body && !bodyOrQuery)
    yield { ...bad, fault: 'no body', path: 'body', make: (call) => ({ ...call, body: undefined }) };
}

/** The paths of the objects in a body, but of itself. */
function objectsIn(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [];
  const inside = Object.entries(value).flatMap(([name, each]) => objectsIn(each, [...path, name]));
  return path.length > 0 && !Array.isArray(value) ? [path, ...inside] : inside;
}

function replaceAt(value: object, [name, ...rest]: string[], change: (inside: unknown) => unknown): object {
  const copy = (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>;
  const inside = copy[name as string];
  copy[name as string] = rest.length === 0 ? change(inside) : replaceAt(inside as object, rest, change);
  return copy;
}

/** fetch sends no body with GET. */
async function sendRaw(call: PreparedCall, raw: string | Buffer, type = 'application/json') {
  const sent = request(`${stack.url}/api/v1${targetOf(call)}`, {
    method: call.operation.method.toUpperCase(),
    headers: {
      ...call.headers,
      authorization: `Bearer ${await stack.token(call.as)}`,
      'content-type': type,
      'content-length': Buffer.byteLength(raw),
    },
  });
  return new Promise<{ status: number | undefined; problem: { code: string; path?: string } }>((resolve, reject) => {
    sent.on('error', reject).on('response', async (response) => {
      resolve({ status: response.statusCode, problem: (await json(response)) as { code: string } });
    });
    sent.end(raw);
  });
}

describe.each(NAMES)('%s refuses', (name) => {
  const faults = [...faultsOf(operationOf(name))];
  let prepared: PreparedCall;
  let before: { rows: object; audit: Record<string, number> };

  beforeAll(async () => {
    await stack.sql('DELETE FROM webhooks'); // the one that was created is sent what happens
    await stack.sql(`DELETE FROM access_packages WHERE status = 'waiting'`); // the one that was asked for is made
    [prepared] = (await calls.prepare(name)) as [PreparedCall];
    await heldAreLookedAt(stack);
    // What calls before left to the background.
    await stack.sql('DELETE FROM content_removals');
    await stack.sql('UPDATE messages SET in_deletion_ledger = true');
    await vi.waitFor(
      async () =>
        expect(await stack.sql(`SELECT FROM zip_downloads WHERE status IN ('waiting', 'running')`)).toEqual([]),
      { timeout: 30_000, interval: 50 },
    );
    before = { rows: await digestRows(), audit: await countAudit() };
  });

  it.each(faults)('$fault', async ({ status, code, path = '', make }) => {
    const call = make(prepared);
    if ('raw' in call || call.operation.method === 'get') {
      const { raw, type } = 'raw' in call ? call : { raw: JSON.stringify(call.body) ?? '', type: undefined };
      const answer = await sendRaw('raw' in call ? prepared : call, raw, type);
      expect(answer).toMatchObject({ status, problem: { code } });
      expect(answer.problem.path ?? '').toMatch(beginsWith(path));
    } else {
      const problem = await expectProblem(await send(stack, call), status, code);
      expect(problem.path ?? '').toMatch(beginsWith(path));
      expect(problem.detail).toMatch(/\.$/);
    }
  });

  it('and changes nothing then', async () => {
    const audited = faults.filter(({ status }) => status === 403 || status === 404).length;
    expect(await countAudit()).toEqual({ ...before.audit, refused: (before.audit.refused ?? 0) + audited });
    expect(await digestRows()).toEqual(before.rows);
  });

  it('nothing of that call without a fault', async () => {
    expect((await send(stack, prepared)).status).toBeOneOf([200, 204]);
  });
});

/** The path, or that of something in it. */
const beginsWith = (path: string) => new RegExp(`^${path.replaceAll('.', '\\.')}(\\.|$)`);
