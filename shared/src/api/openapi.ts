import { z } from 'zod';
import { ERRORS, type ErrorCode } from '../errors/index.js';
import { CHANGES, type Change, type Status } from '../lifecycle/index.js';
import { CSV, EXCEL, NDJSON, OPERATIONS, type Operation, requiresVersion, takesIdempotencyKey } from './operations.js';
import { NAMED_ANSWERS, NAMED_REQUESTS, ProblemAnswer } from './values.js';

/** The same contract in two versions of OpenAPI. Some generators, such as NSwag, do not read 3.1. */
export type OpenApiVersion = '3.1' | '3.0';

const VERSIONS = {
  '3.1': {
    openapi: '3.1.0',
    target: 'draft-2020-12',
    license: { name: 'EUPL-1.2', identifier: 'EUPL-1.2' },
  },
  '3.0': {
    openapi: '3.0.3',
    target: 'openapi-3.0',
    license: { name: 'EUPL-1.2', url: 'https://spdx.org/licenses/EUPL-1.2.html' },
  },
} as const;

/** What an OpenAPI document has here, as far as it is read again. */
export interface ApiDescription {
  readonly openapi: string;
  readonly info: { title: string; version: string; description: string; license: object };
  readonly servers: { url: string; description?: string }[];
  readonly tags: { name: string; description: string }[];
  readonly security: Record<string, string[]>[];
  readonly paths: Record<string, Record<string, DescribedCall>>;
  readonly components: {
    readonly securitySchemes: Record<string, object>;
    readonly schemas: Record<string, JsonSchema>;
    readonly parameters: Record<string, DescribedParameter>;
    readonly headers: Record<string, DescribedHeader>;
    readonly responses: Record<string, DescribedAnswer>;
  };
}

export interface DescribedCall {
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  readonly tags: string[];
  readonly parameters: (DescribedParameter | Reference)[];
  readonly requestBody?: { required: boolean; content: Content };
  readonly responses: Record<string, DescribedAnswer | Reference>;
}

export interface DescribedParameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly description?: string;
  readonly schema: JsonSchema;
  readonly example?: unknown;
}

export interface DescribedHeader {
  readonly description?: string;
  readonly required?: boolean;
  readonly schema: JsonSchema;
}

export interface DescribedAnswer {
  readonly description: string;
  readonly headers: Record<string, Reference>;
  readonly content?: Content;
}

type Content = Record<string, { schema: JsonSchema; examples?: Record<string, { value: unknown }> }>;

export interface Reference {
  readonly $ref: string;
}

/** The words of JSON Schema, and of OpenAPI 3.0, that are used here. */
export interface JsonSchema {
  /** Of a text: what each of its lines is. */
  'x-line'?: Reference;
  $ref?: string;
  type?: string;
  format?: string;
  description?: string;
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: boolean | JsonSchema;
  propertyNames?: JsonSchema;
  items?: JsonSchema;
  allOf?: JsonSchema[];
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  discriminator?: { propertyName: string; mapping: Record<string, string> };
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  pattern?: string;
  nullable?: boolean;
  example?: unknown;
  examples?: unknown[];
}

const TAGS = {
  inbox: 'Incoming documents: the list, one message, its content, and what a caseworker does with it.',
  zips: 'Many messages in one zip, made in the background.',
  extracts: 'Searches that are made into Excel files at set times.',
  figures: 'For those who lead: counts and times, nothing personal.',
  log: 'The audit log: who did what, and the sheet for a citizen.',
  access: 'Access packages (aktindsigt): everything about one citizen as a zip.',
  'set-up': 'What a municipality decides by itself: its settings, its contact points and its address book.',
  absences: 'Who stands in for whom while somebody is absent.',
  core: 'What the core registers and sets up, so that replies find their case.',
  events:
    'What has changed: each change of a message once and in order; for the core all, for people what they may see. Ids and codes only.',
  quarantine:
    'Deliveries that could not be read, for those who run the installation: with a token for operations, of no municipality.',
  webhooks: 'The same events, sent to URLs of the municipality’s systems (Standard Webhooks).',
};

