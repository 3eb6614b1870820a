import { isAscii } from 'node:buffer';
import type { Request, RequestHandler } from 'express';
import { z } from 'zod';
import {
  CSV,
  EXCEL,
  NDJSON,
  OPERATIONS,
  type Operation,
  PERSONAL_FILTERS,
  requiresVersion,
  takesIdempotencyKey,
} from '../api/index.js';
import { MiB } from '../config/index.js';
import { Problem } from '../errors/index.js';
import { charsetOf, mediaTypeOf } from './content-type.js';
import { versionIn } from './entity-tags.js';
import { readBytes } from './read-bytes.js';
import { readCsvTable, readExcelTable } from './read-table.js';

type Parsed<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined;

/** The input of a call. */
export interface Input<O extends Operation> {
  readonly params: Parsed<O['params']>;
  readonly query: Parsed<O['query']>;
  readonly body: Parsed<O['body']>;
  /** The version in If-Match; present when the operation requires it. */
  readonly expectedVersion: O['change'] extends string ? number : O['isVersioned'] extends true ? number : undefined;
  /** As the caller sent it. */
  readonly idempotencyKey: string | undefined;
}

const MAX_FAULTS = 20;
/** What a call without a query or a body takes: none, or an empty one, since some clients send `{}` with every POST. */
const NO_FIELDS = z.strictObject({});

/** Reads the bytes of a body, unless the call reads its lines. */
export const readBodyOf =
  ({ lines }: Operation): RequestHandler =>
  async (req, _res, next) => {
    if (!lines) req.body = await readBytes(req, MiB);
    next();
  };

const PATHS: ReadonlySet<string> = new Set(Object.values<Operation>(OPERATIONS).map(({ path }) => path));

/** A path of its own, such as `…/search`, is no id in another one. */
export const leaveOtherPaths: RequestHandler = (req, _res, next) => {
  const isOther = PATHS.has(req.path) && req.path !== (req.route as { path: string }).path;
  next(isOther ? 'route' : undefined);
};

/**
 * Checks everything that the caller sent. Nothing is ignored: who sends a field, a parameter or a condition expects an effect.
 *
 * @throws Problem of which only names of fields are the caller’s
 */
export async function parseCall<O extends Operation>(operation: O, req: Request): Promise<Input<O>> {
  refuseUnusedConditions(operation, req);
  const query = readQuery(req);
  return {
    params: operation.params && parse(operation.params, req.params, 'path'),
    ...(operation.bodyOrQuery ? parseEither(operation, query, req) : await parseBoth(operation, query, req)),
    expectedVersion: requiresVersion(operation) ? readVersion(req) : undefined,
    idempotencyKey: takesIdempotencyKey(operation) ? readIdempotencyKey(req) : undefined,
  } as unknown as Input<O>;
}

async function parseBoth(operation: Operation, query: Query, req: Request) {
  const { query: parameters = NO_FIELDS, body = NO_FIELDS, lines, table } = operation;
  const mediaType = mediaTypeOf(req.get('content-type'));
  if (table && (mediaType === CSV || mediaType === EXCEL)) {
    const rows = mediaType === CSV ? readCsvTable(req.body) : await readExcelTable(req.body);
    const sent = { [table.list]: rows.map(table.itemOf) };
    return { query: parse(parameters, query, 'query'), body: parse(body, sent, 'table') };
  }
  if (lines) {
    requireLines(req);
    return { query: parse(parameters, query, 'query') };
  }
  const sent = hasBody(req) || body !== NO_FIELDS ? readJson(req) : {};
  return { query: parse(parameters, query, 'query'), body: parse(body, sent, 'body') };
}

function parseEither({ body = NO_FIELDS }: Operation, query: Query, req: Request) {
  if (!hasBody(req)) return { body: parse(body, query, 'query') };
  if (Object.keys(query).length === 0) return { body: parse(body, readJson(req), 'body') };
  throw new Problem('bad-request', 'Send the fields in the body or in the query, not in both.', { path: 'query' });
}

