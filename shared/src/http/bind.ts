import express, { type Request, type RequestHandler, type Response, Router } from 'express';
import { z } from 'zod';
import type { Principal, TokenVerifier } from '../access/index.js';
import type { Operation } from '../api/index.js';
import { recordAudit } from '../audit/index.js';
import { Problem } from '../errors/index.js';
import type { ChangeRequest } from '../lifecycle/index.js';
import type { Metrics } from '../metrics/index.js';
import { CommitInDoubt, type Store } from '../store/index.js';
import { toProblem, unavailable } from './problem-handler.js';

type Parsed<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined;

/** One call of the inbox API: authenticated, authorised and parsed. */
export interface Call<O extends Operation> {
  readonly principal: Principal;
  readonly params: Parsed<O['params']>;
  readonly query: Parsed<O['query']>;
  readonly body: Parsed<O['body']>;
  /** The version in If-Match; always present when the operation changes a message. */
  readonly expectedVersion: O['change'] extends string ? number : undefined;
  readonly at: Date;
  readonly req: Request;
  readonly res: Response;
}

/** What the handler returns: the JSON answer; nothing for 204, or when it streams into `res` itself. */
export type Answer<O extends Operation> = O['answer'] extends z.ZodType ? Promise<z.input<O['answer']>> : Promise<void>;

/** Binds an operation of the contract to its handler. */
export type Bind = <O extends Operation>(operation: O, handle: (call: Call<O>) => Answer<O>) => void;

export interface ApiParts {
  readonly store: Store;
  readonly tokens: TokenVerifier;
  readonly metrics: Metrics;
}

const MAX_JSON = '1mb';

/** A router of the inbox API, and the function that binds operations to it. */
export function createApi(parts: ApiParts): { router: Router; bind: Bind } {
  const router = Router();
  const readJson = express.json({ limit: MAX_JSON, inflate: false });
  return {
    router,
    bind(operation, handle) {
      // Before the body is read: nothing from strangers is parsed.
      const signInFirst: RequestHandler = async (req, res, next) => {
        res.locals.operation = `${operation.method.toUpperCase()} ${operation.path}`;
        res.set('Cache-Control', 'no-store');
        res.locals.principal = await signIn(parts, req);
        next();
      };
      router[operation.method](operation.path, signInFirst, readJson, async (req, res) => {
        const { principal } = res.locals as { principal: Principal };
        try {
          const call = parseCall(operation, principal, req, res);
          const answer = await handle(call);
          sendAnswer(operation, res, answer);
        } catch (error) {
          await auditRefusal(parts.store, principal, operation, req, error);
          // A call that only reads changes nothing but the audit log.
          if (operation.method === 'get' && error instanceof CommitInDoubt) throw unavailable(error);
          throw error;
        }
      });
    },
  };
}

/** The change that a call requests, without its HTTP. */
export function changeOf(call: Pick<Call<Operation>, 'principal' | 'at'> & Changing): ChangeRequest {
  const { principal, params, expectedVersion, at } = call;
  return { principal, id: params.id, expectedVersion, at };
}

interface Changing {
  readonly params: { id: string };
  readonly expectedVersion: number;
}

async function signIn({ tokens, metrics }: ApiParts, req: Request): Promise<Principal> {
  const token = /^Bearer +(\S+)$/i.exec(req.get('authorization') ?? '')?.[1];
  try {
    if (!token) throw new Problem('not-signed-in', 'Send a bearer token: Authorization: Bearer <token>.');
    return await tokens.verify(token);
  } catch (error) {
    if (toProblem(error).code === 'not-signed-in') metrics.notSignedIn.inc();
    throw error;
  }
}

function parseCall<O extends Operation>(operation: O, principal: Principal, req: Request, res: Response): Call<O> {
  if (!operation.roles.some((role) => principal.roles.has(role))) {
    throw new Problem('role-missing', `The call requires the role ${operation.roles.join(' or ')}.`);
  }
  if (operation.body && req.is('json') === false) {
    throw new Problem('unsupported-media-type', 'Send the body as application/json.');
  }
  const call = {
    principal,
    params: parse(operation.params, req.params, 'path'),
    query: parse(operation.query, req.query, 'query'),
    body: parse(operation.body, req.body ?? {}, 'body'),
    expectedVersion: operation.change ? readVersion(req) : undefined,
    at: new Date(),
    req,
    res,
  };
  return call as unknown as Call<O>;
}

function parse(schema: z.ZodObject | undefined, value: unknown, place: string): unknown {
  if (!schema) return undefined;
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const faults = result.error.issues.map((issue) => `${[place, ...issue.path].join('.')}: ${faultOf(issue)}`);
  throw new Problem('bad-request', `${faults.join('; ')}.`, {
    path: [place, ...(result.error.issues[0]?.path ?? [])].join('.'),
  });
}

/** The schema's messages name what was expected; only this one would quote what was sent. */
function faultOf({ code, message }: z.core.$ZodIssue): string {
  return code === 'unrecognized_keys' ? 'contains an unknown field' : message;
}

function readVersion(req: Request): number {
  const header = req.get('if-match');
  if (header === undefined) {
    throw new Problem('version-needed', 'Send If-Match with the version that was read.');
  }
  const version = /^"?(\d{1,9})"?$/.exec(header.trim())?.[1];
  if (version === undefined) throw new Problem('bad-request', 'If-Match must be one version, such as "3".');
  return Number(version);
}

function sendAnswer(operation: Operation, res: Response, answer: unknown): void {
  if (typeof operation.answer === 'string') return; // streamed
  if (operation.answer === undefined) return void res.status(204).end();
  const { version } = answer as { version?: number };
  if (version !== undefined) res.set('ETag', `"${version}"`);
  // Not res.json(), which answers 304 to If-None-Match: the version is for If-Match only, since the suggested case in the
  // answer changes without it.
  res.type('json').end(JSON.stringify(answer));
}

/** Writes refused calls of identified callers to the audit log. */
async function auditRefusal(
  store: Store,
  principal: Principal,
  operation: Operation,
  req: Request,
  error: unknown,
): Promise<void> {
  const { code } = toProblem(error);
  if (code !== 'role-missing' && code !== 'not-found') return;
  const { municipality, actor } = principal;
  await store
    .withTenant(municipality, (tx) =>
      recordAudit(tx, {
        municipality,
        actor,
        at: new Date(),
        action: 'refused',
        // So that it can be found whose messages someone tried to reach. Only ids are recorded.
        ...(z.uuid().safeParse(req.params.id).success && { messageId: String(req.params.id) }),
        details: { code, call: `${operation.method} ${operation.path}` },
      }),
    )
    // The call is refused even if that cannot be recorded.
    .catch(() => {});
}