/** The OpenAPI description of the inbox API, generated from the schemas that validate its calls. */
export function describeApi(version: OpenApiVersion = '3.1'): ApiDescription {
  const { openapi, license } = VERSIONS[version];
  const paths: Record<string, Record<string, DescribedCall>> = {};
  for (const [name, operation] of Object.entries<Operation>(OPERATIONS)) {
    const path = operation.path.replaceAll(/:(\w+)/g, '{$1}');
    const call = describeOperation(name, operation, version);
    paths[path] = { ...paths[path], [operation.method]: call };
    if (operation.method === 'get') paths[path].head = describeHead(call);
  }
  const described: ApiDescription = {
    openapi,
    info: {
      title: 'Indbakke',
      version: '1',
      description: `Inbound Digital Post for the DUBU core.

- Bodies and queries are strict: an unknown field or parameter, or one given twice, is refused, also by a call that takes none.
- A parameter of a path that cannot be an id is refused: 400. A path with another case, or a slash at the end, does not exist: 404.
- A known path with another method is answered 405, with Allow.
- A call that changes a message, or the set-up, requires If-Match. A repeat by the same caller, with the same version and the same content, answers like the first one, and nothing is written again, also when a suggestion has raised the version since; after any other change the answer is 412.
- With an Idempotency-Key, a repeat gets the first answer again for 24 hours, whatever came after.
- A token with rights in several municipalities: Indbakke-Municipality names the one that the call is for, by its CVR number. Without it the answer is 400, with the choices.
- A system that calls for a user: its own token in Authorization, the user’s in Indbakke-On-Behalf-Of. It may do what both may.`,
      license,
    },
    servers: [{ url: '/', description: 'Where this description is' }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
      schemas: {
        ...namedSchemas(NAMED_REQUESTS, 'input', version),
        ...namedSchemas(NAMED_ANSWERS, 'output', version),
      },
      parameters: HEADER_PARAMETERS,
      headers: HEADERS,
      responses: ERROR_ANSWERS,
    },
  };
  return version === '3.0' ? simplifyReferences(described) : described;
}

function tagOf({ path }: Operation): keyof typeof TAGS {
  if (path.startsWith('/api/v1/incoming-documents')) return 'inbox';
  if (path.startsWith('/api/v1/zip-downloads')) return 'zips';
  if (path.startsWith('/api/v1/handovers')) return 'inbox';
  if (path.startsWith('/api/v1/extracts')) return 'extracts';
  if (path.startsWith('/api/v1/events')) return 'events';
  if (path.startsWith('/api/v1/webhooks')) return 'webhooks';
  if (path.startsWith('/api/v1/audit-events')) return 'log';
  if (path.startsWith('/api/v1/access-packages')) return 'access';
  if (path.startsWith('/api/v1/quarantine')) return 'quarantine';
  if (path.startsWith('/api/v1/absences')) return 'absences';
  if (/^\/api\/v1\/(municipality|contact-points|departments|retention)/.test(path)) return 'set-up';
  return path.startsWith('/api/v1/figures') ? 'figures' : 'core';
}

function describeOperation(name: string, operation: Operation, version: OpenApiVersion): DescribedCall {
  const { body, bodyOrQuery, lines, table, roles, isOfInstallation, summary, description } = operation;
  const requires = `Requires ${isOfInstallation ? 'a token for operations, and ' : ''}the role ${roles.join(' or ')}.`;
  return {
    operationId: name,
    tags: [tagOf(operation)],
    summary,
    description: [description, requires].filter(Boolean).join(' '),
    parameters: describeParameters(operation, version),
    ...(body && {
      requestBody: {
        required: !bodyOrQuery,
        content: {
          ...json(refTo(body, NAMED_REQUESTS), examplesOf(body)),
          ...(table && { [CSV]: { schema: BINARY }, [EXCEL]: { schema: BINARY } }),
        },
      },
    }),
    ...(lines && { requestBody: { required: true, content: linesOf(lines.body, NAMED_REQUESTS) } }),
    responses: { ...describeAnswer(operation), ...describeErrors(operation) },
  };
}

