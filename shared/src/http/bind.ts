import { type Request, type RequestHandler, type Response, Router } from 'express';
import type { z } from 'zod';
import type { Principal, TokenVerifier } from '../access/index.js';
import type { Operation } from '../api/index.js';
import { recordAudit } from '../audit/index.js';
import { Problem } from '../errors/index.js';
import { uuidOf } from '../ids/index.js';
import type { ChangeRequest } from '../lifecycle/index.js';
import type { Metrics } from '../metrics/index.js';
import { CommitInDoubt, type Store } from '../store/index.js';
import { readCredentials } from './credentials.js';
import { EXACT_PATHS } from './no-such-call.js';
import { type Input, parseCall, readBody, requirePath } from './parse-call.js';
import { sendJson, toProblem, unavailable } from './problem-handler.js';

/** One call of the inbox API: authenticated, authorised and parsed. */
export interface Call<O extends Operation> extends Input<O> {
  readonly principal: Principal;
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

/** A router of the inbox API, and the function that binds operations to it. */
export function createApi(parts: ApiParts): { router: Router; bind: Bind } {
  const router = Router(EXACT_PATHS);
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
      router[operation.method](operation.path, signInFirst, requirePath(operation), readBody, async (req, res) => {
        const { principal } = res.locals as { principal: Principal };
        try {
          requireRole(operation, principal);
          const call = { principal, ...parseCall(operation, req), at: new Date(), req, res };
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
  const credentials = readCredentials(req);
  try {
    if (credentials?.scheme !== 'bearer') {
      throw new Problem('not-signed-in', 'Send one bearer token: Authorization: Bearer <token>.');
    }
    return await tokens.verify(credentials.value);
  } catch (error) {
    if (toProblem(error).code === 'not-signed-in') metrics.notSignedIn.inc();
    throw error;
  }
}

function requireRole({ roles }: Operation, principal: Principal): void {
  if (roles.some((role) => principal.roles.has(role))) return;
  throw new Problem('role-missing', `The call requires the role ${roles.join(' or ')}.`);
}

function sendAnswer(operation: Operation, res: Response, answer: unknown): void {
  if (Array.isArray(operation.answer)) return; // streamed
  if (operation.answer === undefined) return void res.status(204).end();
  const { version } = answer as { version?: number };
  if (version !== undefined) res.set('ETag', `"${version}"`);
  sendJson(res.type('json'), answer as object);
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
  await recordAudit(store, {
    municipality,
    actor,
    at: new Date(),
    action: 'refused',
    // So that it can be found whose messages someone tried to reach. Only ids are recorded.
    messageId: uuidOf(String(req.params.id)),
    details: { code, call: `${operation.method} ${operation.path}` },
  })
    // The call is refused even if that cannot be recorded.
    .catch(() => {});
}
