import type { Request, Response } from 'express';
import { z } from 'zod';
import { type Principal, parseRole, Revocable } from '../access/index.js';
import { HOUR, SECOND } from '../config/index.js';
import { Problem } from '../errors/index.js';
import type { KeyRing } from '../keys/index.js';
import { isSameOrigin } from './same-origin.js';
import { SealedCookie } from './sealed-cookie.js';

const SESSION_SECONDS = (8 * HOUR) / SECOND; // a working day

const Sets = z.array(z.record(z.string(), z.array(z.string())));
// Strict: a cookie with a limit under another name must not count as one without.
const Session = z.strictObject({
  municipality: z.string(),
  kind: z.enum(['user', 'system']),
  id: z.string(),
  onBehalfOf: z.string().optional(),
  roles: z.array(z.string()),
  teams: z.array(z.string()),
  limits: z.record(z.string(), Sets).optional(),
  home: z.string().optional(),
  revocable: Revocable.optional(),
});
type Session = z.infer<typeof Session>;

/** Who signed in at `/inbox`: a cookie, which the inbox API takes from pages of ours in place of a token. */
export class InboxSessions {
  readonly #cookie: SealedCookie<Session>;

  constructor(keys: KeyRing) {
    this.#cookie = new SealedCookie<Session>(keys, {
      name: 'indbakke-inbox',
      value: Session as z.ZodType<Session>,
      path: '/',
      seconds: SESSION_SECONDS,
      sameSite: 'strict',
    });
  }

  /**
   * @param until in ms, ends it sooner
   * @throws Problem too-large when a browser would not keep it
   */
  begin(req: Request, res: Response, principal: Principal, until?: number): void {
    const { municipality, actor, roles, teams, limits, home, revocable } = principal;
    const session = { municipality, ...actor, roles: [...roles], teams: [...teams], limits, home, revocable };
    this.#cookie.set(req, res, Session.parse(session), until);
  }

  /**
   * For calls of the API; undefined when nobody is signed in.
   *
   * @throws Problem bad-request when the call does not come from a page of ours
   */
  readForCall(req: Request): Principal | undefined {
    const principal = this.readForPage(req);
    if (!principal) return undefined;
    const isReading = req.method === 'GET' || req.method === 'HEAD';
    const site = req.get('sec-fetch-site');
    const isOurs = isReading ? site === undefined || site === 'same-origin' || site === 'none' : isSameOrigin(req);
    if (!isOurs) throw new Problem('bad-request', 'The call does not come from a page of ours. Open the page anew.');
    return principal;
  }

  /** For a page, which links of other sites may lead to. */
  readForPage(req: Request): Principal | undefined {
    const session = this.#cookie.read(req);
    if (!session) return undefined;
    const { municipality, kind, id, onBehalfOf, roles, teams, limits, home, revocable } = session;
    return {
      municipality,
      actor: { kind, id, onBehalfOf },
      roles: new Set(roles.map(parseRole).filter((role) => role !== undefined)),
      teams,
      limits: limits as Principal['limits'],
      home,
      revocable,
    };
  }

  end(req: Request, res: Response): void {
    this.#cookie.clear(req, res);
  }
}
