import { type Caller, operatorOf, requireUnrevoked } from '@indbakke/shared/access';
import { INSTALLATION } from '@indbakke/shared/audit';
import { html } from '@indbakke/shared/html';
import { publicPrefixOf, verifyOperator } from '@indbakke/shared/http';
import { type OneTimeSecret, signInRoutes } from '@indbakke/shared/sign-in';
import type { Router } from 'express';
import { sendPage } from '../pages/send-page.js';
import { textsFor } from '../pages/texts.js';
import type { OperationsParts } from '../sections/section.js';
import { requireDrift } from './guard.js';
import { sessionCookie, sessionOf } from './session.js';

/** The user of the link that `npm start` prints. */
const LOCAL_OPERATOR: Caller = { actor: { kind: 'user', id: 'local-operator' }, roles: new Set(['Indbakke.Drift']) };

/** `/ops/sign-in` and `/ops/sign-out`: for operators only. */
export function signIn(parts: OperationsParts, link: OneTimeSecret | undefined): Router {
  const { config } = parts;
  const session = sessionCookie(parts.keys);
  const { OPS_OIDC_ISSUER: issuer } = config;
  return signInRoutes<Caller>(parts, {
    base: '/ops',
    oidc:
      issuer === undefined
        ? undefined
        : {
            issuer,
            clientId: config.OPS_OIDC_CLIENT_ID,
            clientSecret: config.OPS_OIDC_CLIENT_SECRET,
            scope: config.OPS_OIDC_SCOPE,
          },
    link: link && { secret: link, who: LOCAL_OPERATOR },
    async byToken(token, req) {
      const principal = await verifyOperator(parts, token);
      await requireUnrevoked(parts.isRevoked, principal);
      await requireDrift(parts, principal, req);
      return principal;
    },
    async byClaims(claims, req) {
      const caller = operatorOf(claims, { issuer: config.TOKEN_ISSUER, rules: parts.claimRules });
      await requireDrift(parts, { ...caller, municipality: INSTALLATION, teams: [] }, req);
      return caller;
    },
    begin: (req, res, caller, until) => session.set(req, res, sessionOf(caller), until),
    end: (req, res) => session.clear(req, res),
    showForm(req, res, { to, problem }) {
      const { signIn: texts } = textsFor(req, res);
      const prefix = publicPrefixOf(req);
      const withIssuer = html`<p>${texts.withIssuer}</p>
<p><a class="button button-primary" href="${prefix}/ops/sign-in/start?to=${encodeURIComponent(to)}">${texts.title}</a></p>`;
      const withToken = html`<form method="post" action="${prefix}/ops/sign-in">
<input type="hidden" name="to" value="${to}">
<label class="form-label" for="token">${texts.token}</label>
<p class="hint" id="token-hint">${texts.tokenHint} <code>npm run -s token -- --operations</code></p>
<input class="form-input" id="token" name="token" type="password" autocomplete="off" required aria-describedby="token-hint">
<p><button class="button button-primary" type="submit">${texts.title}</button></p></form>`;
      sendPage(req, res, {
        title: texts.title,
        body: html`${problem && html`<div class="alert alert-error" role="alert">${texts.refusals[problem.code] ?? texts.refusals['not-signed-in']}</div>`}
${issuer === undefined ? withToken : withIssuer}`,
      });
    },
    showSignedIn(req, res, goOn) {
      const { signIn: texts } = textsFor(req, res);
      sendPage(req, res, {
        title: texts.signedIn,
        body: html`<p><a class="button button-primary" href="${goOn}">${texts.goOn}</a></p>`,
        goOn,
      });
    },
  });
}
