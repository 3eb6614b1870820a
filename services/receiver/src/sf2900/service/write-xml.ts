import { renderEnvelope } from '../../soap/render-envelope.js';
import { AUTHORITY_CONTEXT, CALL_CONTEXT, TYPES_2, TYPES_3 } from '../wsdl/namespaces.js';

/** Children by their names, in their order; undefined = left out. */
export interface Fields {
  readonly [name: string]: Content | readonly Content[];
}
type Content = string | number | Fields | undefined;

/** For whom a call is made, and what we call it. */
export interface Caller {
  /** CVR of the municipality. */
  readonly municipality: string;
  /** Up to 255 characters; the same when the call is made again. */
  readonly callId: string;
}

/**
 * The envelope of a call: the request and its children are of version 3 of the types, and what is inside these of version 2.
 *
 * @param request its children after CallContext and AuthorityContext
 */
export function envelopeOf(
  operation: string,
  { municipality, callId }: Caller,
  request: Readonly<Record<string, Fields>>,
): string {
  const content = {
    'call:CallContext': { 'call:CallersServiceCallIdentifier': legal(callId) },
    'authority:AuthorityContext': { 'authority:MunicipalityCVR': municipality },
    ...Object.fromEntries(Object.entries(request).map(([name, fields]) => [`w:${name}`, ofTypes2(fields)])),
  };
  return renderEnvelope(
    { [`w:${operation}Request`]: content },
    { 'xmlns:w': TYPES_3, 'xmlns:t': TYPES_2, 'xmlns:call': CALL_CONTEXT, 'xmlns:authority': AUTHORITY_CONTEXT },
  );
}

function ofTypes2(fields: Fields): Record<string, unknown> {
  const given = Object.entries(fields).filter(([, content]) => content !== undefined);
  return Object.fromEntries(given.map(([name, content]) => [`t:${name}`, written(content)]));
}

function written(content: Content | readonly Content[]): unknown {
  if (Array.isArray(content)) return content.map(written);
  return typeof content === 'object' ? ofTypes2(content as Fields) : legal(String(content));
}

/** XML 1.0, Char: what it cannot have; the builder would quote the whole text in its error. */
const ILLEGAL = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;
const legal = (text: string): string => text.replace(ILLEGAL, '\uFFFD');
