import { z } from 'zod';
import { ERRORS, type ErrorCode } from '../errors/index.js';
import { OPERATIONS, type Operation } from './operations.js';

const EVERY_CALL: readonly ErrorCode[] = ['bad-request', 'not-signed-in', 'role-missing', 'internal', 'unavailable'];

/** The OpenAPI 3.1 description of the inbox API, generated from the schemas that validate its calls. */
export function describeApi(): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const [name, operation] of Object.entries(OPERATIONS)) {
    const path = operation.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [operation.method]: describeOperation(name, operation) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Indbakke', version: '1', description: 'Inbound Digital Post for the DUBU core.' },
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
      schemas: {
        Problem: {
          type: 'object',
          description: 'RFC 9457',
          required: ['type', 'title', 'status', 'detail', 'code', 'correlationId'],
          properties: {
            type: { type: 'string' },
            title: { type: 'string' },
            status: { type: 'integer' },
            detail: { type: 'string' },
            code: { enum: Object.keys(ERRORS) },
            path: { type: 'string' },
            correlationId: { type: 'string' },
          },
        },
      },
    },
  };
}

function describeOperation(name: string, operation: Operation): object {
  return {
    operationId: name,
    summary: operation.summary,
    description: `Requires the role ${operation.roles.join(' or ')}.`,
    parameters: describeParameters(operation),
    ...(operation.body && {
      requestBody: { required: true, content: { 'application/json': { schema: jsonSchema(operation.body, 'input') } } },
    }),
    responses: { ...describeAnswer(operation), ...describeErrors(errorsOf(operation)) },
  };
}

function errorsOf({ method, body, errors }: Operation): ErrorCode[] {
  const ofBody: ErrorCode[] = body ? ['too-large', 'unsupported-media-type'] : [];
  const ofChange: ErrorCode[] = method === 'get' ? [] : ['unknown-outcome'];
  return [...EVERY_CALL, ...ofBody, ...ofChange, ...errors];
}

function describeParameters(operation: Operation): object[] {
  const version = {
    name: 'If-Match',
    in: 'header',
    required: true,
    description: 'The version that was read, as in ETag',
    schema: { type: 'string' },
  };
  return [
    ...fieldsOf(operation.params, 'path'),
    ...fieldsOf(operation.query, 'query'),
    ...(operation.change ? [version] : []),
  ];
}

function fieldsOf(schema: z.ZodObject | undefined, place: 'path' | 'query'): object[] {
  if (!schema) return [];
  const { properties = {}, required = [] } = jsonSchema(schema, 'input') as {
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

function describeAnswer({ answer, change }: Operation): object {
  if (answer === undefined) return { 204: { description: 'Done' } };
  if (typeof answer === 'string') return { 200: { description: 'The content', content: { [answer]: {} } } };
  const headers = change ? { headers: { ETag: { schema: { type: 'string' } } } } : {};
  return {
    200: { description: 'Done', ...headers, content: { 'application/json': { schema: jsonSchema(answer, 'output') } } },
  };
}

function describeErrors(codes: readonly ErrorCode[]): object {
  const answers: Record<number, object> = {};
  for (const status of new Set(codes.map((code) => ERRORS[code].http))) {
    const ofStatus = [...new Set(codes)].filter((code) => ERRORS[code].http === status);
    answers[status] = {
      description: ofStatus.map((code) => `${code}: ${ERRORS[code].meaning}`).join(' '),
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    };
  }
  return answers;
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}
