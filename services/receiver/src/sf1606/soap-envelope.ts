import { Problem } from '@indbakke/shared/errors';
import { MEMO_NAMESPACE, type XmlDocument, type XmlElement } from '@indbakke/shared/memo';
import { ENVELOPE_NAMESPACE, SF1606_NAMESPACE } from './soap-wsdl.js';

/** A fault that SOAP 1.1, §4.4.1 has a code of its own for. All others are Client or Server. */
export class EnvelopeProblem extends Problem {
  readonly faultcode: 'VersionMismatch' | 'MustUnderstand';

  constructor(faultcode: EnvelopeProblem['faultcode'], detail: string, path: string) {
    super('not-memo', detail, { path });
    this.faultcode = faultcode;
  }
}

/**
 * The MeMo message of a PostModtag envelope. The `soap` package looks at local names only; here the namespaces count, and
 * that there is one of each: what is stored is what was asked to be stored.
 *
 * @throws Problem not-memo with the path in the envelope; EnvelopeProblem for another version of SOAP, and for a header
 *   that may not be ignored
 */
export function messageIn({ root, messages }: XmlDocument): XmlElement {
  checkEnvelope(root);
  checkHeaders(root);
  const body = onlyBody(root);
  const request = onlyChild(body, SF1606_NAMESPACE, 'PostModtagRequest', 'Envelope/Body');
  const message = onlyChild(request, MEMO_NAMESPACE, 'Message', 'Envelope/Body/PostModtagRequest');
  // One more in a header: `message` is the place of that one.
  if (messages > 1) throw new Problem('not-memo', 'A MeMo message stands outside the Body too.', { path: 'Envelope' });
  return message;
}

function checkEnvelope({ uri, local }: XmlElement): void {
  if (local !== 'Envelope') {
    throw new Problem('not-memo', 'The body is no SOAP envelope. Put the message in Envelope/Body/PostModtagRequest.');
  }
  if (uri !== ENVELOPE_NAMESPACE) {
    const detail = `The envelope is not one of SOAP 1.1, whose namespace is ${ENVELOPE_NAMESPACE}.`;
    throw new EnvelopeProblem('VersionMismatch', detail, 'Envelope');
  }
}

/** SOAP 1.1, §4.2.3: what must be understood and is not must fail. No header is understood here. */
function checkHeaders(envelope: XmlElement): void {
  const headers = soapChildren(envelope, 'Header').flatMap(({ children }) => children);
  if (headers.some(mustBeUnderstoodHere)) {
    const detail = 'A SOAP header is marked mustUnderstand; none is understood here. Send it without.';
    throw new EnvelopeProblem('MustUnderstand', detail, 'Envelope/Header');
  }
}

function mustBeUnderstoodHere(header: XmlElement): boolean {
  const actor = soapAttribute(header, 'actor');
  // SOAP 1.1, §4.2.2: a header with another actor is for somebody else on the way.
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
    throw new Problem('not-memo', `Something else stands where ${local} ({${uri}}) should.`, { path });
  }
  if (others.length > 0 || text.trim() !== '') {
    throw new Problem('not-memo', `There is more than one ${local}, and nothing else may stand beside it.`, { path });
  }
  return child;
}

function soapChildren({ children }: XmlElement, name: string): XmlElement[] {
  return children.filter(({ uri, local }) => uri === ENVELOPE_NAMESPACE && local === name);
}

function soapAttribute({ attributes }: XmlElement, name: string): string | undefined {
  return attributes.find(({ uri, local }) => uri === ENVELOPE_NAMESPACE && local === name)?.value;
}
