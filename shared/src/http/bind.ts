import { type Request, type RequestHandler, type Response, Router } from 'express';
import type { z } from 'zod';
import {
  type IsRevoked,
  type OperatorVerifier,
  type Principal,
  principalIn,
  type Role,
  requireUnrevoked,
  type TokenVerifier,
  tellVoided,
  withinLimitsOfCall,
} from '../access/index.js';
import type { Operation } from '../api/index.js';
import { type Doer, INSTALLATION, recordAudit } from '../audit/index.js';
import { currentTime } from '../clock/index.js';
import { Problem } from '../errors/index.js';
import type { IdempotencyKey } from '../idempotency/index.js';
import { uuidOf } from '../ids/index.js';
import { IDEMPOTENCY, type KeyRing } from '../keys/index.js';
import type { ChangeRequest } from '../lifecycle/index.js';
import type { FailedSignIns, RequestLimits } from '../limits/index.js';
import type { InboxSessions } from '../sign-in/index.js';
import { CommitInDoubt, type Store } from '../store/index.js';
import { createAdmission } from './admit.js';
import { addressOf } from './caller-address.js';
import { callerOf } from './caller-of.js';
import { readCredentials } from './credentials.js';
import { EXACT_PATHS } from './no-such-call.js';
import { type Input, leaveOtherPaths, parseCall, readBodyOf } from './parse-call.js';
import { sendJson, toProblem, unavailable } from './problem-handler.js';

/** One call of the inbox API: authenticated, authorised and parsed. */
export interface Call<O extends Operation> extends Omit<Input<O>, 'idempotencyKey'> {
  readonly principal: Principal;
  readonly at: Date;
  readonly idempotencyKey: IdempotencyKey | undefined;
  readonly req: Request;
  readonly res: Response;
}

/** What the handler returns: the JSON answer; nothing for 204, or when it streams into `res` itself. */
export type Answer<O extends Operation> = O['answer'] extends z.ZodType ? Promise<z.input<O['answer']>> : Promise<void>;

/** Binds an operation of the contract to its handler. */
export type Bind = <O extends Operation>(operation: O, handle: (call: Call<O>) => Answer<O>) => void;

export interface ApiParts {
  readonly store: Store;
  readonly keys: KeyRing;
  readonly tokens: TokenVerifier;
  readonly operators: OperatorVerifier;
  readonly isRevoked: IsRevoked;
  /** Undefined while the inbox page is off. */
  readonly inboxSessions?: InboxSessions | undefined;
  /** SF2900_SENDING. */
  readonly sendsOn: boolean;
  readonly failedSignIns: FailedSignIns;
  readonly requestLimits: RequestLimits;
}

/** A router of the inbox API, and the function that binds operations to it. */
export function createApi(parts: ApiParts): { router: Router; bind: Bind } {
  const router = Router(EXACT_PATHS);
  const admit = createAdmission(parts.store);
  return {
    router,
    bind(operation, handle) {
      // Before the body is read: nothing from strangers is parsed.
      const signInFirst: RequestHandler = async (req, res, next) => {
        res.locals.operation = `${operation.method.toUpperCase()} ${operation.path}`;
        res.set('Cache-Control', 'no-store');
        const principal = withoutSending(parts, await signIn(parts, operation, req));
        parts.requestLimits.count(principal);
        res.locals.principal = { ...principal, origin: addressOf(req) } satisfies Principal;
        next();
      };
      router[operation.method](
        operation.path,
        leaveOtherPaths,
        signInFirst,
        readBodyOf(operation),
        async (req, res) => {
          let { principal } = res.locals as { principal: Principal };
          try {
            await admit(principal);
            principal = { ...principal, role: requireRoleFor(parts, operation, principal) };
            const input = await parseCall(operation, req);
            const idempotencyKey = digestKey(parts.keys, operation, principal, input, res);
            const call = { ...input, principal, at: currentTime(), idempotencyKey, req, res };
            const answer = await withinLimitsOfCall(principal, () => handle(call));
            sendAnswer(operation, res, answer);
          } catch (error) {
            // So that it can be found whose messages someone tried to reach. Only ids are recorded.
            await auditRefusal(parts.store, principal, operation, idsIn(operation, req.params), toProblem(error));
            // A call that only reads changes nothing but the audit log.
            if ((operation.method === 'get' || operation.readsOnly) && error instanceof CommitInDoubt)
              throw unavailable(error);
            throw error;
          }
        },
      );
    },
  };
}

/** The change that a call requests, without its HTTP. */
export function changeOf(call: Pick<Call<Operation>, 'principal' | 'at' | 'idempotencyKey'> & Changing): ChangeRequest {
  const { principal, params, expectedVersion, at, idempotencyKey } = call;
  return { principal, id: params.id, expectedVersion, at, idempotencyKey };
}

interface Changing {
  readonly params: { id: string };
  readonly expectedVersion: number;
}

