import { type ErrorCode, Problem } from '@indbakke/shared/errors';
import type { XmlElement } from '@indbakke/shared/xml';

/** SOAP 1.1, §3: the namespace of Envelope, Header, Body and Fault. */
export const ENVELOPE_NAMESPACE = 'http://schemas.xmlsoap.org/soap/envelope/';

/** A fault with a SOAP fault code of its own (SOAP 1.1, §4.4.1). All others are Client or Server. */
export class EnvelopeProblem extends Problem {
  readonly faultcode: 'VersionMismatch' | 'MustUnderstand';

  constructor(code: ErrorCode, faultcode: EnvelopeProblem['faultcode'], detail: string, path: string) {
    super(code, detail, { path });
    this.faultcode = faultcode;
  }
}

/** SOAP 1.1, §4.4.1: after Client the message must be changed, after Server the same one may succeed later. */
export function faultcodeOf(problem: Problem): string {
  if (problem instanceof EnvelopeProblem) return problem.faultcode;
  return problem.row.fault === 'peer' ? 'Client' : 'Server';
}

/**
 * The Body of an envelope of SOAP 1.1. The `soap` package compares local names only, so namespaces and uniqueness are checked here
 * and by onlyChild: what is stored is what the envelope asks for.
 *
 * @param refusal the code of what is no such envelope
 * @throws Problem with the path in the envelope; EnvelopeProblem for another SOAP version, or a header that must be understood
 */
export function bodyIn(root: XmlElement, refusal: ErrorCode): XmlElement {
  checkEnvelope(root, refusal);
  checkHeaders(root, refusal);
  const [body, ...others] = soapChildren(root, 'Body');
  if (body && others.length === 0) return body;
  throw new Problem(refusal, `The envelope has ${body ? 'more than one Body' : 'no Body'}.`, { path: 'Envelope' });
}

function checkEnvelope({ uri, local }: XmlElement, refusal: ErrorCode): void {
  if (local !== 'Envelope') {
    throw new Problem(refusal, 'The body is not a SOAP envelope. Put the message in its Body.');
  }
  if (uri !== ENVELOPE_NAMESPACE) {
    const detail = `The envelope is not one of SOAP 1.1, whose namespace is ${ENVELOPE_NAMESPACE}.`;
    throw new EnvelopeProblem(refusal, 'VersionMismatch', detail, 'Envelope');
  }
}

/** SOAP 1.1, §4.2.3: a header that must be understood and is not is a fault. No header is understood here. */
function checkHeaders(envelope: XmlElement, refusal: ErrorCode): void {
  const headers = soapChildren(envelope, 'Header').flatMap(({ children }) => children);
  if (headers.some(mustBeUnderstoodHere)) {
    const detail = 'A SOAP header is marked mustUnderstand; none is understood here. Send it without.';
    throw new EnvelopeProblem(refusal, 'MustUnderstand', detail, 'Envelope/Header');
  }
}

function mustBeUnderstoodHere(header: XmlElement): boolean {
  const actor = soapAttribute(header, 'actor');
  // SOAP 1.1, §4.2.2: a header with another actor is meant for an intermediary.
  const isForUs = !actor || actor === 'http://schemas.xmlsoap.org/soap/actor/next';
  return isForUs && ['1', 'true'].includes(soapAttribute(header, 'mustUnderstand') ?? '');
}

/** An element that is expected at a place, by namespace and name. */
export interface Expected {
  readonly uri: string;
  readonly local: string;
}

/** The only child of an element, which must be one of those. @throws Problem with the path */
export function onlyChild(
  { children, text }: XmlElement,
  expected: readonly [Expected, ...Expected[]],
  path: string,
  refusal: ErrorCode,
): XmlElement {
  const [child, ...others] = children;
  const [{ uri, local }] = expected;
  if (!child) throw new Problem(refusal, `There is no ${local} ({${uri}}).`, { path });
  if (!expected.some((one) => child.uri === one.uri && child.local === one.local)) {
    throw new Problem(refusal, `${local} ({${uri}}) is expected here.`, { path });
  }
  if (others.length > 0 || text.trim() !== '') {
    throw new Problem(refusal, `${child.local} must be the only element here.`, { path });
  }
  return child;
}

function soapChildren({ children }: XmlElement, name: string): XmlElement[] {
  return children.filter(({ uri, local }) => uri === ENVELOPE_NAMESPACE && local === name);
}

function soapAttribute({ attributes }: XmlElement, name: string): string | undefined {
  return attributes.find(({ uri, local }) => uri === ENVELOPE_NAMESPACE && local === name)?.value;
}
