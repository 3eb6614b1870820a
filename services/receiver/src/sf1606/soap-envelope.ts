import { Problem } from '@indbakke/shared/errors';
import { MEMO_NAMESPACE } from '@indbakke/shared/memo';
import type { XmlDocument, XmlElement } from '@indbakke/shared/xml';
import { ENVELOPE_NAMESPACE, SF1606_NAMESPACE } from './soap-wsdl.js';

/** A fault with a SOAP fault code of its own (SOAP 1.1, §4.4.1). All others are Client or Server. */
export class EnvelopeProblem extends Problem {
  readonly faultcode: 'VersionMismatch' | 'MustUnderstand';

  constructor(faultcode: EnvelopeProblem['faultcode'], detail: string, path: string) {
    super('not-memo', detail, { path });
    this.faultcode = faultcode;
  }
}

/**
 * The MeMo message of a PostModtag envelope. The `soap` package compares local names only, so namespaces and uniqueness are
 * checked here: the message stored is the one that the envelope asks for.
 *
 * @throws Problem not-memo with the path in the envelope; EnvelopeProblem for another SOAP version, or a header that must be
 *   understood
 */
export function messageIn({ root, messages }: XmlDocument): XmlElement {
  checkEnvelope(root);
  checkHeaders(root);
  const body = onlyBody(root);
  const request = onlyChild(body, SF1606_NAMESPACE, 'PostModtagRequest', 'Envelope/Body');
  const message = onlyChild(request, MEMO_NAMESPACE, 'Message', 'Envelope/Body/PostModtagRequest');
  // The other one is in a header, and XmlDocument.message refers to it.
  if (messages > 1) throw new Problem('not-memo', 'There is a MeMo message outside the Body.', { path: 'Envelope' });
  return message;
}

function checkEnvelope({ uri, local }: XmlElement): void {
  if (local !== 'Envelope') {
    throw new Problem(
      'not-memo',
      'The body is not a SOAP envelope. Put the message in Envelope/Body/PostModtagRequest.',
    );
  }
  if (uri !== ENVELOPE_NAMESPACE) {
    const detail = `The envelope is not one of SOAP 1.1, whose namespace is ${ENVELOPE_NAMESPACE}.`;
    throw new EnvelopeProblem('VersionMismatch', detail, 'Envelope');
  }
}

/** SOAP 1.1, §4.2.3: a header that must be understood and is not is a fault. No header is understood here. */
function checkHeaders(envelope: XmlElement): void {
  const headers = soapChildren(envelope, 'Header').flatMap(({ children }) => children);
  if (headers.some(mustBeUnderstoodHere)) {
    const detail = 'A SOAP header is marked mustUnderstand; none is understood here. Send it without.';
    throw new EnvelopeProblem('MustUnderstand', detail, 'Envelope/Header');
  }
}

function mustBeUnderstoodHere(header: XmlElement): boolean {
  const actor = soapAttribute(header, 'actor');
  // SOAP 1.1, §4.2.2: a header with another actor is meant for an intermediary.
  const isForUs = !actor || actor === 'http://schemas.xmlsoap.org/soap/actor/next';
  return isForUs && ['1', 'true'].includes(soapAttribute(header, 'mustUnderstand') ?? '');
}

function onlyBody(envelope: XmlElement): XmlElement {
  const [body, ...others] = soapChildren(envelope, 'Body');
  if (body && others.length === 0) return body;
  throw new Problem('not-memo', `The envelope has ${body ? 'more than one Body' : 'no Body'}.`, { path: 'Envelope' });
}

function onlyChild({ children, text }: XmlElement, uri: string, local: string, path: string): XmlElement {
  const [child, ...others] = children;
  if (!child) throw new Problem('not-memo', `There is no ${local} ({${uri}}).`, { path });
  if (child.uri !== uri || child.local !== local) {
    throw new Problem('not-memo', `${local} ({${uri}}) is expected here.`, { path });
  }
  if (others.length > 0 || text.trim() !== '') {
    throw new Problem('not-memo', `${local} must be the only element here.`, { path });
  }
  return child;
}

function soapChildren({ children }: XmlElement, name: string): XmlElement[] {
  return children.filter(({ uri, local }) => uri === ENVELOPE_NAMESPACE && local === name);
}

function soapAttribute({ attributes }: XmlElement, name: string): string | undefined {
  return attributes.find(({ uri, local }) => uri === ENVELOPE_NAMESPACE && local === name)?.value;
}