/** HEAD is answered like GET, without a body, and ignores Range (RFC 9110, 9.3.2 and 14.2). */
function describeHead({ operationId, summary, parameters, responses, ...rest }: DescribedCall): DescribedCall {
  const ofRange = ['Range', 'If-Range'].map((name) => refToParameter(name).$ref);
  const withoutContent = Object.entries(responses)
    .filter(([status]) => status !== '206' && status !== '416')
    .map(([status, answer]) => {
      const { content: _, ...response } = '$ref' in answer ? errorAnswerAt(answer) : answer;
      return [status, response];
    });
  return {
    ...rest,
    operationId: `${operationId}Head`,
    summary: `The headers of the same call by GET. ${summary}`,
    parameters: parameters.filter((each) => !('$ref' in each && ofRange.includes(each.$ref))),
    responses: Object.fromEntries(withoutContent),
  };
}

// --- what callers send ---------------------------------------------------------------------------------------------

/** Headers of requests. */
const HEADER_PARAMETERS = {
  IfMatch: header('If-Match', true, 'The version that was read, as in ETag; only one.', '"3"'),
  IdempotencyKey: header(
    'Idempotency-Key',
    false,
    'A new one for each change, 1 to 255 visible ASCII characters. Within 24 hours, a repeat with the same key and the same content gets the first answer again, with Idempotency-Replayed, and nothing is changed again, whatever came after.',
    '7d0a6a0c-2f0e-4b5c-8e43-0f4b1c9d5a11',
  ),
  IfMatchOfContent: header('If-Match', false, 'An ETag; if it is not current, the answer is 412.', '"0f4b1c9d"'),
  Range: header('Range', false, 'One range of bytes; several are ignored.', 'bytes=0-499'),
  IfRange: header('If-Range', false, 'An ETag; if it is not current, Range is ignored.', '"0f4b1c9d"'),
  IfNoneMatch: header(
    'If-None-Match',
    false,
    'ETags that the caller has; if one is current, the answer is 304.',
    '"0f4b1c9d"',
  ),
};
const OF_CONTENT = ['IfMatchOfContent', 'Range', 'IfRange', 'IfNoneMatch'] as const;

function header(name: string, required: boolean, description: string, example: string): DescribedParameter {
  return { name, in: 'header', required, description, schema: { type: 'string' }, example };
}

function refToParameter(name: string): Reference {
  return { $ref: `#/components/parameters/${name.replaceAll('-', '')}` };
}

function describeParameters(operation: Operation, version: OpenApiVersion): (DescribedParameter | Reference)[] {
  const { params, query, body, bodyOrQuery, answer, isMade } = operation;
  const headers: (keyof typeof HEADER_PARAMETERS)[] = [
    ...(requiresVersion(operation) ? (['IfMatch'] as const) : []),
    ...(takesIdempotencyKey(operation) ? (['IdempotencyKey'] as const) : []),
    ...(Array.isArray(answer) && !isMade ? OF_CONTENT : []),
  ];
  return [
    ...fieldsOf(params, 'path', version),
    ...fieldsOf(query, 'query', version),
    ...(bodyOrQuery
      ? fieldsOf(body, 'query', version).map((field) => ({
          ...field,
          required: false,
          description: 'Instead of a body',
        }))
      : []),
    ...headers.map(refToParameter),
  ];
}

function fieldsOf(schema: Operation['body'], place: 'path' | 'query', version: OpenApiVersion): DescribedParameter[] {
  if (!schema) return [];
  const described = z.toJSONSchema(schema, { ...optionsOf(version, 'input'), metadata: TEXTS_AND_NAMES });
  const { properties = {}, required = [] } = withComponents(described);
  return Object.entries(properties).map(([name, property]) => {
    const { description, examples, example = examples?.[0], ...field } = property;
    return {
      name,
      in: place,
      required: required.includes(name),
      ...(description !== undefined && { description }),
      ...(field.type === 'array' && { style: 'form', explode: false }), // separated by commas
      schema: field,
      ...(example !== undefined && { example }),
    };
  });
}