async function signIn(parts: ApiParts, { isOfInstallation }: Operation, req: Request): Promise<Principal> {
  const { tokens, failedSignIns } = parts;
  const credentials = readCredentials(req);
  // Whoever sends an Authorization, even an unreadable one, does not mean the session.
  const signedIn = req.headers.authorization === undefined ? parts.inboxSessions?.readForCall(req) : undefined;
  if (signedIn) {
    await requireUnrevoked(parts.isRevoked, signedIn);
    return signedIn;
  }
  try {
    if (credentials?.scheme !== 'bearer') {
      throw new Problem('not-signed-in', 'Send one bearer token: Authorization: Bearer <token>.');
    }
    if (!isOfInstallation) return await callerOf(tokens, req, credentials.value);
    const operator = await verifyOperator(parts, credentials.value);
    await requireUnrevoked(parts.isRevoked, operator);
    return operator;
  } catch (error) {
    throw await countFailedSignIn(error, req, failedSignIns);
  }
}

/** Counts a call that could not be signed in by its Authorization. @returns what to throw */
export function countFailedSignIn(error: unknown, req: Request, failedSignIns: FailedSignIns): unknown {
  const problem = toProblem(error);
  if (problem.code !== 'not-signed-in') return error;
  return failedSignIns.count(problem, addressOf(req), req.headers.authorization !== undefined);
}

/** Someone who is signed in for a municipality is not asked to sign in, but returned, to be refused as that. */
export async function verifyOperator(
  { operators, tokens }: Pick<ApiParts, 'operators' | 'tokens'>,
  token: string,
): Promise<Principal> {
  try {
    return { ...(await operators.verify(token)), municipality: INSTALLATION, teams: [] };
  } catch (error) {
    const identity = await tokens.verify(token).catch(() => {
      throw error;
    });
    return principalIn(identity, [...identity.grants.keys()][0]);
  }
}

/** Where nothing is sent on, the role to do so counts for nothing: no message says that it is allowed. */
function withoutSending({ sendsOn }: Pick<ApiParts, 'sendsOn'>, principal: Principal): Principal {
  if (sendsOn || !principal.roles.has(SENDS_ON)) return principal;
  return { ...principal, roles: new Set([...principal.roles].filter((role) => role !== SENDS_ON)) };
}

const SENDS_ON: Role = 'IndkomneDokumenter.SendVidere';

function requireRoleFor(
  { sendsOn }: Pick<ApiParts, 'sendsOn'>,
  { roles, isOfInstallation }: Operation,
  principal: Principal,
): Role {
  if (!sendsOn && roles.includes(SENDS_ON)) {
    throw new Problem('role-missing', 'Nothing is sent on from this installation: SF2900_SENDING is off.');
  }
  if (!isOfInstallation || principal.municipality === INSTALLATION) return requireRole(roles, principal);
  const detail = `The call requires a token for operations, with the role ${roles.join(' or ')} and no municipality.`;
  throw new Problem('role-missing', detail);
}

/**
 * @returns the first of the roles that the caller has
 * @throws Problem role-missing when the caller has none of them
 */
export function requireRole(roles: readonly Role[], principal: Principal): Role {
  const allowing = roles.find((role) => principal.roles.has(role));
  if (allowing) return allowing;
  throw new Problem('role-missing', `The call requires the role ${roles.join(' or ')}.${tellVoided(principal)}`);
}

/** Bound to the caller, and to everything that the call was sent. */
function digestKey(
  keys: KeyRing,
  { method, path }: Operation,
  { actor: { kind, id, onBehalfOf } }: Principal,
  { idempotencyKey, ...sent }: Input<Operation>,
  res: Response,
): IdempotencyKey | undefined {
  if (idempotencyKey === undefined) return undefined;
  const digest = (...parts: unknown[]) => keys.digest(IDEMPOTENCY, JSON.stringify(parts));
  return {
    digest: digest(kind, id, onBehalfOf ?? null, idempotencyKey),
    request: digest(method, path, sent),
    onReplay: () => void res.set('Idempotency-Replayed', 'true'),
  };
}

function sendAnswer(operation: Operation, res: Response, answer: unknown): void {
  if (Array.isArray(operation.answer)) return; // streamed
  if (operation.answer === undefined) return void res.status(204).end();
  const { version } = answer as { version?: number };
  if (version !== undefined) res.set('ETag', `"${version}"`);
  sendJson(res.type('json'), answer as object);
}

/** The ids in the path of a call. Only ids, since anything else may be personal. */
function idsIn({ path }: Operation, params: Readonly<Record<string, unknown>>): RefusedIds {
  const isOfMessage = path.startsWith('/api/v1/incoming-documents/:id');
  const ids = Object.entries(params).map(([name, value]) => [
    name === 'id' && isOfMessage ? 'messageId' : name,
    uuidOf(String(value)),
  ]);
  return Object.fromEntries(ids.filter(([, id]) => id !== undefined));
}

type RefusedIds = Readonly<Record<string, string> & { messageId?: string }>;

/**
 * Writes to the audit log that an identified caller was refused (403, 404), and what.
 *
 * @throws Problem unavailable when that cannot be recorded: the caller is told nothing that the log does not have
 */
export async function auditRefusal(
  store: Store,
  { role, ...by }: Doer,
  { method, path }: { readonly method: string; readonly path: string },
  { messageId, ...ids }: RefusedIds,
  { code, row }: Problem,
): Promise<void> {
  if (row.http !== 403 && row.http !== 404) return;
  await recordAudit(store, {
    by: { ...by, role: row.http === 403 ? undefined : role },
    at: currentTime(),
    action: 'refused',
    result: code,
    messageId,
    details: { ...ids, call: `${method} ${path}` },
  }).catch((error: unknown) => {
    throw unavailable(error);
  });
}