function parse(schema: NonNullable<Operation['body']>, value: unknown, place: string): unknown {
  const result = schema.safeParse(value, { error: wordsFor });
  if (result.success) return result.data;
  const faults = result.error.issues.flatMap((issue) => faultsOf(issue, place));
  const logged = faults.map(({ unnamed, ...fault }) => unnamed ?? fault);
  throw new Problem('bad-request', sentenceOf(faults), {
    path: faults[0]?.path ?? place,
    logged: { detail: sentenceOf(logged), path: logged[0]?.path ?? place },
  });
}

function sentenceOf(faults: readonly Fault[]): string {
  const shown = faults.slice(0, MAX_FAULTS).map(({ path, text }) => `${path}: ${text}`);
  const rest = faults.length - shown.length;
  return `${shown.join('; ')}${rest > 0 ? `; and ${rest} more` : ''}.`;
}

const SEARCH = `POST ${OPERATIONS.searchIncomingDocuments.path}`;

interface Fault {
  readonly path: string;
  readonly text: string;
  /** The same without the name that the caller chose. */
  readonly unnamed?: Fault;
}

const TYPES: Partial<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
};

/** The words of a fault that a schema has none of its own for, as an option of safeParse; undefined = zod’s. */
export function wordsFor(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'invalid_type' || issue.code === 'invalid_value') {
    if (issue.input === undefined) return 'is missing';
    if (issue.code === 'invalid_type') return `must be ${TYPES[issue.expected] ?? issue.expected}`;
    return `must be ${issue.values.join(' or ')}`;
  }
  return undefined;
}

/** The schema's messages name what was expected; only unknown fields are the caller's text. */
function faultsOf(issue: z.core.$ZodIssue, place: string): Fault[] {
  const [, index, ...inside] = issue.path;
  // The first row has the headings, and people count from 1.
  const inTable = typeof index === 'number' ? [`line ${index + 2}`, ...inside] : ['body'];
  const path = place === 'table' ? inTable.join('.') : [place, ...issue.path].join('.');
  if (issue.code !== 'unrecognized_keys') return [{ path, text: issue.message }];
  return issue.keys.map((key) => {
    const named = pathOf(path, key);
    const isPersonal = place === 'query' && Object.hasOwn(PERSONAL_FILTERS, key);
    const unknown = isPersonal ? `may be personal, so only a body may have it: ${SEARCH}` : 'is unknown';
    const unnamed = { path, text: 'has an unknown field' };
    return named === path ? unnamed : { path: named, text: unknown, unnamed };
  });
}

/**
 * The path of a field that the caller named, if the name cannot hold anything personal such as a number; else of what it
 * is in.
 */
function pathOf(place: string, name: string): string {
  const isHarmless = /^[A-Za-z_][\w-]{0,39}$/.test(name) && name.replace(/\D/g, '').length <= 3;
  return isHarmless ? `${place}.${name}` : place;
}

// --- query ---------------------------------------------------------------------------------------------------------

type Query = Readonly<Record<string, string>>;

function readQuery(req: Request): Query {
  decodeURIComponent(req.originalUrl); // which throws; Express replaces what is not UTF-8
  const repeated = Object.keys(req.query).find((name) => Array.isArray(req.query[name]));
  if (repeated !== undefined) {
    const path = pathOf('query', repeated);
    const logged = { detail: 'query: has a field more than once.', path: 'query' };
    throw new Problem('bad-request', `${path}: is given more than once.`, { path, logged });
  }
  return req.query as Query;
}

// --- body ----------------------------------------------------------------------------------------------------------

function hasBody(req: Request): boolean {
  return Buffer.isBuffer(req.body) && req.body.length > 0;
}

/**
 * A line of a body, as the schema has it.
 *
 * @throws Problem bad-request of which only names of fields are the caller’s
 */
