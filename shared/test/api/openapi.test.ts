import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { OPERATIONS, type Operation } from '../../src/api/index.js';
import { ERRORS } from '../../src/errors/index.js';

interface Described {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters: { name: string; in: string; required: boolean; schema: object }[];
  readonly requestBody?: { required: boolean; content: Record<string, { schema: object }> };
  readonly responses: Record<string, { description: string; content?: Record<string, { schema?: object }> }>;
}

interface Description {
  readonly openapi: string;
  readonly info: { title: string; version: string };
  readonly security: Record<string, string[]>[];
  readonly paths: Record<string, Record<string, Described>>;
  readonly components: { securitySchemes: Record<string, object>; schemas: Record<string, object> };
}

let stack: TestStack;
let description: Description;

beforeAll(async () => {
  stack = await startTestStack();
  const response = await fetch(`${stack.url}/api/v1/openapi.json`);
  expect(response.headers.get('content-type')).toMatch(/^application\/json/);
  description = (await response.json()) as Description;
});

afterAll(() => stack.close());

const calls = () =>
  Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, call]) => ({ path, method, call })),
  );

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
    const known = ['get', 'put', 'post', 'delete'];
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

  it('has every operation of the contract once, under its name, and no other', () => {
    const described = calls().map(({ method, path, call }) => `${call.operationId}: ${method} ${path}`);
    const contract = Object.entries<Operation>(OPERATIONS).map(
      ([name, { method, path }]) => `${name}: ${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`,
    );
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
      expect(header).toEqual(operation.change ? ['If-Match'] : []);
      expect(found.call.requestBody !== undefined).toBe(operation.body !== undefined);
      for (const role of operation.roles) expect(JSON.stringify(found.call)).toContain(role);
    }
  });

  it('requires no query parameter', () => {
    const query = calls().flatMap(({ call }) => call.parameters.filter((parameter) => parameter.in === 'query'));
    expect(query.length).toBeGreaterThan(10);
    expect(query.filter(({ required }) => required)).toEqual([]);
  });

  it('has no broken reference', () => {
    const ids = new Set([...objectsIn(description)].map(([path]) => path));
    const references = [...objectsIn(description)].flatMap(([, { $ref }]) => (typeof $ref === 'string' ? [$ref] : []));
    expect(references.length).toBeGreaterThan(0);
    expect(references.filter((reference) => !ids.has(reference))).toEqual([]);
  });

  it('describes each error as problem+json, by status, with its codes', () => {
    for (const { call } of calls()) {
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
      expect(call.responses[503]?.description.includes('unknown-outcome: '), call.operationId).toBe(method !== 'get');
    }
  });

  it('has the schema of each answer', () => {
    const list = calls().find(({ call }) => call.operationId === 'listIncomingDocuments')?.call;
    expect(list?.responses[200]?.content?.['application/json']?.schema).toMatchObject({
      type: 'object',
      required: ['items', 'nextCursor'],
    });
  });
});

describe('/api/v1/docs', () => {
  it('shows every call and error to people, and runs no script', async () => {
    const response = await fetch(`${stack.url}/api/v1/docs`);
    expect(response.headers.get('content-type')).toMatch(/^text\/html/);
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    const page = await response.text();
    for (const { method, path } of Object.values<Operation>(OPERATIONS)) {
      expect(page).toContain(`<code>${method.toUpperCase()} ${path}</code>`);
    }
    for (const code of Object.keys(ERRORS)) expect(page).toContain(`<code>${code}</code>`);
    expect(page).not.toContain('<script');
  });
});
