import { z } from 'zod';
import { ERRORS, type ErrorCode } from '../errors/index.js';
import { OPERATIONS, type Operation, takesIdempotencyKey } from './operations.js';
import { NAMED_ANSWERS, NAMED_REQUESTS, ProblemAnswer } from './schemas.js';

const TAGS = {
  inbox: 'Incoming documents: the list, one message, its content, and what a caseworker does with it.',
  extracts: 'Searches that are made into Excel files at set times.',
  figures: 'For those who lead: counts and times, nothing personal.',
  core: 'What the core registers, so that replies find their case.',
};

/** The OpenAPI 3.1 description of the inbox API, generated from the schemas that validate its calls. */
export function describeApi(): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const [name, operation] of Object.entries<Operation>(OPERATIONS)) {
    const path = operation.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [operation.method]: describeOperation(name, operation) };
    if (operation.method === 'get') paths[path].head = describeHead(name, operation);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Indbakke',
      version: '1',
      description: `Inbound Digital Post for the DUBU core.

- Bodies and queries are strict: an unknown field or parameter, or one given twice, is refused, also by a call that takes none.
- A path whose parameters cannot be ids is answered like one that does not exist: 404. So is a path with another case or a slash at the end.
- A known path with another method is answered 405, with Allow.
- A call that changes a message requires If-Match. A repeat by the same caller, with the same version and the same content, answers like the first one, and nothing is written again, also when a suggestion has raised the version since; after any other change the answer is 412.`,
      license: { name: 'EUPL-1.2', identifier: 'EUPL-1.2' },
    },
    servers: [{ url: '/', description: 'Where this description is' }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
      schemas: { ...namedSchemas(NAMED_REQUESTS, 'input'), ...namedSchemas(NAMED_ANSWERS, 'output') },
      headers: HEADERS,
    },
  };
}

function tagOf({ path }: Operation): keyof typeof TAGS {
  if (path.startsWith('/api/v1/incoming-documents')) return 'inbox';
  if (path.startsWith('/api/v1/extracts')) return 'extracts';
  return path.startsWith('/api/v1/figures') ? 'figures' : 'core';
}

function describeOperation(name: string, operation: Operation): object {
  const { body, bodyOrQuery, roles, summary, description } = operation;
  return {
    operationId: name,
    tags: [tagOf(operation)],
    summary,
    description: [description, `Requires the role ${roles.join(' or ')}.`].filter(Boolean).join(' '),
    parameters: describeParameters(operation),
    ...(body && {
      requestBody: { required: !bodyOrQuery, content: { 'application/json': { schema: refTo(body, NAMED_REQUESTS) } } },
    }),
    responses: { ...describeAnswer(operation), ...describeErrors(errorsOf(operation)) },
  };
}

/** HEAD is answered like GET, without a body, and ignores Range (RFC 9110, 9.3.2 and 14.2). */
function describeHead(name: string, operation: Operation): object {
  const { responses, parameters, ...rest } = describeOperation(`${name}Head`, operation) as {
    responses: Record<string, object>;
    parameters: { name: string }[];
  };
  const withoutContent = Object.entries(responses)
    .filter(([status]) => status !== '206' && status !== '416')
    .map(([status, { content: _, ...response }]: [string, { content?: object }]) => [status, response]);
  return {
    ...rest,
    summary: `The headers of the same call by GET. ${operation.summary}`,
    parameters: parameters.filter(({ name }) => name !== 'Range' && name !== 'If-Range'),
    responses: Object.fromEntries(withoutContent),
  };
}

// --- what callers send ---------------------------------------------------------------------------------------------

/** Headers of requests. */
const IF_MATCH = header('If-Match', true, 'The version that was read, as in ETag; only one.', '"3"');
const IDEMPOTENCY_KEY = header(
  'Idempotency-Key',
  false,
  'A new one for each change, 1 to 255 visible ASCII characters. Within 24 hours, a repeat with the same key and the same content gets the first answer again, with Idempotency-Replayed, and nothing is changed again, whatever came after.',
  '7d0a6a0c-2f0e-4b5c-8e43-0f4b1c9d5a11',
);
const OF_CONTENT = [
  header('If-Match', false, 'An ETag; if it is not current, the answer is 412.'),
  header('Range', false, 'One range of bytes; several are ignored.', 'bytes=0-499'),
  header('If-Range', false, 'An ETag; if it is not current, Range is ignored.'),
  header('If-None-Match', false, 'ETags that the caller has; if one is current, the answer is 304.'),
];

function header(name: string, required: boolean, description: string, example?: string) {
  return { name, in: 'header', required, description, schema: { type: 'string' }, ...(example && { example }) };
}

function describeParameters(operation: Operation): object[] {
  const { params, query, body, bodyOrQuery, change, answer, isMade } = operation;
  return [
    ...fieldsOf(params, 'path'),
    ...fieldsOf(query, 'query'),
    ...(bodyOrQuery
      ? fieldsOf(body, 'query').map((field) => ({ ...field, required: false, description: 'Instead of a body' }))
      : []),
    ...(change ? [IF_MATCH] : []),
    ...(takesIdempotencyKey(operation) ? [IDEMPOTENCY_KEY] : []),
    ...(Array.isArray(answer) && !isMade ? OF_CONTENT : []),
  ];
}

function fieldsOf(schema: Operation['body'], place: 'path' | 'query'): object[] {
  if (!schema) return [];
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: 'input' }) as {
    properties?: Record<string, { description?: string }>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...field }]) => ({
    name,
    in: place,
    required: required.includes(name),
    ...(description && { description }),
    schema: field,
  }));
}