/** What zod knows of a schema, and its name here. */
const TEXTS_AND_NAMES = {
  get: (schema: z.ZodType) => ({ ...z.globalRegistry.get(schema), ...NAMED_REQUESTS.get(schema) }),
} as typeof z.globalRegistry;

/** Named schemas as the components that they are, where zod puts them beside the schema. */
function withComponents(schema: object): JsonSchema {
  return JSON.parse(JSON.stringify(schema).replaceAll(/"#\/(\$defs|definitions)\//g, `"${pathOf('')}`));
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
    description: 'The version, for If-Match.',
    required: true,
    schema: { type: 'string', pattern: '^"[1-9][0-9]*"$' },
  },
  'Idempotency-Replayed': {
    description: 'The answer is that of the first call with this Idempotency-Key; nothing was changed now.',
    schema: { type: 'string', enum: ['true'] },
  },
  ETag: { description: 'Names these bytes.', schema: { type: 'string', pattern: '^"[^"]+"$' } },
  'Accept-Ranges': { description: 'The call takes Range.', schema: { type: 'string', enum: ['bytes'] } },
  'Content-Length': { description: 'In bytes.', schema: { type: 'string', pattern: '^[0-9]+$' } },
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
  'WWW-Authenticate': {
    description: 'What token is needed.',
    required: true,
    schema: { type: 'string', pattern: '^Bearer' },
  },
  'Retry-After': {
    description: 'In seconds, where a retry is right.',
    schema: { type: 'string', pattern: '^[0-9]+$' },
  },
};

function headersOf(...names: (keyof typeof HEADERS)[]): Pick<DescribedAnswer, 'headers'> {
  const entries = (['X-Correlation-Id', ...names] as const).map((name) => [
    name === 'Version' ? 'ETag' : name,
    { $ref: `#/components/headers/${name}` },
  ]);
  return { headers: Object.fromEntries(entries) };
}

function describeAnswer(operation: Operation): Record<string, DescribedAnswer> {
  const { answer, lines, isMade } = operation;
  if (lines) {
    return {
      200: { description: 'A line for each line', ...headersOf(), content: linesOf(lines.answer, NAMED_ANSWERS) },
    };
  }
  const replayed = takesIdempotencyKey(operation) ? (['Idempotency-Replayed'] as const) : [];
  if (answer === undefined) return { 204: { description: 'Done', ...headersOf(...replayed) } };
  if (answer instanceof z.ZodObject) {
    const headers = [...('version' in answer.shape ? (['Version'] as const) : []), ...replayed];
    const content = json(refTo(answer, NAMED_ANSWERS), answerExamplesOf(operation));
    return { 200: { description: 'Done', ...headersOf(...headers), content } };
  }
  const content = Object.fromEntries(answer.map((type) => [type, { schema: BINARY }]));
  if (isMade) return { 200: { description: 'All bytes', ...headersOf('Content-Disposition'), content } };
  const whole = ['Content-Disposition', 'Content-Length', 'Accept-Ranges', 'ETag'] as const;
  return {
    200: { description: 'All bytes', ...headersOf(...whole), content },
    206: { description: 'The Range', ...headersOf(...whole, 'Content-Range'), content },
    304: { description: 'The caller has these bytes', ...headersOf('ETag') },
  };
}

const BINARY = { type: 'string', format: 'binary' } as const;

const HEADERS_OF_ERRORS: Partial<Record<number, keyof typeof HEADERS>> = {
  401: 'WWW-Authenticate',
  416: 'Content-Range',
  429: 'Retry-After',
  503: 'Retry-After',
};

/** Of callers who may do nothing, whatever their roles (admit). */
const REFUSALS_OF_CALLERS = ['assurance-too-low', 'second-factor-missing', 'delegation-not-accepted'] as const;

