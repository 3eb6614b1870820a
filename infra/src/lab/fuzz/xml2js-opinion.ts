import { createHash } from 'node:crypto';
import { MEMO_NAMESPACE } from '@indbakke/shared/memo';
import { Parser } from 'xml2js';

/** An element, from either parser. */
export interface Element {
  readonly uri: string;
  readonly local: string;
  /** `{namespace}name=value`, sorted; without namespace declarations. */
  readonly attributes: readonly string[];
  /** Its own text without white space around it; for a File/content the SHA-256 of its bytes. */
  readonly text: string;
  readonly children: readonly Element[];
}

/** Why xml2js refuses a message, or why a content is not base64. */
export class Refused extends Error {}

/** xml2js, or our saxes, is known to be wrong here. */
export class NoOpinion extends Error {}

const NO_OPINION = [
  // saxes trims namespaces, although they are attribute values (XML 1.0, §3.3.3). No real namespace has spaces around it.
  /xmlns(?::[^\s=]+)?\s*=\s*(?:"(?:[\s\u00a0\ufeff\u2028][^"]*|[^"]*[\s\u00a0\ufeff\u2028])"|'(?:[\s\u00a0\ufeff\u2028][^']*|[^']*[\s\u00a0\ufeff\u2028])')/,
  // The same, where the space is a character reference.
  /xmlns(?::[^\s=]+)?\s*=\s*(?:"(?:&#[^"]*|[^"]*;)"|'(?:&#[^']*|[^']*;)')/,
  // sax does not see the end of an instruction in `??>`.
  /\?\?>/,
  // sax does not support names with characters beyond U+FFFF.
  /[<\s/:][^<>"'=]*[\ud800-\udfff]/,
];

/** An element from xml2js, with the options below. */
interface RawElement {
  readonly $ns: { readonly uri: string; readonly local: string };
  readonly $?: Readonly<Record<string, { uri: string; prefix: string; local: string; value: string }>>;
  readonly _?: string;
  readonly child?: readonly RawElement[];
}

const OPTIONS = {
  strict: true,
  xmlns: true,
  async: false,
  explicitRoot: false,
  explicitArray: true,
  attrkey: '$',
  charkey: '_',
  // xml2js puts children under their names, in the same object as its own keys. One name for all keeps document order, and an
  // element called `_` or `$ns` cannot collide; the real name is in $ns.
  tagNameProcessors: [() => 'child'],
};

/**
 * A second opinion on the content of a message: xml2js on the whole message, and base64 by its grammar. It shares no code
 * with the parser that it checks.
 *
 * It does not check well-formedness: it accepts document types, text outside the root, `]]>`, HTML entities, control
 * characters, wrong namespace and XML declarations, duplicate attributes. So only accepted messages are compared.
 *
 * @throws NoOpinion; Refused when it cannot be parsed, is not UTF-8, or a content is not base64
 */
export function readByXml2js(message: Buffer): Element {
  const text = decode(message);
  if (NO_OPINION.some((pattern) => pattern.test(text))) throw new NoOpinion();
  return toElement(parse(text), undefined);
}

function decode(message: Buffer): string {
  try {
    // xml2js does not normalize line breaks (XML 1.0, §2.11).
    return new TextDecoder('utf-8', { fatal: true }).decode(message).replace(/\r\n?/g, '\n');
  } catch {
    throw new Refused('not UTF-8');
  }
}

function parse(text: string): RawElement {
  const parser = new Parser(OPTIONS);
  // xml2js drops text that is only white space, U+00A0 included, but not in CDATA.
  const { saxParser } = parser as unknown as { saxParser: Record<'ontext' | 'oncdata', (text: string) => void> };
  saxParser.ontext = saxParser.oncdata;
  let root: RawElement | null = null;
  let fault: unknown;
  parser.on('end', (result: RawElement | null) => {
    root ??= result;
  });
  // Not a callback: with one, xml2js drops its listeners after the first fault and throws the next.
  parser.on('error', (error: unknown) => {
    fault ??= error;
  });
  parser.parseString(text);
  if (fault !== undefined || root === null)
    throw new Refused(/^.*/.exec((fault as Error | undefined)?.message ?? '')?.[0]);
  return root;
}

function toElement(raw: RawElement, parent: RawElement | undefined): Element {
  const { uri, local } = raw.$ns;
  const children = raw.child ?? [];
  const attributes = Object.values(raw.$ ?? {}).filter(({ prefix }) => prefix !== 'xmlns');
  const isContent = isMemo(parent) && parent?.$ns.local === 'File' && isMemo(raw) && local === 'content';
  return {
    uri: showUri(uri),
    local,
    attributes: attributes.map((of) => showAttribute(of.uri, of.local, of.value)).sort(),
    text: isContent ? hashOfContent(raw._ ?? '', children) : trim(raw._ ?? ''),
    children: children.map((child) => toElement(child, raw)),
  };
}

const isMemo = (raw: RawElement | undefined) => raw?.$ns.uri === MEMO_NAMESPACE;

/** XML Schema, base64Binary: white space anywhere, padding only at the end. */
function hashOfContent(text: string, children: readonly RawElement[]): string {
  const plain = text.replace(/[ \t\r\n]/g, '');
  if (children.length > 0) throw new Refused('an element in a content');
  if (plain.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(plain)) throw new Refused('not base64');
  return hashOf(Buffer.from(plain, 'base64'));
}

export const hashOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** Trims XML's white space only: U+00A0 and the like are text. */
export function trim(text: string): string {
  return text.replace(/^[ \t\r\n]+/, '').replace(/(?<![ \t\r\n])[ \t\r\n]+$/, '');
}

/** With white space as spaces: XML 1.0, §3.3.3 requires it, xml2js keeps it as written. */
export function showAttribute(uri: string, local: string, value: string): string {
  return `{${showUri(uri)}}${local}=${trim(value.replace(/[\t\r\n]/g, ' '))}`;
}

/** A namespace is an attribute value too. */
export function showUri(uri: string): string {
  return trim(uri.replace(/[\t\r\n]/g, ' '));
}
