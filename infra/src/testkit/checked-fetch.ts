import { type DescribedAnswer, type DescribedHeader, describeApi, type Reference } from '@indbakke/shared/api';
import { Ajv, type ValidateFunction } from 'ajv';
import { z } from 'zod';

/** An answer of the inbox API that its OpenAPI description does not have. */
export class NotDescribed extends Error {}

const PROBLEM = 'application/problem+json';
const DOCUMENT = 'openapi';

const description = describeApi();
const ajv = new Ajv({ strict: false, discriminator: true }).addSchema(description, DOCUMENT);
const FORMATS = { uuid: z.uuid(), 'date-time': z.iso.datetime(), date: z.iso.date() };
for (const [name, schema] of Object.entries(FORMATS)) {
  ajv.addFormat(name, (value: string) => schema.safeParse(value).success);
}
for (const name of ['int32', 'int64'] as const) {
  ajv.addFormat(name, {
    type: 'number',
    validate: name === 'int32' ? (value) => value < 2 ** 31 : Number.isSafeInteger,
  });
}
const templates = Object.keys(description.paths).map((path) => ({
  path,
  pattern: new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`),
}));
// Node adds Content-Length to every answer that is not streamed.
const DESCRIBED_HEADERS = ['ETag', ...Object.keys(description.components.headers)].filter(
  (name) => name !== 'Content-Length',
);
const validators = new Map<string, ValidateFunction>();

/**
 * `fetch`, and a check that the OpenAPI description has this answer: its status, media type, headers and every field of its
 * JSON. Answers outside `/api/v1` and pages are not checked.
 *
 * @throws NotDescribed
 */
export async function checkedFetch(url: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(url, init);
  const { pathname } = new URL(url);
  const isPage = /^\/api\/v1\/(openapi(-3\.0)?\.json|docs)$/.test(pathname);
  if (pathname.startsWith('/api/v1/') && !isPage) await checkAnswer(init.method ?? 'GET', pathname, response);
  return response;
}

async function checkAnswer(method: string, pathname: string, response: Response): Promise<void> {
  const path = templates.find(({ pattern }) => pattern.test(pathname))?.path;
  const operation = path === undefined ? undefined : description.paths[path]?.[method.toLowerCase()];
  const call = `${method} ${path ?? pathname} answered ${response.status}`;
  if (!operation) {
    if (path !== undefined && response.status === 405 && !response.headers.has('allow'))
      throw new NotDescribed(`${call} without Allow.`);
    if (response.status !== 404 && response.status !== 405)
      throw new NotDescribed(`${call}, but there is no such call.`);
    if (method !== 'HEAD') await checkJson(call, '/components/schemas/Problem', response);
    return;
  }
  const answer = operation.responses[response.status];
  const described = answer && resolve<DescribedAnswer>(answer);
  if (!described) throw new NotDescribed(`${call}, which is not described.`);
  checkHeaders(call, described, response);
  if (method === 'HEAD') return;
  const types = Object.keys(described.content ?? {});
  const type = response.headers.get('content-type')?.split(';')[0] ?? undefined;
  if (type === undefined ? types.length > 0 : !types.includes(type)) throw new NotDescribed(`${call} as ${type}.`);
  if (type !== 'application/json' && type !== PROBLEM) return;
  const media = `/content/${inPointer(type)}/schema`;
  const inPlace = `/paths/${inPointer(path as string)}/${method.toLowerCase()}/responses/${response.status}`;
  await checkJson(call, `${'$ref' in answer ? answer.$ref.slice(1) : inPlace}${media}`, response);
}

/** As a part of a JSON pointer in a URL (RFC 6901, 6). */
function inPointer(part: string): string {
  return encodeURIComponent(part.replaceAll('/', '~1'));
}

/** What is in its place, or the component that it refers to. */
function resolve<T extends object>(value: T | Reference): T {
  if (!('$ref' in value)) return value;
  const parts = value.$ref.split('/').slice(1);
  return parts.reduce<unknown>((at, part) => (at as Record<string, unknown>)[part], description) as T;
}

function checkHeaders(call: string, { headers }: DescribedAnswer, response: Response): void {
  for (const name of DESCRIBED_HEADERS) {
    if (response.headers.has(name) && !(name in headers)) throw new NotDescribed(`${call} with the header ${name}.`);
  }
  for (const [name, { $ref }] of Object.entries(headers)) {
    const { required } = resolve<DescribedHeader>({ $ref });
    const value = response.headers.get(name);
    if (value === null && !required) continue;
    const validate = validatorOf(`${$ref.slice(1)}/schema`);
    if (!validate(value))
      throw new NotDescribed(`${call} with the header ${name}: ${ajv.errorsText(validate.errors)}.`);
  }
}

async function checkJson(call: string, pointer: string, response: Response): Promise<void> {
  const validate = validatorOf(pointer);
  if (validate(await response.clone().json())) return;
  throw new NotDescribed(`${call} with JSON that is not described: ${ajv.errorsText(validate.errors)}.`);
}

/** @param pointer of a schema in the description (RFC 6901) */
function validatorOf(pointer: string): ValidateFunction {
  const validate = validators.get(pointer) ?? ajv.compile({ $ref: `${DOCUMENT}#${pointer}` });
  validators.set(pointer, validate);
  return validate;
}