/** Every error that the call can get, except those of Node's HTTP parser. */
function errorsOf(operation: Operation): ErrorCode[] {
  const { method, params, change, errors, isOfInstallation } = operation;
  return [
    'bad-request',
    ...(isOfInstallation ? [] : (['municipality-required'] as const)),
    'not-signed-in',
    'too-many-failed-sign-ins',
    'too-many-requests',
    'role-missing',
    ...(isOfInstallation ? [] : REFUSALS_OF_CALLERS),
    ...(params ? (['not-found'] as const) : []),
    'too-large',
    'unsupported-media-type',
    ...(change ? (['wrong-status'] as const) : []),
    ...(requiresVersion(operation) ? (['version-changed', 'version-needed'] as const) : []),
    ...(method === 'get' ? [] : (['unknown-outcome'] as const)),
    ...errors,
    'internal',
    'unavailable',
  ];
}

/** The errors of a call by status. */
function errorGroupsOf(operation: Operation): ErrorCode[][] {
  const codes = errorsOf(operation);
  const statuses = [...new Set(codes.map((code) => ERRORS[code].http))];
  return statuses.map((status) => codes.filter((code) => ERRORS[code].http === status));
}

/** NotFound, UnknownOutcomeOrUnavailable: what a generated client calls the answer. */
function nameOfErrors(codes: readonly ErrorCode[]): string {
  return codes.map((code) => code.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase())).join('Or');
}

function describeErrors(operation: Operation): Record<string, Reference> {
  const groups = errorGroupsOf(operation).map((codes) => [
    ERRORS[codes[0] as ErrorCode].http,
    { $ref: `#/components/responses/${nameOfErrors(codes)}` },
  ]);
  return Object.fromEntries(groups);
}

/** Every combination of errors that a call answers with one status. */
const ERROR_ANSWERS: Record<string, DescribedAnswer> = Object.fromEntries(
  Object.values<Operation>(OPERATIONS)
    .flatMap(errorGroupsOf)
    .map((codes) => [nameOfErrors(codes), describeError(codes)]),
);

function errorAnswerAt({ $ref }: Reference): DescribedAnswer {
  return ERROR_ANSWERS[$ref.split('/').at(-1) as string] as DescribedAnswer;
}

function describeError(codes: readonly ErrorCode[]): DescribedAnswer {
  const extra = HEADERS_OF_ERRORS[ERRORS[codes[0] as ErrorCode].http];
  const problem = refTo(ProblemAnswer, NAMED_ANSWERS);
  return {
    description: codes.map((code) => `${code}: ${ERRORS[code].meaning}`).join(' '),
    ...headersOf(...(extra ? [extra] : [])),
    content: {
      'application/problem+json': {
        schema: { allOf: [problem, { type: 'object', properties: { code: { enum: [...codes] } } }] },
      },
    },
  };
}

// --- examples ------------------------------------------------------------------------------------------------------

function json(schema: Reference, examples: readonly unknown[]): Content {
  const named = examples.map((value, index) => [`example${index + 1}`, { value }]);
  return { 'application/json': { schema, ...(named.length > 0 && { examples: Object.fromEntries(named) }) } };
}

/**
 * No version of OpenAPI that clients are generated from can say that each line is one of these, so clients get a text, and people
 * and validators the schema beside it.
 */
function linesOf(schema: z.ZodType, names: Names): Content {
  const examples = {
    example1: {
      value: examplesOf(schema)
        .map((line) => `${JSON.stringify(line)}\n`)
        .join(''),
    },
  };
  return { [NDJSON]: { schema: { type: 'string', 'x-line': refTo(schema, names) }, examples } };
}

function examplesOf(schema: z.ZodType): readonly unknown[] {
  return (schema.meta()?.examples as unknown[] | undefined) ?? [];
}

function answerExamplesOf({ answer, change }: Operation): readonly unknown[] {
  const examples = answer instanceof z.ZodObject ? examplesOf(answer) : [];
  if (!change) return examples;
  return examples.map((example) => ({ ...(example as object), status: statusAfter(change) }));
}

