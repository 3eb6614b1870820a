import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bpp, roleUri } from '../../shared/test/access/bpp.js';
import { freePort } from '../src/local/free-port.js';
import { CHROMIUM, openBrowser } from '../src/testkit/browser.js';
import { createTestIssuer, type Issued, ocesSubject } from '../src/testkit/certificates.js';
import { ODENSKOV, startTestStack, type TestStack } from '../src/testkit/stack.js';
import {
  type Answer,
  readRequest,
  type SamlIdentityProvider,
  startIdentityProvider,
} from './support/saml-identity-provider.js';
import { Visitor } from './support/visitor.js';

// The recipe of docs/saml.md: a SAML identity provider, the bridge with its example settings, and /inbox.

const EXAMPLE = fileURLToPath(new URL('../../docs/examples/saml-bridge', import.meta.url));
const PERSON = 'urn:uuid:0f5b1b6e-6b0c-4a3e-9a6f-0f2f3f1f4f5f';
const CVR = 'https://data.gov.dk/model/core/eid/professional/cvr';
const PRIVILEGES = 'https://data.gov.dk/model/core/eid/privilegesIntermediate';
const NSIS = 'https://data.gov.dk/concept/core/nsis';
const privileges = [roleUri('indkomnedokumenter_laes'), roleUri('indkomnedokumenter_sealle')];
const attributes = {
  'https://data.gov.dk/model/core/specVersion': 'OIO-SAML-3.0',
  'https://data.gov.dk/model/core/eid/firstName': 'Testina',
  [CVR]: ODENSKOV,
  [PRIVILEGES]: bpp([{ scope: ODENSKOV, privileges }]),
  [`${NSIS}/loa`]: 'Substantial',
  [`${NSIS}/aal`]: 'Substantial',
};

const X509_NAME = { nameIdFormat: 'urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName', nameId: 'CN=Testina' };

let folder: string;
let idp: SamlIdentityProvider;
let stack: TestStack;
let bridge: ChildProcess;
let bridgeUrl: string;
let log = '';
let serviceProvider: Issued;
let stranger: Issued;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'indbakke-saml-'));
  const issuer = await createTestIssuer();
  const issue = () => issuer.issue({ subject: ocesSubject(ODENSKOV, 'test') });
  const own = await issue();
  [serviceProvider, stranger] = await Promise.all([issue(), issue()]);
  idp = await startIdentityProvider(own, serviceProvider);
  const port = await freePort();
  bridgeUrl = `http://127.0.0.1:${port}`;
  stack = await startTestStack({
    INBOX_PAGE: 'on',
    INBOX_OIDC_ISSUER: bridgeUrl,
    INBOX_OIDC_CLIENT_SECRET: 'a-secret-of-the-test',
    TOKEN_CLAIMS: 'context-handler-2',
    TOKEN_SYSTEM: 'indbakke.example.dk',
  });
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const files = {
    'oidc.key': privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    'saml.crt': serviceProvider.certificate,
    'saml.key': serviceProvider.key,
    'idp.crt': `${(await issue()).certificate}\n${own.certificate}`, // the next one, and this one
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  bridge = spawn(process.execPath, [join(EXAMPLE, 'bridge.mjs')], {
    cwd: folder,
    env: {
      ...parseEnv(readFileSync(join(EXAMPLE, 'bridge.env'), 'utf8')),
      BRIDGE_URL: bridgeUrl,
      BRIDGE_PORT: String(port),
      OIDC_CLIENT_SECRET: 'a-secret-of-the-test',
      OIDC_REDIRECT_URI: `${stack.url}/inbox/sign-in/callback`,
      SAML_IDP_URL: idp.url,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  bridge.stderr?.on('data', (data) => {
    log += data;
  });
  await once(bridge.stdout as NonNullable<typeof bridge.stdout>, 'data');
});

afterAll(async () => {
  if (bridge?.exitCode === null) {
    bridge.kill();
    await once(bridge, 'exit');
  }
  await idp?.close();
  await stack?.close();
  rmSync(folder, { recursive: true, force: true });
});

beforeEach(() => {
  idp.answers = { attributes };
  log = '';
});

/** The first URL that begins so, over redirects. */
async function follow(visitor: Visitor, from: string, until: string): Promise<string> {
  let url = from;
  for (let steps = 0; steps < 8 && !url.startsWith(until); steps += 1) {
    const { headers } = await visitor.go(url);
    url = new URL(headers.get('location') ?? '', url).href;
  }
  return url;
}

const askedBy = (visitor: Visitor) => follow(visitor, `${stack.url}/inbox/sign-in/start?to=/inbox/set-up`, idp.url);

/** The form of the identity provider, with its answer. */
async function answerTo(url: string, answers: Answer = {}): Promise<string> {
  idp.answers = { attributes, ...answers };
  return /value="([^"]+)"/.exec(await (await fetch(url)).text())?.[1] ?? '';
}