// --- what they get -------------------------------------------------------------------------------------------------

/** Headers of answers. */
const HEADERS = {
  'X-Correlation-Id': {
    description: 'The caller’s own, or a new one; also in the log.',
    required: true,
    schema: { type: 'string', format: 'uuid' },
  },
  Version: {
    description: 'The version of the message, for If-Match.',
    required: true,
    schema: { type: 'string', pattern: '^"[1-9][0-9]*"$' },
  },
  'Idempotency-Replayed': {
    description: 'The answer is that of the first call with this Idempotency-Key; nothing was changed now.',
    schema: { type: 'string', enum: ['true'] },
  },
  ETag: { description: 'Names these bytes.', schema: { type: 'string', pattern: '^"[^"]+"$' } },
  'Accept-Ranges': { schema: { type: 'string', enum: ['bytes'] } },
  'Content-Length': { schema: { type: 'string', pattern: '^[0-9]+$' } },
  'Content-Range': {
    description: 'Which bytes, of how many.',
    required: true,
    schema: { type: 'string', pattern: '^bytes ([0-9]+-[0-9]+|\\*)/[0-9]+$' },
  },
  'Content-Disposition': {
    description: 'A file name that is safe on any system.',
    required: true,
    schema: { type: 'string', pattern: '^attachment; filename=' },
  },
  'WWW-Authenticate': { required: true, schema: { type: 'string', pattern: '^Bearer' } },
  'Retry-After': {
    description: 'In seconds, where a retry is right.',
    schema: { type: 'string', pattern: '^[0-9]+$' },
  },
};

function headersOf(...names: (keyof typeof HEADERS)[]): object {
  const entries = (['X-Correlation-Id', ...names] as const).map((name) => [
    name === 'Version' ? 'ETag' : name,
    { $ref: `#/components/headers/${name}` },
  ]);
  return { headers: Object.fromEntries(entries) };
}

function describeAnswer(operation: Operation): object {
  const { answer, isMade } = operation;
  const replayed = takesIdempotencyKey(operation) ? (['Idempotency-Replayed'] as const) : [];
  if (answer === undefined) return { 204: { description: 'Done', ...headersOf(...replayed) } };
  if (answer instanceof z.ZodObject) {
    const content = { 'application/json': { schema: refTo(answer, NAMED_ANSWERS) } };
    const headers = [...('version' in answer.shape ? (['Version'] as const) : []), ...replayed];
    return { 200: { description: 'Done', ...headersOf(...headers), content } };
  }
  const content = Object.fromEntries(answer.map((type) => [type, {}]));
  if (isMade) return { 200: { description: 'All bytes', ...headersOf('Content-Disposition'), content } };
  const whole = ['Content-Disposition', 'Content-Length', 'Accept-Ranges', 'ETag'] as const;
  return {
    200: { description: 'All bytes', ...headersOf(...whole), content },
    206: { description: 'The Range', ...headersOf(...whole, 'Content-Range'), content },
    304: { description: 'The caller has these bytes', ...headersOf('ETag') },
  };
}

const HEADERS_OF_ERRORS: Partial<Record<number, keyof typeof HEADERS>> = {
  401: 'WWW-Authenticate',
  416: 'Content-Range',
  503: 'Retry-After',
};

/** Every error that the call can get, except those of Node's HTTP parser. */
function errorsOf({ method, params, change, errors }: Operation): ErrorCode[] {
  return [
    'bad-request',
    'not-signed-in',
    'role-missing',
    ...(params ? (['not-found'] as const) : []),
    'too-large',
    'unsupported-media-type',
    ...(change ? (['wrong-status', 'version-changed', 'version-needed'] as const) : []),
    ...(method === 'get' ? [] : (['unknown-outcome'] as const)),
    ...errors,
    'internal',
    'unavailable',
  ];
}

function describeErrors(codes: readonly ErrorCode[]): object {
  const answers: Record<number, object> = {};
  for (const status of new Set(codes.map((code) => ERRORS[code].http))) {
    const ofStatus = codes.filter((code) => ERRORS[code].http === status);
    const extra = HEADERS_OF_ERRORS[status];
    const problem = refTo(ProblemAnswer, NAMED_ANSWERS);
    answers[status] = {
      description: ofStatus.map((code) => `${code}: ${ERRORS[code].meaning}`).join(' '),
      ...headersOf(...(extra ? [extra] : [])),
      content: {
        'application/problem+json': {
          schema: { allOf: [problem, { type: 'object', properties: { code: { enum: ofStatus } } }] },
        },
      },
    };
  }
  return answers;
}

// --- schemas -------------------------------------------------------------------------------------------------------

type Names = typeof NAMED_ANSWERS;

const pathOf = (id: string) => `#/components/schemas/${id}`;

function refTo(schema: z.ZodType, names: Names): { $ref: string } {
  const name = names.get(schema)?.id;
  if (name === undefined) throw new Error('A body or answer of the API has no name in schemas.ts.');
  return { $ref: pathOf(name) };
}

function namedSchemas(names: Names, io: 'input' | 'output'): Record<string, object> {
  const { schemas } = z.toJSONSchema(names, { io, uri: pathOf });
  return Object.fromEntries(
    Object.entries(schemas).map(([name, { $schema: _, $id: __, ...schema }]) => [name, schema]),
  );
}