function statusAfter(change: Change): Status {
  const { from, to }: { from: readonly Status[]; to: Status | 'before' | 'same' } = CHANGES[change];
  if (change === 'deletion-confirmed') return 'deleted'; // without a delay
  if (to === 'same') return from[0] as Status;
  return to === 'before' ? 'pending' : to;
}

// --- schemas -------------------------------------------------------------------------------------------------------

type Names = typeof NAMED_ANSWERS;

function pathOf(id: string): string {
  return `#/components/schemas/${id}`;
}

function refTo(schema: z.ZodType, names: Names): Reference {
  const name = names.get(schema)?.id;
  if (name === undefined) throw new Error('A body or answer of the API has no name in shared/src/api.');
  return { $ref: pathOf(name) };
}

function namedSchemas(names: Names, io: 'input' | 'output', version: OpenApiVersion): Record<string, JsonSchema> {
  const { schemas } = z.toJSONSchema(names, { ...optionsOf(version, io), uri: pathOf });
  return Object.fromEntries(
    Object.entries(schemas).map(([name, { $schema: _, $id: __, ...schema }]) => [name, schema as JsonSchema]),
  );
}

function optionsOf(version: OpenApiVersion, io: 'input' | 'output') {
  const { target } = VERSIONS[version];
  return {
    target,
    io,
    override: (found: { zodSchema: z.core.$ZodTypes; jsonSchema: object }) => polish(found, version),
  } as const;
}

/** What zod says, in the words that generators of clients know. */
function polish(
  { zodSchema, jsonSchema }: { zodSchema: z.core.$ZodTypes; jsonSchema: object },
  version: OpenApiVersion,
): void {
  const schema = jsonSchema as JsonSchema;
  if (schema.format === 'date' || schema.format === 'date-time') delete schema.pattern; // a long one that says the same
  if (schema.type === 'integer') {
    const isSafe = (limit?: number) => Math.abs(limit ?? 0) === Number.MAX_SAFE_INTEGER;
    schema.format = isSafe(schema.maximum) ? 'int64' : 'int32';
    if (isSafe(schema.maximum)) delete schema.maximum;
    if (isSafe(schema.minimum)) delete schema.minimum;
  }
  delete schema.propertyNames;
  const { def } = zodSchema._zod;
  if (def.type === 'union' && 'discriminator' in def) Object.assign(schema, discriminatorOf(zodSchema as never));
  // Of a whole body or answer they are beside the schema, with the call.
  if (schema.type === 'object' || schema.oneOf) delete schema.examples;
  if (version === '3.0' && schema.examples) {
    schema.example = schema.examples[0];
    delete schema.examples;
  }
}

/** What zod leaves of references in OpenAPI 3.0, where nothing counts beside `$ref`. */
function simplifyReferences(description: ApiDescription): ApiDescription {
  const typeAt = ($ref: string) => description.components.schemas[$ref.slice(pathOf('').length)]?.type;
  return JSON.parse(JSON.stringify(description), (_key, value: unknown) => {
    const { allOf: [only, ...others] = [], ...beside } = (value ?? {}) as JsonSchema;
    if (only?.$ref === undefined || others.length > 0) return value;
    if (Object.keys(beside).length === 0) return only;
    // OpenAPI 3.0.3, Schema Object: nullable says nothing without type. What is in allOf is not nullable itself, but this is
    // how generators write and read it.
    return beside.nullable ? { type: typeAt(only.$ref), ...beside, allOf: [only] } : value;
  });
}

function discriminatorOf({ options, def }: z.ZodDiscriminatedUnion<z.ZodObject[]>): JsonSchema {
  const mapping = options.map((option) => {
    const { value } = option.shape[def.discriminator] as z.ZodLiteral<string>;
    return [value, refTo(option, NAMED_REQUESTS).$ref];
  });
  return { discriminator: { propertyName: def.discriminator, mapping: Object.fromEntries(mapping) } };
}
