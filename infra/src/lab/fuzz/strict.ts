import { createHash } from 'node:crypto';
import { MEMO_NAMESPACE } from '@indbakke/shared/memo';
import { SaxesParser } from 'saxes';

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

/** Why the strict parser takes a message for none. */
export class StrictFault extends Error {}

/** The strict parser is wrong here itself: it trims namespaces, which are attribute values like others (XML 1.0, §3.3.3). */
export class NoOpinion extends Error {}
const SPACED_NAMESPACE = /xmlns(?::[^\s=]+)?\s*=\s*(?:"(?:\s[^"]*|[^"]*\s)"|'(?:\s[^']*|[^']*\s)')/;

interface Open {
  uri: string;
  local: string;
  attributes: string[];
  text: string;
  children: Element[];
}

/**
 * The second opinion: saxes, which is strict, over the whole message at once, and base64 by its grammar. Shares no code with
 * the reading that it checks.
 *
 * Let pass, as our own reading does on purpose: white space before the XML declaration.
 *
 * @throws NoOpinion when a namespace has white space around it
 * @throws StrictFault when it is not well-formed, not UTF-8, has a document type, or a content is not base64
 */
export function readStrictly(message: Buffer): Element {
  const text = decode(message);
  if (SPACED_NAMESPACE.test(text)) throw new NoOpinion();
  const parser = new SaxesParser({ xmlns: true, forceXMLVersion: true, defaultXMLVersion: '1.0' });
  const open: Open[] = [];
  let root: Element | undefined;
  const fail = (error: Error) => {
    throw new StrictFault(error.message.replace(/^\d+:\d+: /, ''));
  };
  parser.on('error', fail);
  parser.on('doctype', () => fail(new Error('document type')));
  parser.on('xmldecl', ({ encoding }) => {
    if (encoding !== undefined && !/^utf-?8$/i.test(encoding)) fail(new Error('another encoding'));
  });
  parser.on('opentag', ({ uri, local, attributes }) => {
    const own = Object.values(attributes).filter(({ prefix, name }) => prefix !== 'xmlns' && name !== 'xmlns');
    open.push({
      uri: showUri(uri),
      local,
      attributes: own.map((of) => showAttribute(of.uri, of.local, of.value)).sort(),
      text: '',
      children: [],
    });
  });
  const addText = (part: string) => {
    const element = open.at(-1);
    if (element) element.text += part;
  };
  parser.on('text', addText);
  parser.on('cdata', addText);
  parser.on('closetag', () => {
    const ended = open.pop() as Open;
    const parent = open.at(-1);
    const element = { ...ended, text: isContentOf(parent, ended) ? hashOfContent(ended) : trim(ended.text) };
    if (parent) parent.children.push(element);
    else root = element;
  });
  parser.write(text).close();
  if (!root) throw new StrictFault('no element');
  return root;
}

function decode(message: Buffer): string {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(message);
  } catch {
    throw new StrictFault('not UTF-8');
  }
  // The decoder took the one mark that may stand there; saxes would let a second one pass.
  if (text.startsWith('\ufeff')) throw new StrictFault('text outside the root');
  return text.replace(/^[ \t\r\n]+(?=<\?xml)/, '');
}

const isMemo = (of: { uri: string } | undefined) => of?.uri === MEMO_NAMESPACE;

function isContentOf(parent: Open | undefined, element: Open): boolean {
  return isMemo(parent) && parent?.local === 'File' && isMemo(element) && element.local === 'content';
}

/** XML Schema, base64Binary: white space anywhere, padding at the end only. */
function hashOfContent({ text, children }: Open): string {
  const plain = text.replace(/[ \t\r\n]/g, '');
  if (children.length > 0) throw new StrictFault('an element in a content');
  if (plain.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(plain)) throw new StrictFault('not base64');
  return hashOf(Buffer.from(plain, 'base64'));
}

export const hashOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** White space of XML only: U+00A0 and the like are text. */
export function trim(text: string): string {
  return text.replace(/^[ \t\r\n]+/, '').replace(/(?<![ \t\r\n])[ \t\r\n]+$/, '');
}

/** White space in values is told as spaces: XML 1.0, §3.3.3 makes it so, our own reading keeps it as written. */
export function showAttribute(uri: string, local: string, value: string): string {
  return `{${showUri(uri)}}${local}=${trim(value.replace(/[\t\r\n]/g, ' '))}`;
}

/** A namespace stands in an attribute too. */
export function showUri(uri: string): string {
  return trim(uri.replace(/[\t\r\n]/g, ' '));
}
