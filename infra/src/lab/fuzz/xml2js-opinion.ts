import { createHash } from 'node:crypto';
import { MEMO_NAMESPACE } from '@indbakke/shared/memo';
import { Parser } from 'xml2js';

/** What a message holds, whoever has parsed it. */
export interface Element {
  readonly uri: string;
  readonly local: string;
  /** `{namespace}name=value`, sorted; without namespace declarations. */
  readonly attributes: readonly string[];
  /** All text directly inside, without white space around it; of a File/content the SHA-256 of its bytes. */
  readonly text: string;
  readonly children: readonly Element[];
}

/** Why xml2js does not take a message, or why its text is no MeMo. */
export class Refused extends Error {}

/** xml2js, or saxes on our side, is known to be wrong here. */
export class NoOpinion extends Error {}

const NO_OPINION = [
  // saxes trims namespaces. They are attribute values like others (XML 1.0, §3.3.3), but no namespace needs the spaces.
  /xmlns(?::[^\s=]+)?\s*=\s*(?:"(?:[\s\u00a0\ufeff\u2028][^"]*|[^"]*[\s\u00a0\ufeff\u2028])"|'(?:[\s\u00a0\ufeff\u2028][^']*|[^']*[\s\u00a0\ufeff\u2028])')/,
  // sax does not see the end of an instruction in `??>`.
  /\?\?>/,
  // sax knows no names with characters beyond U+FFFF.
  /[<\s/:][^<>"'=]*[\ud800-\udfff]/,
];

/** What xml2js makes of an element, with the options below. */
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
  // xml2js keeps children under their names, in the same object as its own keys. One name for all keeps them in document
  // order, and keeps elements called `_` or `$ns` from meaning anything; the real name is in $ns.
  tagNameProcessors: [() => 'child'],
};

/**
 * The second opinion on what a message holds: xml2js over the whole message at once, and base64 by its grammar. Shares no
 * code with the reading that it checks.
 *
 * It is no judge of what is well-formed. It takes document types, text outside the root, `]]>`, HTML's entities, control
 * characters, wrong declarations of namespaces and of XML, an attribute twice. So only messages that were read are compared.
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
    // xml2js leaves line breaks as they are (XML 1.0, §2.11).
    return new TextDecoder('utf-8', { fatal: true }).decode(message).replace(/\r\n?/g, '\n');
  } catch {
    throw new Refused('not UTF-8');
  }
}

function parse(text: string): RawElement {
  const parser = new Parser(OPTIONS);
  // xml2js drops text that is nothing but white space, and counts U+00A0 among it. It keeps such text when it comes as CDATA.
  const { saxParser } = parser as unknown as { saxParser: Record<'ontext' | 'oncdata', (text: string) => void> };
  saxParser.ontext = saxParser.oncdata;
  let root: RawElement | null = null;
  let fault: unknown;
  parser.on('end', (result: RawElement | null) => {
    root ??= result;
  });
  // Listeners instead of a callback: with a callback xml2js drops its listeners after the first fault, and throws the next.
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

/** XML Schema, base64Binary: white space anywhere, padding at the end only. */
function hashOfContent(text: string, children: readonly RawElement[]): string {
  const plain = text.replace(/[ \t\r\n]/g, '');
  if (children.length > 0) throw new Refused('an element in a content');
  if (plain.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(plain)) throw new Refused('not base64');
  return hashOf(Buffer.from(plain, 'base64'));
}

export const hashOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** White space of XML only: U+00A0 and the like are text. */
export function trim(text: string): string {
  return text.replace(/^[ \t\r\n]+/, '').replace(/(?<![ \t\r\n])[ \t\r\n]+$/, '');
}

/** White space in values is shown as spaces: XML 1.0, §3.3.3 makes it so, xml2js keeps it as written. */
export function showAttribute(uri: string, local: string, value: string): string {
  return `{${showUri(uri)}}${local}=${trim(value.replace(/[\t\r\n]/g, ' '))}`;
}

/** A namespace is an attribute's value too. */
export function showUri(uri: string): string {
  return trim(uri.replace(/[\t\r\n]/g, ' '));
}
