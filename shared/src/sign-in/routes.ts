import { type Request, type RequestHandler, type Response, Router } from 'express';
import type { JWTPayload } from 'jose';
import { expiryOf, MAX_LIFE_SECONDS, revoke } from '../access/index.js';
import { currentTime } from '../clock/index.js';
import { KiB, SECOND } from '../config/index.js';
import { Problem } from '../errors/index.js';
import {
  addressOf,
  EXACT_PATHS,
  isOfThisMachine,
  publicPrefixOf,
  publicUrlOf,
  readForm,
  sayWhenToRetry,
  toProblem,
} from '../http/index.js';
import type { KeyRing } from '../keys/index.js';
import type { FailedSignIns } from '../limits/index.js';
import type { Store } from '../store/index.js';
import { type OidcOptions, OidcSignIn, Pending } from './oidc.js';
import type { OneTimeSecret } from './one-time-link.js';
import { isSameOrigin } from './same-origin.js';
import { SealedCookie } from './sealed-cookie.js';

const MAX_BODY = 16 * KiB; // a token is a few
const PENDING_SECONDS = 600;

/** How people sign in to pages of ours, and what they see meanwhile. */
export interface SignIn<Who> {
  /** Where the pages are, such as `/ops`. */
  readonly base: '/inbox' | '/ops';
  /** Undefined: with a token. */
  readonly oidc: OidcOptions | undefined;
  /** Of a local stack: a link that signs in once, from this machine only. */
  readonly link: { readonly secret: OneTimeSecret; readonly who: Who } | undefined;
  /** Who a token is of. @param municipality that the person chose @throws Problem when it lets nobody in */
  byToken(token: string, req: Request, municipality?: string): Promise<Who>;
  /** Who the claims of the issuer are of. @param municipality that the person chose @throws Problem when they let nobody in */
  byClaims(claims: JWTPayload, req: Request, municipality?: string): Promise<Who>;
  /** Sets the cookie. @param until in ms, ends it sooner */
  begin(req: Request, res: Response, who: Who, until?: number): void;
  end(req: Request, res: Response): void;
  showForm(req: Request, res: Response, form: { readonly to: string; readonly problem: Problem | undefined }): void;
  showSignedIn(req: Request, res: Response, goOn: string): void;
}

/**
 * `<base>/sign-in`, at the issuer where one is set, else with a token; `<base>/sign-out`, and `<base>/back-channel-logout`, where the
 * issuer ends sign-ins.
 */
export function signInRoutes<Who>(
  {
    store,
    keys,
    failedSignIns,
  }: { readonly store: Store; readonly keys: KeyRing; readonly failedSignIns: FailedSignIns },
  pages: SignIn<Who>,
): Router {
  const { base } = pages;
  const pendingCookie = new SealedCookie<Pending>(keys, {
    name: 'indbakke-sign-in',
    value: Pending,
    path: `${base}/sign-in`,
    seconds: PENDING_SECONDS,
    sameSite: 'lax', // the issuer, another site, leads back here
  });
  const oidc = pages.oidc && new OidcSignIn(pages.oidc);
  const router = Router(EXACT_PATHS);

  /** A page, not a redirect: to a redirect from another site, browsers do not send a cookie that is SameSite=Strict. */
  const letIn = (req: Request, res: Response, who: Who, to: string, until?: number) => {
    pages.begin(req, res, who, until);
    pages.showSignedIn(req, res, `${publicPrefixOf(req)}${pathWithin(base, req, to)}`);
  };
  const refuse = async (req: Request, res: Response, error: unknown) => {
    const problem = toProblem(error);
    if (problem.row.fault !== 'peer') throw error;
    const isFailure = problem.row.http === 401 || problem.row.http === 403;
    showForm(req, res, isFailure ? await failedSignIns.count(problem, addressOf(req)) : problem);
  };
  const showForm = (req: Request, res: Response, problem?: Problem) => {
    const to = pathWithin(base, req, String(req.query.to ?? req.body?.to ?? ''));
    if (problem) sayWhenToRetry(res.status(problem.row.http), problem);
    pages.showForm(req, res, { to, problem });
  };

  router.get(`${base}/sign-in`, (req, res) => showForm(req, res));
  if (oidc) {
    router.get(`${base}/sign-in/start`, async (req, res) => {
      const to = pathWithin(base, req, String(req.query.to ?? ''));
      const municipality = chosenIn(req.query);
      const { url, pending } = await oidc.begin(`${publicUrlOf(req)}${base}/sign-in/callback`, { to, municipality });
      pendingCookie.set(req, res, pending);
      res.redirect(303, url);
    });
    router.get(`${base}/sign-in/callback`, async (req, res) => {
      const pending = pendingCookie.read(req);
      pendingCookie.clear(req, res);
      try {
        if (!pending) throw new Problem('not-signed-in', 'The sign-in took too long, or began in another browser.');
        const claims = await oidc.end(req.originalUrl.split('?')[1] ?? '', pending);
        letIn(req, res, await pages.byClaims(claims, req, pending.municipality), pending.to);
      } catch (error) {
        await refuse(req, res, error);
      }
    });
    // The issuer itself calls: it has no session, and its token says what it is for.
    router.post(`${base}/back-channel-logout`, readForm(MAX_BODY), async (req, res) => {
      res.set('Cache-Control', 'no-store');
      const { revoked, at } = await oidc.readLogout(String(req.body?.logout_token ?? ''));
      await revoke({ store, keys }, revoked, at, new Date(currentTime().getTime() + MAX_LIFE_SECONDS * SECOND));
      res.status(200).end();
    });
  } else {
    router.post(`${base}/sign-in`, requireSameOrigin, readForm(MAX_BODY), async (req, res) => {
      try {
        const token = String(req.body?.token ?? '').trim();
        letIn(
          req,
          res,
          await pages.byToken(token, req, chosenIn(req.body)),
          String(req.body?.to ?? ''),
          expiryOf(token),
        );
      } catch (error) {
        await refuse(req, res, error);
      }
    });
  }
  const { link } = pages;
  if (link) {
    router.get(`${base}/sign-in/once`, async (req, res) => {
      if (isOfThisMachine(req) && link.secret.redeem(String(req.query.secret ?? ''))) letIn(req, res, link.who, base);
      else await refuse(req, res, new Problem('not-signed-in', 'The link was used.'));
    });
  }
  router.post(`${base}/sign-out`, requireSameOrigin, (req, res) => {
    pages.end(req, res);
    res.redirect(303, `${publicPrefixOf(req)}${base}/sign-in`);
  });
  return router;
}

/** The municipality that a person chose; undefined when it is none. */
function chosenIn(sent: { readonly municipality?: unknown } | undefined): string | undefined {
  const municipality = String(sent?.municipality ?? '');
  return /^\d{8}$/.test(municipality) ? municipality : undefined;
}

/** Lets forms of our pages pass, before they are read. @throws Problem bad-request */
export const requireSameOrigin: RequestHandler = (req, _res, next) => {
  if (isSameOrigin(req)) return next();
  throw new Problem('bad-request', 'The form does not come from a page of ours. Open it anew.');
};

/** A path of the pages, without the prefix of the proxy; else their first one. */
function pathWithin(base: string, req: Request, to: string): string {
  const path = to.slice(to.startsWith(publicPrefixOf(req)) ? publicPrefixOf(req).length : 0);
  return new RegExp(`^${base}(?:/[\\w/-]*)?(?:\\?[\\w=&%.-]*)?$`).test(path) ? path : base;
}
