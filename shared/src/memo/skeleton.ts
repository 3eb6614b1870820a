import { Parser } from 'xml2js';
import { Problem } from '../errors/index.js';
import { isMessage } from './namespaces.js';
import { isBlank } from './white-space.js';

export interface XmlElement {
  /** Namespace; '' for none. */
  readonly uri: string;
  readonly local: string;
  /** Namespace declarations are not among them. */
  readonly attributes: readonly XmlAttribute[];
  readonly children: readonly XmlElement[];
  /** All text and CDATA directly inside, without the children's; line breaks as one LF. */
  readonly text: string;
}

export interface XmlAttribute {
  readonly uri: string;
  readonly local: string;
  readonly value: string;
}

/**
 * Parses the skeleton that the splitter made into a tree. The splitter has bounded its size, depth and number of elements,
 * and has refused what xml2js would let pass: document types, entities, reserved names, text outside the root.
 *
 * @throws Problem `not-utf8`, or `not-xml` with the line and column and nothing of the text, which may be personal.
 */
export function parseSkeleton(skeleton: Buffer): XmlElement {
  return toElement(parse(decode(skeleton)));
}

/** The first MeMo Message of a tree: the root itself, or inside a SOAP envelope. */
export function findMessage(root: XmlElement): XmlElement | undefined {
  if (isMessage(root)) return root;
  for (const child of root.children) {
    const found = findMessage(child);
    if (found) return found;
  }
  return undefined;
}

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
  // order, and keeps elements called `_`, `$ns` or `__proto__` from meaning anything; the real name is in $ns.
  tagNameProcessors: [() => 'child'],
};

// XML 1.0, production 2. sax lets them pass; nothing that we answer in XML could repeat them.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const NO_XML_CHARACTER = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;

function decode(skeleton: Buffer): string {
  let text: string;
  try {
    // XML 1.0, §2.11: line breaks reach the reader as LF. xml2js leaves them as they are.
    text = new TextDecoder('utf-8', { fatal: true }).decode(skeleton).replace(/\r\n?/g, '\n');
  } catch (cause) {
    throw new Problem('not-utf8', 'The message holds bytes that are not UTF-8.', { cause });
  }
  if (NO_XML_CHARACTER.test(text))
    throw new Problem('not-xml', 'The message holds a character that XML does not have.');
  return text;
}

function parse(text: string): RawElement {
  const parser = new Parser(OPTIONS);
  keepAllText(parser);
  let root: RawElement | null = null;
  let failure: unknown;
  parser.on('end', (result: RawElement | null) => {
    root ??= result;
  });
  // Listeners instead of a callback: with a callback xml2js drops its listeners after the first fault, and throws the next.
  parser.on('error', (error: unknown) => {
    failure ??= error;
  });
  parser.parseString(text);
  if (failure !== undefined || root === null) throw new Problem('not-xml', faultWithPlace(failure));
  return root;
}

/**
 * xml2js drops text that is nothing but white space, and counts U+00A0 and its like among it, which are text (XML 1.0,
 * production 3). It keeps such text when it comes as CDATA, so all text is handed over that way.
 */
function keepAllText(parser: Parser): void {
  const { saxParser } = parser as unknown as { saxParser: Record<'ontext' | 'oncdata', (text: string) => void> };
  saxParser.ontext = saxParser.oncdata;
}

/** Only the numbers of sax's message: the rest may quote the letter. Its lines count from 0. */
function faultWithPlace(failure: unknown): string {
  const place = /\nLine: (\d+)\nColumn: (\d+)/.exec(failure instanceof Error ? failure.message : '');
  if (!place) return 'The XML is not well-formed.';
  return `The XML is not well-formed at line ${Number(place[1]) + 1}, column ${place[2]} (not counting the contents of files).`;
}

function toElement(raw: RawElement): XmlElement {
  const attributes = Object.values(raw.$ ?? {}).filter(({ prefix }) => prefix !== 'xmlns');
  return {
    uri: raw.$ns.uri,
    local: raw.$ns.local,
    attributes: attributes.map(({ uri, local, value }) => ({ uri, local, value })),
    children: (raw.child ?? []).map(toElement),
    text: raw._ === undefined || isBlank(raw._) ? '' : raw._,
  };
}