const bringBack = (visitor: Visitor, SAMLResponse: string) => visitor.post(`${bridgeUrl}/saml/acs`, { SAMLResponse });

/** The way back to Indbakke, not yet gone; or the answer of a bridge that refuses. */
async function comeBack(visitor: Visitor, answers: Answer = {}): Promise<string | Response> {
  const taken = await bringBack(visitor, await answerTo(await askedBy(visitor), answers));
  if (taken.status !== 303) return taken;
  return follow(visitor, taken.headers.get('location') ?? '', `${stack.url}/inbox/sign-in/callback`);
}

/** What the browser is shown at last. */
async function signIn(visitor: Visitor, answers?: Answer): Promise<Response> {
  const back = await comeBack(visitor, answers);
  return typeof back === 'string' ? visitor.go(back) : back;
}

async function sessionOf(visitor: Visitor): Promise<unknown> {
  const page = await (await visitor.go(`${stack.url}/inbox`)).text();
  return JSON.parse((/data-session="([^"]*)"/.exec(page)?.[1] ?? 'null').replaceAll('&quot;', '"'));
}

const signedIn = {
  municipality: ODENSKOV,
  id: PERSON,
  roles: ['IndkomneDokumenter.Læs', 'IndkomneDokumenter.SeAlle'],
  teams: [],
  isLocal: false,
};

describe('who signs in with SAML', { tags: 'long' }, () => {
  it('has the municipality and the privileges of the assertion, and nothing of it in the log', async () => {
    const visitor = new Visitor();
    expect(await (await signIn(visitor)).text()).toContain('url=/inbox/set-up');
    expect(await sessionOf(visitor)).toEqual(signedIn);
    expect((await visitor.go(`${stack.url}/api/v1/incoming-documents`)).status).toBe(200);
    expect((await visitor.go(`${stack.url}/api/v1/municipality`)).status).toBe(403);
    expect(log).not.toMatch(/Testina|urn:uuid/);
  });

  it.each<[string, () => Answer]>([
    ['an encrypted assertion', () => ({ encryptFor: serviceProvider })],
    ['a signature of RSASSA-PKCS1-v1_5', () => ({ signature: 'RSASSA-PKCS1-v1_5' })],
  ])('may come with %s', async (_, answer) => {
    const visitor = new Visitor();
    expect((await signIn(visitor, answer())).status).toBe(200);
    expect(await sessionOf(visitor)).toEqual(signedIn);
  });

  it('is known by the persistent id among the attributes, where there is one', async () => {
    const visitor = new Visitor();
    const id = 'urn:uuid:5a1c4a9e-2d0f-4a55-8f0c-6a1f1c7f0b11';
    const named = { ...attributes, 'https://data.gov.dk/model/core/eid/professional/uuid/persistent': id };
    expect((await signIn(visitor, { attributes: named, ...X509_NAME })).status).toBe(200);
    expect(await sessionOf(visitor)).toEqual({ ...signedIn, id });
  });

  it('has what the identity provider says now, not what it said before', async () => {
    const visitor = new Visitor();
    await signIn(visitor);
    const fewer = bpp([{ scope: ODENSKOV, privileges: privileges.slice(0, 1) }]);
    expect((await signIn(visitor, { attributes: { ...attributes, [PRIVILEGES]: fewer } })).status).toBe(200);
    expect(await sessionOf(visitor)).toEqual({ ...signedIn, roles: ['IndkomneDokumenter.Læs'] });
  });

  it('is asked to sign in at the level that Indbakke requires', async () => {
    const { xml, serviceProvider: entityId } = readRequest(await askedBy(new Visitor()), serviceProvider);
    expect(entityId).toBe('https://saml.indbakke.example.dk');
    expect(xml).toMatch(
      /Comparison="minimum"><saml:AuthnContextClassRef[^>]*>https:\/\/data\.gov\.dk\/concept\/core\/nsis\/loa\/Substantial</,
    );
  });

  it.each([
    ['of level Low', { [`${NSIS}/loa`]: 'Low' }],
    ['with one factor', { [`${NSIS}/aal`]: 'Low' }],
    ['without a privilege of ours', { [PRIVILEGES]: bpp([{ scope: ODENSKOV, privileges: [roleUri('other')] }]) }],
  ])('does not get in %s', async (_, differing) => {
    const visitor = new Visitor();
    const refused = await signIn(visitor, { attributes: { ...attributes, ...differing } });
    expect(refused.status).toBe(403);
    expect(refused.url).toContain('/inbox/sign-in/callback');
    expect(await refused.text()).toContain('role="alert"');
    expect(visitor.cookies.has('indbakke-inbox')).toBe(false);
  });

  it('does not get in at level Low while the same person signs in at level Substantial', async () => {
    const [low, substantial] = [new Visitor(), new Visitor()];
    const back = await comeBack(low, { attributes: { ...attributes, [`${NSIS}/loa`]: 'Low' } });
    expect((await signIn(substantial)).status).toBe(200);
    expect((await low.go(String(back))).status).toBe(403);
  });
});

