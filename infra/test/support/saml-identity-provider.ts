import {
  constants,
  createCipheriv,
  createHash,
  createVerify,
  publicEncrypt,
  randomBytes,
  randomUUID,
  sign,
} from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inflateRawSync } from 'node:zlib';
import type { Issued } from '../../src/testkit/certificates.js';

// A SAML identity provider as OIOSAML 3.0 has it. It signs and encrypts by Node's crypto alone: what reads it is another program.

const SAML = 'urn:oasis:names:tc:SAML:2.0';
const DSIG = 'http://www.w3.org/2000/09/xmldsig#';
const XMLENC = 'http://www.w3.org/2001/04/xmlenc#';
const EXCLUSIVE = 'http://www.w3.org/2001/10/xml-exc-c14n#';
const MINUTE = 60_000;

const SIGNATURES = {
  'RSASSA-PSS': {
    algorithm: 'http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1',
    options: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 },
  },
  'RSASSA-PKCS1-v1_5': {
    algorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
    options: { padding: constants.RSA_PKCS1_PADDING },
  },
} as const;

/** A request of the service provider. */
export interface SamlRequest {
  readonly id: string;
  /** Where the answer goes. */
  readonly answerTo: string;
  readonly serviceProvider: string;
  readonly xml: string;
}

/** How an answer differs from a right one. */
export interface Answer {
  readonly nameId?: string;
  readonly nameIdFormat?: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly issuer?: string;
  readonly audience?: string;
  readonly recipient?: string;
  readonly inResponseTo?: string;
  /** In the assertion, where it is signed. */
  readonly signedInResponseTo?: string;
  readonly confirmation?: 'bearer' | 'holder-of-key';
  readonly issuedAt?: Date;
  /** Undefined = not signed. */
  readonly signedBy?: Issued | undefined;
  readonly signature?: keyof typeof SIGNATURES;
  readonly encryptFor?: Issued;
  /** What is said in place of an assertion. */
  readonly refusal?: string;
  /** Changes what was signed. */
  readonly afterSigning?: (assertion: string) => string;
}

export interface SamlIdentityProvider {
  readonly entityId: string;
  readonly url: string;
  /** What the next answers are. */
  answers: Answer;
  close(): Promise<void>;
}

/** @param host other than that of the service provider: another site to a browser */
export async function startIdentityProvider(
  own: Issued,
  serviceProvider: Issued,
  host = '127.0.0.2',
): Promise<SamlIdentityProvider> {
  const server = createServer((req, res) => {
    try {
      const request = readRequest(req.url ?? '', serviceProvider);
      const response = writeResponse(request, { signedBy: own, issuer: idp.entityId, ...idp.answers });
      res.setHeader('content-type', 'text/html').end(`<form method="post" action="${request.answerTo}">
<input type="hidden" name="SAMLResponse" value="${response}"></form><script>document.forms[0].submit()</script>`);
    } catch (error) {
      res.writeHead(400).end(String(error));
    }
  });
  await once(server.listen(0, host), 'listening');
  const idp: SamlIdentityProvider = {
    entityId: 'https://idp.example.dk',
    url: `http://${host}:${(server.address() as AddressInfo).port}/sso`,
    answers: {},
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  return idp;
}

/** @throws Error when it is not signed by the service provider (SAML bindings, 3.4.4.1) */
export function readRequest(path: string, { certificate }: Issued): SamlRequest {
  const query = path.slice(path.indexOf('?') + 1);
  const [signed = '', signature = ''] = query.split('&Signature=');
  const isSigned = createVerify('sha256').update(signed).verify(certificate, decodeURIComponent(signature), 'base64');
  if (!isSigned) throw new Error('The request is not signed.');
  const deflated = Buffer.from(new URLSearchParams(query).get('SAMLRequest') ?? '', 'base64');
  const xml = inflateRawSync(deflated).toString();
  const part = (pattern: RegExp) => pattern.exec(xml)?.[1] ?? '';
  return {
    id: part(/ ID="([^"]+)"/),
    answerTo: part(/AssertionConsumerServiceURL="([^"]+)"/),
    serviceProvider: part(/Issuer[^>]*>([^<]+)</),
    xml,
  };
}

/** In base64. */
export function writeResponse(request: SamlRequest, answer: Answer): string {
  const { issuer = '', issuedAt = new Date(), inResponseTo = request.id } = answer;
  const content = answer.refusal ?? writeAssertion(request, { ...answer, issuedAt, inResponseTo });
  const xml = `<samlp:Response xmlns:samlp="${SAML}:protocol" ID="_${randomUUID()}" Version="2.0" IssueInstant="${issuedAt.toISOString()}"
 Destination="${request.answerTo}" InResponseTo="${inResponseTo}"><saml:Issuer xmlns:saml="${SAML}:assertion">${issuer}</saml:Issuer>
${answer.refusal === undefined ? succeeded(content, answer) : refused(content)}</samlp:Response>`;
  return Buffer.from(xml).toString('base64');
}

function succeeded(assertion: string, { encryptFor, afterSigning = same }: Answer): string {
  const changed = afterSigning(assertion);
  return `<samlp:Status><samlp:StatusCode Value="${SAML}:status:Success"/></samlp:Status>${encryptFor ? encrypted(changed, encryptFor) : changed}`;
}

