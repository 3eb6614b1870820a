// An OpenID provider that signs people in at a SAML identity provider, and hands the attributes of the assertion on as claims
// of the same names. It keeps nobody signed in, and nothing but in memory: run one process. See docs/saml.md.

import { createPrivateKey, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { generateServiceProviderMetadata, SAML, SamlStatusError } from '@node-saml/node-saml';
import { Provider } from 'oidc-provider';

const MINUTE = 60_000;
const SIGN_IN = 10 * MINUTE; // as long as Indbakke waits
const CLOCK_SKEW = 30_000;
const MAX_BODY = 1_000_000; // the privileges of one person are some kilobytes

const PERSISTENT = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent';
const BEARER = 'urn:oasis:names:tc:SAML:2.0:cm:bearer';
const PERSON = 'https://data.gov.dk/model/core/eid/professional/uuid/persistent';
const LEVEL = 'https://data.gov.dk/concept/core/nsis/loa';
/** What becomes a claim (OIOSAML 3.0); nothing else of the assertion is handed on. */
const CLAIMS = [
  'https://data.gov.dk/model/core/eid/professional/cvr',
  'https://data.gov.dk/model/core/eid/privilegesIntermediate',
  LEVEL,
  'https://data.gov.dk/concept/core/nsis/aal',
];

function setting(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is required.`);
  return value;
}
const fileOf = (name) => readFileSync(setting(name), 'utf8');

const url = setting('BRIDGE_URL');
const idp = setting('SAML_IDP_ENTITY_ID');
const certificate = fileOf('SAML_CERTIFICATE_FILE');
const assertionConsumer = `${url}/saml/acs`;

/** What is forgotten after the time of a sign-in. */
class ShortMemory {
  #entries = new Map();

  set(key, value) {
    const now = Date.now();
    for (const [old, { until }] of this.#entries) {
      if (until > now) break; // the oldest are first
      this.#entries.delete(old);
    }
    this.#entries.delete(key);
    this.#entries.set(key, { value, until: now + SIGN_IN });
  }

  get(key) {
    const entry = this.#entries.get(key);
    return entry && entry.until > Date.now() ? entry.value : undefined;
  }

  take(key) {
    const value = this.get(key);
    this.#entries.delete(key);
    return value;
  }
}

const requests = new ShortMemory(); // when they were sent, by the id of the SAML request
const people = new ShortMemory(); // claims of who came back, by the id of the interaction
const granted = new ShortMemory(); // the same, by the id of the grant, until the id token is fetched

const samlOptions = {
  issuer: setting('SAML_ENTITY_ID'),
  audience: setting('SAML_ENTITY_ID'),
  callbackUrl: assertionConsumer,
  entryPoint: setting('SAML_IDP_URL'),
  idpCert: fileOf('SAML_IDP_CERTIFICATES_FILE').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g),
  privateKey: fileOf('SAML_KEY_FILE'),
  decryptionPvk: fileOf('SAML_KEY_FILE'),
  signatureAlgorithm: 'sha256',
  identifierFormat: PERSISTENT,
  wantAssertionsSigned: true,
  wantAuthnResponseSigned: false, // OIOSAML 3.0 signs the assertion
  forceAuthn: false,
  acceptedClockSkewMs: CLOCK_SKEW,
  maxAssertionAgeMs: 5 * MINUTE,
  validateInResponseTo: 'always',
  requestIdExpirationPeriodMs: SIGN_IN,
  cacheProvider: {
    saveAsync: async (id, at) => requests.set(id, at),
    getAsync: async (id) => requests.get(id) ?? null,
    removeAsync: async (id) => requests.take(id ?? '') ?? null,
  },
};

/** The URL of a request whose id is of the interaction, for at least these levels of assurance. */
function requestUrl(interaction, levels) {
  const saml = new SAML({
    ...samlOptions,
    generateUniqueId: () => `_${interaction}`,
    disableRequestedAuthnContext: levels.length === 0,
    authnContext: levels,
    racComparison: 'minimum',
  });
  return saml.getAuthorizeUrlAsync('', undefined, {});
}

/**
 * Whom a response of the identity provider is about: the claims, and the interaction that they answer.
 *
 * @throws Error when it is not a valid answer to a request of ours
 */
async function readResponse(SAMLResponse) {
  const { profile } = await new SAML(samlOptions).validatePostResponseAsync({ SAMLResponse });
  if (profile?.issuer !== idp) throw new Error('It is of another identity provider.');
  const { Subject: [subject] = [] } = profile.getAssertion().Assertion;
  const attributes = profile.attributes ?? {};
  const claims = Object.fromEntries(
    CLAIMS.filter((name) => name in attributes).map((name) => [name, attributes[name]]),
  );
  return { interaction: requestOf(subject).slice(1), claims: { sub: personOf(profile, attributes), ...claims } };
}

/** The id of the request, as it was signed: that of the response around it need not be. */
function requestOf(subject) {
  const confirmations = subject?.SubjectConfirmation ?? [];
  const { Recipient: recipient, InResponseTo: request } = confirmations[0]?.SubjectConfirmationData?.[0]?.$ ?? {};
  if (confirmations.length !== 1 || confirmations[0].$?.Method !== BEARER) throw new Error('It has not one bearer.');
  if (recipient !== assertionConsumer) throw new Error('It is for another recipient.');
  if (!request) throw new Error('It answers no request.');
  return request;
}

/** Never a name id that may hold a name: Indbakke keeps it in the audit log. */
function personOf({ nameID, nameIDFormat }, { [PERSON]: person }) {
  const id = person ?? (nameIDFormat === PERSISTENT ? nameID : undefined);
  if (typeof id !== 'string') throw new Error('It names nobody by a persistent id.');
  return id;
}

const provider = new Provider(url, {
  clients: [
    {
      client_id: setting('OIDC_CLIENT_ID'),
      client_secret: setting('OIDC_CLIENT_SECRET'),
      redirect_uris: [setting('OIDC_REDIRECT_URI')],
    },
  ],
  jwks: {
    keys: [{ ...createPrivateKey(fileOf('OIDC_KEY_FILE')).export({ format: 'jwk' }), alg: 'RS256', use: 'sig' }],
  },
  cookies: { keys: [randomBytes(32).toString('base64url')] },
  claims: { openid: ['sub', ...CLAIMS] },
  conformIdTokenClaims: false, // Indbakke reads the id token
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_, { uid }) => `/interaction/${uid}` },
  ttl: { Interaction: SIGN_IN / 1_000, Session: SIGN_IN / 1_000, Grant: SIGN_IN / 1_000 },
  // Not by the person: one who signs in twice at a time may do so at two levels of assurance.
  findAccount: (_, id, token) => ({ accountId: id, claims: async () => granted.get(token?.grantId) ?? { sub: id } }),
  // The one client is ours: nobody is asked for consent. Without a grant from before, everybody is sent to the identity provider at
  // every sign-in: what they may do can have changed.
  async loadExistingGrant({ oidc: { client, account, result } }) {
    if (!result?.claims) return undefined;
    const grant = new provider.Grant({ clientId: client.clientId, accountId: account.accountId });
    grant.addOIDCScope('openid');
    granted.set(await grant.save(), result.claims);
    return grant;
  },
});
provider.proxy = true;

/** Sends the browser to the identity provider. */
async function askProvider(req, res) {
  const { uid, params } = await provider.interactionDetails(req, res);
  const levels = (params.acr_values ?? '').split(' ').filter((value) => value.startsWith(`${LEVEL}/`));
  redirect(res, await requestUrl(uid, levels));
}

/** Takes the answer of the identity provider. Only a redirect brings the cookie of the interaction: the form is of another site. */
async function takeAnswer(req, res) {
  const { interaction, claims } = await readResponse(new URLSearchParams(await bodyOf(req)).get('SAMLResponse') ?? '');
  people.set(interaction, claims);
  redirect(res, `${url}/interaction/${interaction}/end`);
}

/** Ends the interaction, in the browser that it began in. */
async function endInteraction(req, res) {
  const { uid } = await provider.interactionDetails(req, res);
  const claims = people.take(uid);
  if (!claims) throw new Error('The interaction has no answer.');
  await provider.interactionFinished(req, res, { login: { accountId: claims.sub, remember: false }, claims });
}

function sendMetadata(_, res) {
  const metadata = generateServiceProviderMetadata({
    ...samlOptions,
    decryptionCert: certificate,
    publicCerts: certificate,
  });
  res.writeHead(200, { 'content-type': 'application/samlmetadata+xml' }).end(metadata);
}

async function bodyOf(req) {
  let body = '';
  for await (const chunk of req) {
    body += chunk;
    if (body.length > MAX_BODY) throw new Error('The form is too large.');
  }
  return body;
}

const redirect = (res, location) => res.writeHead(303, { location, 'cache-control': 'no-store' }).end();

const openId = provider.callback();
const routes = [
  [/^GET \/interaction\/[\w-]+$/, askProvider],
  [/^POST \/saml\/acs$/, takeAnswer],
  [/^GET \/interaction\/[\w-]+\/end$/, endInteraction],
  [/^GET \/saml\/metadata$/, sendMetadata],
];

const server = createServer(async (req, res) => {
  const asked = `${req.method} ${req.url.split('?')[0]}`;
  const route = routes.find(([pattern]) => pattern.test(asked))?.[1] ?? openId;
  try {
    await route(req, res);
  } catch (error) {
    // What an identity provider writes beside its status may be about a person.
    const reason = error instanceof SamlStatusError ? 'The identity provider refused.' : error.message;
    console.error(JSON.stringify({ time: new Date().toISOString(), event: 'refused', reason }));
    res.writeHead(403, { 'content-type': 'text/plain; charset=utf-8' }).end('Du blev ikke logget ind. Prøv forfra.\n');
  }
});
server.listen(Number(setting('BRIDGE_PORT')), setting('BRIDGE_HOST'), () => console.log(`ready at ${url}`));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => server.close(() => process.exit()));