describe('the bridge', { tags: 'long' }, () => {
  const hourAgo = () => new Date(Date.now() - 3_600_000);
  const more = bpp([{ scope: ODENSKOV, privileges: [roleUri('indbakke_opsaetning')] }]);

  it.each<[string, () => Answer, string]>([
    ['is not signed', () => ({ signedBy: undefined }), 'Invalid signature'],
    ['is encrypted, but not signed', () => ({ signedBy: undefined, encryptFor: serviceProvider }), 'Invalid signature'],
    ['is signed by another key', () => ({ signedBy: stranger }), 'Invalid signature'],
    [
      'was changed after it was signed',
      () => ({ afterSigning: (assertion) => assertion.replace(attributes[PRIVILEGES] ?? '', more) }),
      'Invalid signature',
    ],
    [
      'is wrapped in one that is not signed',
      () => ({ afterSigning: (signed) => wrapped(signed, more) }),
      'Invalid signature',
    ],
    ['is for another audience', () => ({ audience: 'https://saml.other.example.dk' }), 'audience mismatch'],
    ['is for another recipient', () => ({ recipient: 'https://saml.other.example.dk/acs' }), 'another recipient'],
    ['is of another issuer', () => ({ issuer: 'https://other.example.dk' }), 'another identity provider'],
    ['has expired', () => ({ issuedAt: hourAgo() }), 'No valid subject confirmation'],
    ['is not valid yet', () => ({ issuedAt: new Date(Date.now() + 600_000) }), 'not yet valid'],
    ['is for the holder of a key', () => ({ confirmation: 'holder-of-key' }), 'not one bearer'],
    ['answers another request', () => ({ inResponseTo: '_other' }), 'InResponseTo is not valid'],
    ['answers no request', () => ({ inResponseTo: '' }), 'InResponseTo is missing'],
    ['answers a request only where it is not signed', () => ({ signedInResponseTo: '' }), 'It answers no request'],
    ['names the person by more than an id', () => X509_NAME, 'nobody by a persistent id'],
  ])('refuses an assertion that %s', async (_, answer, reason) => {
    const visitor = new Visitor();
    const refused = await signIn(visitor, answer());
    expect([refused.status, await refused.text()]).toEqual([403, 'Du blev ikke logget ind. Prøv forfra.\n']);
    expect(log).toContain(reason);
    expect(log).not.toContain('Testina');
  });

  it('does not log what the identity provider says of a person whom it refuses', async () => {
    expect((await signIn(new Visitor(), { refusal: 'Testina has left' })).status).toBe(403);
    expect(JSON.parse(log)).toEqual({
      time: expect.any(String),
      event: 'refused',
      reason: 'The identity provider refused.',
    });
  });

  it('takes an assertion once', async () => {
    const visitor = new Visitor();
    const answer = await answerTo(await askedBy(visitor));
    expect((await bringBack(visitor, answer)).status).toBe(303);
    expect((await bringBack(visitor, answer)).status).toBe(403);
  });

  it('signs nobody in in another browser than the one that began', async () => {
    const visitor = new Visitor();
    const taken = await bringBack(visitor, await answerTo(await askedBy(visitor)));
    const other = new Visitor();
    await askedBy(other);
    expect((await other.go(taken.headers.get('location') ?? '')).status).toBe(403);
  });

  it('describes itself to the identity provider', async () => {
    const metadata = await (await fetch(`${bridgeUrl}/saml/metadata`)).text();
    expect(metadata).toContain('entityID="https://saml.indbakke.example.dk"');
    expect(metadata).toContain(`Location="${bridgeUrl}/saml/acs"`);
    expect(metadata.match(/<KeyDescriptor use="(signing|encryption)"/g)).toHaveLength(2);
  });
});

it.skipIf(!existsSync(CHROMIUM))('a browser comes back from another site', { tags: 'long' }, async () => {
  const browser = await openBrowser();
  try {
    const { page } = await browser.open();
    await page.goto(`${stack.url}/inbox`);
    await page.getByRole('link', { name: 'Log ind' }).click();
    await page.getByRole('heading', { name: 'Indkomne dokumenter' }).waitFor();
    expect(new URL(page.url()).pathname).toBe('/inbox');
  } finally {
    await browser.close();
  }
});

/** XML signature wrapping: the signed assertion inside of another one, of the same id, with other privileges. */
function wrapped(signed: string, more: string): string {
  const forged = signed.replace(attributes[PRIVILEGES] ?? '', more).replace(/<ds:Signature .*<\/ds:Signature>/, '');
  return forged.replace('</saml:Assertion>', `<saml:Advice>${signed}</saml:Advice></saml:Assertion>`);
}
