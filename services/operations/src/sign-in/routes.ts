import { type Caller, expiryOf, operatorOf } from '@indbakke/shared/access';
import { INSTALLATION } from '@indbakke/shared/audit';
import { Problem } from '@indbakke/shared/errors';
import { EXACT_PATHS, publicPrefixOf, publicUrlOf, toProblem, verifyOperator } from '@indbakke/shared/http';
import { isSameOrigin, OidcSignIn, type OneTimeSecret, Pending, SealedCookie } from '@indbakke/shared/sign-in';
import { type Request, type Response, Router, urlencoded } from 'express';
import { html } from '../html/html.js';
import { sendPage } from '../pages/send-page.js';
import { textsFor } from '../pages/texts.js';
import type { OperationsParts } from '../sections/section.js';
import { requireDrift } from './guard.js';
import { sessionCookie, sessionOf } from './session.js';

const MAX_BODY = '16kb'; // a token is a few
const PENDING_SECONDS = 600;

/** The user of the link that `npm start` prints. */
const LOCAL_OPERATOR: Caller = { actor: { kind: 'user', id: 'local-operator' }, roles: new Set(['Indbakke.Drift']) };

/**
 * `/ops/sign-in`: at the issuer where one is set, else with a token, or with the link that a local stack prints; and
 * `/ops/sign-out`.
 */
export function signIn(parts: OperationsParts, link: OneTimeSecret | undefined): Router {
  const { config, keys, metrics } = parts;
  const session = sessionCookie(keys);
  const pendingCookie = new SealedCookie<Pending>(keys, {
    name: 'indbakke-sign-in',
    value: Pending,
    path: '/ops/sign-in',
    seconds: PENDING_SECONDS,
    sameSite: 'lax', // the issuer, another site, leads back here
  });
  const { OPS_OIDC_ISSUER: issuer } = config;
  const oidc =
    issuer === undefined
      ? undefined
      : new OidcSignIn({
          issuer,
          clientId: config.OPS_OIDC_CLIENT_ID,
          clientSecret: config.OPS_OIDC_CLIENT_SECRET,
          scope: config.OPS_OIDC_SCOPE,
        });
  const router = Router(EXACT_PATHS);

  /** A page, not a redirect: to a redirect from another site, browsers do not send a cookie that is SameSite=Strict. */
  const letIn = (req: Request, res: Response, caller: Caller, to: string, until?: number) => {
    session.set(req, res, sessionOf(caller), until);
    const { signIn: texts } = textsFor(req, res);
    const goOn = `${publicPrefixOf(req)}${pathWithin(req, to)}`;
    sendPage(req, res, {
      title: texts.signedIn,
      body: html`<p><a class="button button-primary" href="${goOn}">${texts.goOn}</a></p>`,
      goOn,
    });
  };
  const refuse = (req: Request, res: Response, error: unknown) => {
    const problem = toProblem(error);
    if (problem.row.fault !== 'peer') throw error;
    if (problem.code === 'not-signed-in') metrics.notSignedIn.inc();
    showForm(req, res, problem);
  };
  const showForm = (req: Request, res: Response, problem?: Problem) => {
    const { signIn: texts } = textsFor(req, res);
    const prefix = publicPrefixOf(req);
    const to = pathWithin(req, String(req.query.to ?? req.body?.to ?? ''));
    const withIssuer = html`<p>${texts.withIssuer}</p>
<p><a class="button button-primary" href="${prefix}/ops/sign-in/start?to=${encodeURIComponent(to)}">${texts.title}</a></p>`;
    const withToken = html`<form method="post" action="${prefix}/ops/sign-in">
<input type="hidden" name="to" value="${to}">
<label class="form-label" for="token">${texts.token}</label>
<p class="hint" id="token-hint">${texts.tokenHint} <code>npm run -s token -- --operations</code></p>
<input class="form-input" id="token" name="token" type="password" autocomplete="off" required aria-describedby="token-hint">
<p><button class="button button-primary" type="submit">${texts.title}</button></p></form>`;
    const refusal = problem?.code === 'role-missing' ? texts.notAnOperator : texts.notSignedIn;
    if (problem) res.status(problem.row.http);
    sendPage(req, res, {
      title: texts.title,
      body: html`${problem && html`<div class="alert alert-error" role="alert">${refusal}</div>`}
${oidc ? withIssuer : withToken}`,
    });
  };

  router.get('/ops/sign-in', (req, res) => showForm(req, res));

  if (!oidc) {
    router.post('/ops/sign-in', urlencoded({ extended: false, limit: MAX_BODY }), async (req, res) => {
      requireSameOrigin(req);
      try {
        const token = String(req.body?.token ?? '').trim();
        const principal = await verifyOperator(parts, token);
        await requireDrift(parts, principal, req);
        letIn(req, res, principal, String(req.body?.to ?? ''), expiryOf(token));
      } catch (error) {
        refuse(req, res, error);
      }
    });
  }

  if (oidc) {
    router.get('/ops/sign-in/start', async (req, res) => {
      const to = pathWithin(req, String(req.query.to ?? ''));
      const { url, pending } = await oidc.begin(`${publicUrlOf(req)}/ops/sign-in/callback`, to);
      pendingCookie.set(req, res, pending);
      res.redirect(303, url);
    });
    router.get('/ops/sign-in/callback', async (req, res) => {
      const pending = pendingCookie.read(req);
      pendingCookie.clear(req, res);
      try {
        if (!pending) throw new Problem('not-signed-in', 'The sign-in took too long, or began in another browser.');
        const caller = operatorOf(await oidc.end(req.originalUrl.split('?')[1] ?? '', pending));
        await requireDrift(parts, { ...caller, municipality: INSTALLATION, teams: [] }, req);
        letIn(req, res, caller, pending.to);
      } catch (error) {
        refuse(req, res, error);
      }
    });
  }

  if (link) {
    router.get('/ops/sign-in/once', (req, res) => {
      const isHere = /^(?:::ffff:)?127\.|^::1$/.test(req.socket.remoteAddress ?? '');
      if (isHere && link.redeem(String(req.query.secret ?? ''))) letIn(req, res, LOCAL_OPERATOR, '/ops');
      else showForm(req, res, new Problem('not-signed-in', 'The link was used.'));
    });
  }

  router.post('/ops/sign-out', (req, res) => {
    requireSameOrigin(req);
    session.clear(req, res);
    res.redirect(303, `${publicPrefixOf(req)}/ops/sign-in`);
  });

  return router;
}

function requireSameOrigin(req: Request): void {
  if (!isSameOrigin(req)) throw new Problem('bad-request', 'The form does not come from a page of ours. Open it anew.');
}

/** Where to go after signing in: a page of ours, whatever the URL says. */
function pathWithin(req: Request, to: string): string {
  const path = to.slice(to.startsWith(publicPrefixOf(req)) ? publicPrefixOf(req).length : 0);
  return /^\/ops(?:\/[\w/-]*)?(?:\?[\w=&%.-]*)?$/.test(path) ? path : '/ops';
}
