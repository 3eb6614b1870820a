import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkedFetch } from '../../../infra/src/testkit/checked-fetch.js';
import { startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import {
  type ApiDescription,
  CSV,
  type DescribedAnswer,
  type DescribedCall,
  type DescribedParameter,
  DISPLAYED_TYPES,
  describeApi,
  EXCEL,
  type JsonSchema,
  NDJSON,
  OPERATIONS,
  type Operation,
  type Reference,
  requiresVersion,
  takesIdempotencyKey,
} from '../../src/api/index.js';
import { ERRORS } from '../../src/errors/index.js';

let stack: TestStack;
let description: ApiDescription;

beforeAll(async () => {
  stack = await startTestStack();
  const response = await fetch(`${stack.url}/api/v1/openapi.json`);
  expect(response.headers.get('content-type')).toMatch(/^application\/json/);
  description = (await response.json()) as ApiDescription;
});

afterAll(() => stack.close());

type Call = Omit<DescribedCall, 'parameters' | 'responses'> & {
  readonly parameters: DescribedParameter[];
  readonly responses: Record<string, DescribedAnswer>;
};

/** Every call, with what it refers to in place of the references. */
const calls = () =>
  Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters, responses, ...call }]) => ({
      path,
      method,
      call: {
        ...call,
        parameters: parameters.map(resolve),
        responses: Object.fromEntries(Object.entries(responses).map(([status, each]) => [status, resolve(each)])),
      } satisfies Call,
    })),
  );

function resolve<T extends object>(value: T | Reference): T {
  if (!('$ref' in value)) return value;
  const parts = value.$ref.split('/').slice(1);
  return parts.reduce<unknown>((at, part) => (at as Record<string, unknown>)[part], description) as T;
}

const callOf = (name: keyof typeof OPERATIONS | 'downloadFileHead') =>
  calls().find(({ call }) => call.operationId === name)?.call as Call;

/** Every object in the document, with its path. */
function* objectsIn(value: unknown, path = '#'): Generator<[string, Record<string, unknown>]> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield [path, value as Record<string, unknown>];
  for (const [key, inside] of Object.entries(value)) {
    yield* objectsIn(inside, `${path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`);
  }
}