const refused = (message: string) =>
  `<samlp:Status><samlp:StatusCode Value="${SAML}:status:Responder"/><samlp:StatusMessage>${message}</samlp:StatusMessage></samlp:Status>`;

const same = (assertion: string) => assertion;

// Written as exclusive canonicalization would write it: attributes by name, no empty tags, no spaces that could be left out.
function writeAssertion(
  request: SamlRequest,
  {
    nameId = 'urn:uuid:0f5b1b6e-6b0c-4a3e-9a6f-0f2f3f1f4f5f',
    nameIdFormat = `${SAML}:nameid-format:persistent`,
    attributes = {},
    issuer = '',
    audience = request.serviceProvider,
    recipient = request.answerTo,
    inResponseTo = '',
    signedInResponseTo = inResponseTo,
    confirmation = 'bearer',
    issuedAt = new Date(),
    signedBy,
    signature = 'RSASSA-PSS',
  }: Answer,
): string {
  const id = `_${randomUUID()}`;
  const at = (minutes: number) => new Date(issuedAt.getTime() + minutes * MINUTE).toISOString();
  const head = `<saml:Assertion xmlns:saml="${SAML}:assertion" ID="${id}" IssueInstant="${at(0)}" Version="2.0"><saml:Issuer>${issuer}</saml:Issuer>`;
  const rest = [
    `<saml:Subject><saml:NameID Format="${nameIdFormat}">${nameId}</saml:NameID><saml:SubjectConfirmation Method="${SAML}:cm:${confirmation}">`,
    `<saml:SubjectConfirmationData${signedInResponseTo && ` InResponseTo="${signedInResponseTo}"`} NotOnOrAfter="${at(5)}" Recipient="${recipient}">`,
    '</saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject>',
    `<saml:Conditions NotBefore="${at(-1)}" NotOnOrAfter="${at(60)}"><saml:AudienceRestriction><saml:Audience>${audience}</saml:Audience>`,
    `</saml:AudienceRestriction></saml:Conditions><saml:AuthnStatement AuthnInstant="${at(0)}" SessionIndex="${id}"><saml:AuthnContext>`,
    `<saml:AuthnContextClassRef>${SAML}:ac:classes:X509</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>`,
    '<saml:AttributeStatement>',
    ...Object.entries(attributes).map(
      ([name, value]) =>
        `<saml:Attribute Name="${name}" NameFormat="${SAML}:attrname-format:uri"><saml:AttributeValue>${value}</saml:AttributeValue></saml:Attribute>`,
    ),
    '</saml:AttributeStatement></saml:Assertion>',
  ].join('');
  return head + (signedBy ? signatureOf(`${head}${rest}`, id, signedBy, signature) : '') + rest;
}

function signatureOf(assertion: string, id: string, by: Issued, kind: keyof typeof SIGNATURES): string {
  const { algorithm, options } = SIGNATURES[kind];
  const digest = createHash('sha256').update(assertion).digest('base64');
  const signedInfo = [
    `<ds:SignedInfo xmlns:ds="${DSIG}"><ds:CanonicalizationMethod Algorithm="${EXCLUSIVE}"></ds:CanonicalizationMethod>`,
    `<ds:SignatureMethod Algorithm="${algorithm}"></ds:SignatureMethod><ds:Reference URI="#${id}"><ds:Transforms>`,
    `<ds:Transform Algorithm="${DSIG}enveloped-signature"></ds:Transform><ds:Transform Algorithm="${EXCLUSIVE}"></ds:Transform>`,
    `</ds:Transforms><ds:DigestMethod Algorithm="${XMLENC}sha256"></ds:DigestMethod><ds:DigestValue>${digest}</ds:DigestValue>`,
    '</ds:Reference></ds:SignedInfo>',
  ].join('');
  const value = sign('sha256', Buffer.from(signedInfo), { key: by.key, ...options }).toString('base64');
  return `<ds:Signature xmlns:ds="${DSIG}">${signedInfo}<ds:SignatureValue>${value}</ds:SignatureValue></ds:Signature>`;
}

/** AES-256-GCM, its key in RSA-OAEP. */
function encrypted(assertion: string, { certificate }: Issued): string {
  const key = randomBytes(32);
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  const sealed = Buffer.concat([nonce, cipher.update(assertion), cipher.final(), cipher.getAuthTag()]);
  const wrapped = publicEncrypt({ key: certificate, padding: constants.RSA_PKCS1_OAEP_PADDING }, key);
  return `<saml:EncryptedAssertion xmlns:saml="${SAML}:assertion"><xenc:EncryptedData xmlns:xenc="${XMLENC}" Type="${XMLENC}Element">
<xenc:EncryptionMethod Algorithm="http://www.w3.org/2009/xmlenc11#aes256-gcm"/><ds:KeyInfo xmlns:ds="${DSIG}"><xenc:EncryptedKey>
<xenc:EncryptionMethod Algorithm="${XMLENC}rsa-oaep-mgf1p"><ds:DigestMethod Algorithm="${DSIG}sha1"/></xenc:EncryptionMethod>
<xenc:CipherData><xenc:CipherValue>${wrapped.toString('base64')}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo>
<xenc:CipherData><xenc:CipherValue>${sealed.toString('base64')}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData></saml:EncryptedAssertion>`;
}