export function parseLine<Schema extends z.ZodObject>(schema: Schema, line: Buffer): z.output<Schema> {
  return parse(schema, jsonIn(line, 'line'), 'line') as z.output<Schema>;
}

function requireLines(req: Request): void {
  const { 'transfer-encoding': chunked, 'content-length': length = '0' } = req.headers;
  if (chunked === undefined && length === '0') {
    throw new Problem('bad-request', 'The call requires a body, as lines of JSON.', { path: 'body' });
  }
  const contentType = req.get('content-type');
  if (mediaTypeOf(contentType) !== NDJSON || !/^utf-?8$/i.test(charsetOf(contentType) ?? 'utf-8')) {
    throw new Problem('unsupported-media-type', `Send the body as Content-Type: ${NDJSON}, in UTF-8.`);
  }
}

function readJson(req: Request): unknown {
  if (!hasBody(req)) throw new Problem('bad-request', 'The call requires a body, as JSON.', { path: 'body' });
  const contentType = req.get('content-type');
  const charset = charsetOf(contentType) ?? 'utf-8';
  const isInUtf8 = /^utf-?8$/i.test(charset) || (/^(us-)?ascii$/i.test(charset) && isAscii(req.body));
  if (mediaTypeOf(contentType) !== 'application/json' || !isInUtf8) {
    throw new Problem('unsupported-media-type', 'Send the body as Content-Type: application/json, in UTF-8.');
  }
  return jsonIn(req.body, 'body');
}

/** JSON must be UTF-8, and may begin with a byte order mark (RFC 8259, 8.1). */
function jsonIn(bytes: Buffer, place: 'body' | 'line'): unknown {
  let json: string;
  let value: unknown;
  try {
    json = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    value = JSON.parse(json);
  } catch {
    throw new Problem('bad-request', `The ${place} is not JSON in UTF-8.`, { path: place });
  }
  if (hasFieldTwice(json)) throw new Problem('bad-request', `The ${place} has a field twice.`, { path: place });
  return value;
}

/** Whether an object in valid JSON has two fields of one name, of which JSON.parse would drop the first. */
function hasFieldTwice(json: string): boolean {
  const names: Set<string>[] = [];
  for (const [token, text, colon] of json.matchAll(/("(?:[^"\\]|\\.)*")(\s*:)?|[{}]/g)) {
    if (token === '{') names.push(new Set());
    else if (token === '}') names.pop();
    else if (colon) {
      const name = JSON.parse(text as string) as string;
      if (names.at(-1)?.has(name)) return true;
      names.at(-1)?.add(name);
    }
  }
  return false;
}

// --- conditions ----------------------------------------------------------------------------------------------------

function readVersion(req: Request): number {
  const header = req.get('if-match');
  if (header === undefined) {
    throw new Problem('version-needed', 'Send If-Match with the version that was read.', { path: 'header.if-match' });
  }
  const version = versionIn(header);
  if (version === undefined) {
    throw new Problem('bad-request', 'header.if-match: must be one version, such as "3".', { path: 'header.if-match' });
  }
  return version;
}

function readIdempotencyKey(req: Request): string | undefined {
  const key = req.get('idempotency-key');
  if (key === undefined || /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  const path = 'header.idempotency-key';
  throw new Problem('bad-request', `${path}: must be 1 to 255 visible ASCII characters.`, { path });
}

/** A write must not take effect although a condition that it does not know is false, nor with part of a body. */
function refuseUnusedConditions(operation: Operation, req: Request): void {
  if (operation.method === 'get') return;
  // RFC 9110, 14.5: of a part of the content nobody must make the whole.
  const unused = [
    'if-none-match',
    'if-unmodified-since',
    'content-range',
    ...(requiresVersion(operation) ? [] : ['if-match']),
  ];
  const sent = unused.find((name) => req.get(name) !== undefined);
  if (sent) throw new Problem('bad-request', `The call does not take the header ${sent}.`, { path: `header.${sent}` });
}