describe('/api/v1/openapi.json', () => {
  it('is OpenAPI 3.1 in shape', () => {
    expect(description.openapi).toMatch(/^3\.1\.\d+$/);
    expect(description.info).toMatchObject({ title: expect.any(String), version: expect.any(String) });
    const known = ['get', 'head', 'put', 'post', 'delete'];
    for (const { path, method, call } of calls()) {
      expect(known).toContain(method);
      expect(path).toMatch(/^\/api\/v1\/[^:]+$/);
      expect(call.summary).toMatch(/\.$/);
      expect(Object.keys(call.responses).length).toBeGreaterThan(1);
      for (const [status, response] of Object.entries(call.responses)) {
        expect(status).toMatch(/^[2-5]\d\d$/);
        expect(response.description).not.toBe('');
      }
      for (const parameter of call.parameters) {
        expect(parameter).toMatchObject({
          name: expect.any(String),
          in: expect.stringMatching(/^(path|query|header)$/),
        });
        expect(parameter.schema).toBeTypeOf('object');
      }
    }
  });

  it('has every operation of the contract once, under its name, HEAD beside GET, and no other', () => {
    const described = calls().map(({ method, path, call }) => `${call.operationId}: ${method} ${path}`);
    const contract = Object.entries<Operation>(OPERATIONS).flatMap(([name, { method, path: route }]) => {
      const path = route.replaceAll(/:(\w+)/g, '{$1}');
      return [`${name}: ${method} ${path}`, ...(method === 'get' ? [`${name}Head: head ${path}`] : [])];
    });
    expect(described.toSorted()).toEqual(contract.toSorted());
  });

  it('declares every parameter of a path as required', () => {
    for (const { path, call } of calls()) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const declared = call.parameters.filter((parameter) => parameter.in === 'path');
      expect(declared.map(({ name }) => name)).toEqual(inPath);
      expect(declared.every(({ required }) => required)).toBe(true);
    }
  });

  it('says which calls require If-Match, a body or a role', () => {
    for (const [name, operation] of Object.entries<Operation>(OPERATIONS)) {
      const found = calls().find(({ call }) => call.operationId === name) as ReturnType<typeof calls>[number];
      const header = found.call.parameters.filter((parameter) => parameter.in === 'header').map((each) => each.name);
      const ofContent =
        Array.isArray(operation.answer) && !operation.isMade ? ['If-Match', 'Range', 'If-Range', 'If-None-Match'] : [];
      const ofChange = [
        ...(requiresVersion(operation) ? ['If-Match'] : []),
        ...(takesIdempotencyKey(operation) ? ['Idempotency-Key'] : []),
      ];
      expect(header).toEqual([...ofChange, ...ofContent]);
      const body = operation.body ?? operation.lines;
      expect(found.call.requestBody?.required).toBe(body && !operation.bodyOrQuery);
      expect(found.call.requestBody !== undefined).toBe(body !== undefined);
      const types = Object.keys(found.call.requestBody?.content ?? {});
      expect(types).toEqual(
        body ? [operation.lines ? NDJSON : 'application/json', ...(operation.table ? [CSV, EXCEL] : [])] : [],
      );
      for (const role of operation.roles) expect(JSON.stringify(found.call)).toContain(role);
    }
  });

  it('says in which forms ids are taken', () => {
    const call = (id: string) => calls().find(({ call }) => call.operationId === id)?.call;
    const [id] = call('getIncomingDocument')?.parameters ?? [];
    expect(id).toMatchObject({
      schema: { type: 'string', format: 'uuid' },
      description: expect.stringContaining('braces'),
    });
    expect(JSON.stringify(description.components.schemas.Case)).toContain('hyphens');
  });

  it('requires no query parameter', () => {
    const query = calls().flatMap(({ call }) => call.parameters.filter((parameter) => parameter.in === 'query'));
    expect(query.length).toBeGreaterThan(10);
    expect(query.filter(({ required }) => required)).toEqual([]);
  });

  it('limits every list that a caller sends', () => {
    const inside = (value: unknown): object[] =>
      [...objectsIn(value)].flatMap(([, each]) =>
        '$ref' in each ? inside(resolve(each as unknown as Reference)) : [each],
      );
    const lists = calls()
      .flatMap(({ call }) => inside([call.requestBody, call.parameters]))
      .filter((each) => 'type' in each && each.type === 'array');
    expect(lists.length).toBeGreaterThan(5);
    expect(lists.filter((each) => !('maxItems' in each))).toEqual([]);
  });

  it('has no broken reference', () => {
    const ids = new Set([...objectsIn(description)].map(([path]) => path));
    const references = [...objectsIn(description)].flatMap(([, { $ref }]) => (typeof $ref === 'string' ? [$ref] : []));
    expect(references.length).toBeGreaterThan(0);
    expect(references.filter((reference) => !ids.has(reference))).toEqual([]);
  });

  it('describes each error as problem+json, by status, with its codes', () => {
    for (const { call } of calls().filter(({ method }) => method !== 'head')) {
      for (const [status, { description: text, content }] of Object.entries(call.responses)) {
        if (Number(status) < 400) continue;
        expect(Object.keys(content ?? {})).toEqual(['application/problem+json']);
        const codes = Object.entries(ERRORS).filter(
          ([code, { http }]) => http === Number(status) && text.includes(`${code}: `),
        );
        expect(codes.length, `${call.operationId} ${status}`).toBeGreaterThan(0);
      }
    }
  });

  it('says of the calls that change something, and of no other, that their outcome may be unknown', () => {
    for (const { method, call } of calls()) {
      expect(call.responses[503]?.description.includes('unknown-outcome: '), call.operationId).toBe(
        !['get', 'head'].includes(method),
      );
    }
  });

  it('uses each schema that it names', () => {
    const text = JSON.stringify(description);
    const unused = Object.keys(description.components.schemas).filter(
      (name) => !text.includes(`"#/components/schemas/${name}"`),
    );
    expect(unused).toEqual([]);
  });

  it('has the schema of each JSON body and answer under a name', () => {
    const media = calls().flatMap(({ call }) => [call.requestBody, ...Object.values(call.responses)]);
    for (const content of media.map((each) => each?.content ?? {})) {
      for (const [type, { schema }] of Object.entries(content)) {
        if (type === NDJSON) {
          expect(schema).toEqual({
            type: 'string',
            'x-line': { $ref: expect.stringContaining('#/components/schemas/') },
          });
        } else if (type.endsWith('json')) {
          expect(JSON.stringify(schema)).toMatch(/^\{"(\$ref|allOf":\[\{"\$ref)":"#\/components\/schemas\/\w+"/);
        } else expect(schema).toEqual({ type: 'string', format: 'binary' });
      }
    }
    expect(callOf('listIncomingDocuments').responses[200]?.content).toMatchObject({
      'application/json': { schema: { $ref: '#/components/schemas/IncomingDocumentList' } },
    });
    expect(description.components.schemas.IncomingDocumentList).toMatchObject({ required: ['items', 'nextCursor'] });
  });

  it('has a name for every object and every enum, since a generated client calls its types by them', () => {
    const places = [...objectsIn(description)] as [string, JsonSchema][];
    const inside = places.filter(
      ([path]) => /\/(schema|schemas\/\w+\/.*)$|\/schema\//.test(path) && !path.startsWith('#/components/responses/'),
    );
    expect(inside.length).toBeGreaterThan(100);
    const unnamed = inside.filter(
      ([, { properties, enum: values = [] }]) => properties !== undefined || values.length > 1,
    );
    expect(unnamed.map(([path]) => path)).toEqual([]);
  });

  it('has every object closed', () => {
    const objects = Object.entries(description.components.schemas).filter(([, { type }]) => type === 'object');
    expect(objects.length).toBeGreaterThan(30);
    for (const [name, schema] of objects) {
      expect([name, schema]).toMatchObject([name, { additionalProperties: false }]);
    }
  });

  it('tells the actions of a bulk apart by a field, with a name for each', () => {
    const { oneOf = [], discriminator } = description.components.schemas.Bulk as JsonSchema;
    expect(discriminator?.propertyName).toBe('action');
    expect(Object.values(discriminator?.mapping ?? {})).toEqual(oneOf.map(({ $ref }) => $ref));
    for (const [action, $ref] of Object.entries(discriminator?.mapping ?? {})) {
      expect(resolve<JsonSchema>({ $ref }).properties?.action).toMatchObject({ const: action });
    }
  });

  it('uses each of its components', () => {
    const used = new Set([...objectsIn(description)].map(([, { $ref }]) => $ref));
    const { securitySchemes: _, ...components } = description.components;
    const paths = Object.entries(components).flatMap(([kind, named]) =>
      Object.keys(named).map((name) => `#/components/${kind}/${name}`),
    );
    expect(paths.filter((path) => !used.has(path))).toEqual([]);
  });

  it('says where the API is, its licence, and what its tags mean', () => {
    expect(description.servers).toEqual([{ url: '/', description: expect.any(String) }]);
    expect(description.info.license).toEqual({ name: 'EUPL-1.2', identifier: 'EUPL-1.2' });
    const tags = description.tags.map(({ name }) => name);
    for (const { call } of calls()) expect(tags).toEqual(expect.arrayContaining(call.tags));
  });

  it.each<[keyof typeof OPERATIONS | 'downloadFileHead', number[]]>([
    ['listIncomingDocuments', [200, 400, 401, 403, 413, 415, 429, 500, 503]],
    ['getIncomingDocument', [200, 400, 401, 403, 404, 413, 415, 429, 500, 503]],
    ['downloadFile', [200, 206, 304, 400, 401, 403, 404, 409, 410, 412, 413, 415, 416, 429, 500, 503]],
    ['downloadFileHead', [200, 304, 400, 401, 403, 404, 409, 410, 412, 413, 415, 429, 500, 503]],
    ['downloadZip', [200, 206, 304, 400, 401, 403, 404, 409, 410, 412, 413, 415, 416, 429, 500, 503]],
    ['releaseIncomingDocument', [200, 400, 401, 403, 404, 409, 412, 413, 415, 422, 428, 429, 500, 503]],
    ['journalizeIncomingDocument', [200, 400, 401, 403, 404, 409, 412, 413, 415, 422, 428, 429, 500, 503]],
    ['upsertCase', [204, 400, 401, 403, 404, 409, 413, 415, 429, 500, 503]],
    ['registerCases', [200, 400, 401, 403, 404, 413, 415, 429, 500, 503]],
    ['registerSentMessage', [204, 400, 401, 403, 404, 413, 415, 429, 500, 503]],
  ])('has every status of %s', (name, statuses) => {
    expect(Object.keys(callOf(name).responses).map(Number)).toEqual(statuses);
  });

  it('has the headers of answers', () => {
    const headersOf = (name: keyof typeof OPERATIONS, status: number) =>
      Object.keys(callOf(name).responses[status]?.headers ?? {});
    for (const { call } of calls()) {
      for (const { headers } of Object.values(call.responses)) expect(headers).toHaveProperty('X-Correlation-Id');
    }
    expect(headersOf('getIncomingDocument', 200)).toContain('ETag');
    expect(headersOf('assignIncomingDocument', 200)).toContain('ETag');
    expect(headersOf('upsertCase', 401)).toContain('WWW-Authenticate');
    expect(headersOf('upsertCase', 429)).toContain('Retry-After');
    expect(headersOf('upsertCase', 503)).toContain('Retry-After');
    const whole = ['Content-Disposition', 'Content-Length', 'Accept-Ranges', 'ETag'];
    for (const name of ['downloadFile', 'downloadZip'] as const) {
      expect(headersOf(name, 200)).toEqual(expect.arrayContaining(whole));
      expect(headersOf(name, 206)).toEqual(expect.arrayContaining([...whole, 'Content-Range']));
      expect(headersOf(name, 304)).toContain('ETag');
      expect(headersOf(name, 416)).toContain('Content-Range');
    }
  });

  it('has every type that a file is sent as', () => {
    const types = Object.keys(callOf('downloadFile').responses[200]?.content ?? {});
    expect(types).toEqual([...DISPLAYED_TYPES, 'application/octet-stream']);
    expect(types).toContain('application/pdf');
  });
});

describe('/api/v1/openapi-3.0.json', () => {
  it('is the same contract for generators that do not read 3.1', async () => {
    const old = (await (await fetch(`${stack.url}/api/v1/openapi-3.0.json`)).json()) as ApiDescription;
    expect(old.openapi).toBe('3.0.3');
    expect(old).toEqual(describeApi('3.0'));
    const namesOf = ({ paths, components }: ApiDescription) => [
      Object.entries(paths).map(([path, methods]) => [path, Object.keys(methods)]),
      Object.values(components).map((named) => Object.keys(named)),
    ];
    expect(namesOf(old)).toEqual(namesOf(description));
  });

  it('has nothing that is new in JSON Schema of 3.1, and says with nullable what may be null', () => {
    const places = [...objectsIn(describeApi('3.0'))] as [string, JsonSchema][];
    const schemas = places.filter(([path]) => !path.includes('/examples/') && !/\/properties$/.test(path));
    for (const [path, schema] of schemas) {
      if (path.includes('/schema')) {
        for (const word of ['const', '$defs', 'examples', 'propertyNames', 'prefixItems', '$schema', '$id']) {
          expect(schema, path).not.toHaveProperty(word);
        }
      }
      expect(schema, path).not.toMatchObject({ type: 'null' });
      if (schema.nullable) expect(schema.type, path).toBeDefined();
      if ('$ref' in schema) expect(Object.keys(schema), path).toEqual(['$ref']);
    }
    const nullables = ({ components }: ApiDescription) => {
      const { suggestion, heldCause, replyBy } = components.schemas.IncomingDocument?.properties ?? {};
      return { suggestion, heldCause, replyBy };
    };
    expect(nullables(describeApi('3.0'))).toMatchObject({
      suggestion: { type: 'object', nullable: true, allOf: [{ $ref: '#/components/schemas/Suggestion' }] },
      heldCause: { type: 'string', nullable: true, allOf: [{ $ref: '#/components/schemas/HeldCause' }] },
      replyBy: { type: 'string', nullable: true, format: 'date-time' },
    });
    expect(nullables(description).suggestion).toMatchObject({
      anyOf: [{ $ref: '#/components/schemas/Suggestion' }, { type: 'null' }],
    });
  });
});

describe('the check of every answer in the tests', () => {
  const message = { id: randomUUID(), status: 'pending', version: 2 };
  const path = `/api/v1/incoming-documents/${randomUUID()}/release`;

  it.each<[string, number, Record<string, string>, unknown, string | undefined]>([
    ['as described', 200, { etag: '"2"' }, message, undefined],
    ['with another field', 200, { etag: '"2"' }, { ...message, more: 1 }, 'additional properties'],
    ['without a field', 200, { etag: '"2"' }, { ...message, version: undefined }, "'version'"],
    ['of another type', 200, { etag: '"2"', 'content-type': 'text/html' }, message, 'as text/html'],
    ['without a header', 200, {}, message, 'the header ETag'],
    ['with the header of another', 200, { etag: '"2"', 'retry-after': '30' }, message, 'the header Retry-After'],
    ['with a header of another form', 200, { etag: 'W/"2"' }, message, 'the header ETag'],
    ['of another status', 202, { etag: '"2"' }, message, 'answered 202, which is not described'],
    [
      'with the code of another call',
      409,
      { 'content-type': 'application/problem+json' },
      problem('unknown-case'),
      'code',
    ],
  ])('finds an answer %s', async (_name, status, headers, body, fault) => {
    const server = createServer((_req, res) => {
      res.writeHead(status, { 'content-type': 'application/json', 'x-correlation-id': randomUUID(), ...headers });
      res.end(JSON.stringify(body));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const call = checkedFetch(`http://127.0.0.1:${port}${path}`, { method: 'POST' });
    if (fault === undefined) expect((await call).status).toBe(200);
    else await expect(call).rejects.toThrow(fault);
    server.closeAllConnections();
    server.close();
  });

  function problem(code: string): object {
    return { type: 'x', title: 'x', status: 409, detail: 'x', code, correlationId: 'x' };
  }
});

describe('/api/v1/docs', () => {
  let page: string;

  beforeAll(async () => {
    const response = await fetch(`${stack.url}/api/v1/docs`);
    expect(response.headers.get('content-type')).toMatch(/^text\/html/);
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    page = await response.text();
  });

  it('shows every call and error to people, and runs no script', () => {
    for (const { method, path } of Object.values<Operation>(OPERATIONS)) {
      expect(page).toContain(`<code>${method.toUpperCase()} ${path.replaceAll(/:(\w+)/g, '{$1}')}</code>`);
    }
    for (const code of Object.keys(ERRORS)) expect(page).toContain(`<code id="error-${code}">${code}</code>`);
    expect(page).not.toContain('<script');
  });

  it('shows every field of every body and answer, every parameter and every header with its meaning', () => {
    const { schemas, headers } = describeApi().components;
    for (const [name, { properties = {} }] of Object.entries(schemas)) {
      const section = page
        .slice(page.indexOf(`<h3 id="${name}">`))
        .split('<h3', 2)
        .join('');
      for (const field of Object.keys(properties)) {
        expect(section, `${name}.${field}`).toMatch(
          new RegExp(`<td><code>${field}</code></td><td>.+?</td><td>.+</td>`),
        );
      }
    }
    for (const name of Object.keys(headers)) expect(page).toContain(`<code id="header-${name}">`);
    expect(page).not.toContain('<td></td></tr>');
  });

  it('each of its links leads somewhere', () => {
    const ids = new Set([...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id));
    const links = [...page.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id);
    expect(links.length).toBeGreaterThan(500);
    expect(links.filter((id) => !ids.has(id))).toEqual([]);
  });
});
