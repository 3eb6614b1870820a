import { describeApi } from '@indbakke/shared/api';
import { Ajv, type ValidateFunction } from 'ajv';

/** An answer of the inbox API that its OpenAPI description does not have. */
export class NotDescribed extends Error {}

interface Description {
  readonly paths: Record<string, Record<string, { responses: Record<string, Described> }>>;
  readonly components: { headers: Record<string, Header> };
}

interface Described {
  readonly headers?: Record<string, { $ref: string }>;
  readonly content?: Record<string, unknown>;
}

interface Header {
  readonly required?: boolean;
  readonly schema: object;
}

const PROBLEM = 'application/problem+json';
const DOCUMENT = 'openapi';

const description = describeApi() as Description;
const ajv = new Ajv({ strict: false, validateFormats: false }).addSchema(description, DOCUMENT);
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
  const isPage = /^\/api\/v1\/(openapi\.json|docs)$/.test(pathname);
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
  const described = operation.responses[response.status];
  if (!described) throw new NotDescribed(`${call}, which is not described.`);
  checkHeaders(call, described, response);
  if (method === 'HEAD') return;
  const types = Object.keys(described.content ?? {});
  const type = response.headers.get('content-type')?.split(';')[0] ?? undefined;
  if (type === undefined ? types.length > 0 : !types.includes(type)) throw new NotDescribed(`${call} as ${type}.`);
  if (type !== 'application/json' && type !== PROBLEM) return;
  const pointer = ['paths', path, method.toLowerCase(), 'responses', response.status, 'content', type, 'schema'];
  await checkJson(
    call,
    pointer.map((part) => `/${encodeURIComponent(`${part}`.replaceAll('/', '~1'))}`).join(''),
    response,
  );
}

function checkHeaders(call: string, { headers = {} }: Described, response: Response): void {
  for (const name of DESCRIBED_HEADERS) {
    if (response.headers.has(name) && !(name in headers)) throw new NotDescribed(`${call} with the header ${name}.`);
  }
  for (const [name, { $ref }] of Object.entries(headers)) {
    const { required } = description.components.headers[$ref.split('/').at(-1) as string] as Header;
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
