import { isAscii, isUtf8 } from 'node:buffer';
import { type SaxesAttributeNSIncomplete, SaxesParser, type SaxesTagNS } from 'saxes';
import { Problem } from '../errors/index.js';
import { encodingOf } from './encodings.js';
import type { XmlFormat } from './format.js';
import { stepOf } from './paths.js';
import { faultOfReference } from './references.js';
import type { SkeletonBuffer } from './skeleton-buffer.js';
import { isBlank } from './white-space.js';
import type { XmlAttribute, XmlElement } from './xml-element.js';

export interface TreeLimits {
  /** Files, with content or without: each costs a row, and an entry in every zip. */
  readonly maxFiles: number;
  /** How deep elements may be nested, including those of a SOAP envelope. */
  readonly maxDepth: number;
}

/** A File/content whose start tag is complete. */
export interface OpenContent {
  /** As written, prefix and all. */
  readonly name: string;
  /** It is `<content/>`, which has ended already. */
  readonly isEmpty: boolean;
  readonly element: { text: string };
}

/** MeMo elements have at most two attributes of their own. */
const MAX_ATTRIBUTES = 100;
/** In scope at one place. A MeMo message has about 12; the parser resolves one by asking each open element. */
const MAX_PREFIXES = 100;
/** Each element takes a few hundred bytes in the tree; a long MeMo message has a few hundred elements. */
const MAX_ELEMENTS = 20_000;
/** Properties of every JavaScript object. */
const RESERVED_NAMES = new Set(['__proto__', 'constructor', 'prototype']);
/** This many bytes without the end of a content's start tag go to the parser as they are. */
const MAX_PIECE = 4 * 1024;

const [GREATER, LESS] = [0x3e, 0x3c];
const REPLACEMENT = Buffer.from('\ufffd');
const NO_ATTRIBUTES: readonly XmlAttribute[] = [];

/** Where in the skeleton a message is, end exclusive, and what its prefixes mean there. */
export interface MessagePlace {
  readonly start: number;
  readonly end: number;
  /** Of its tags, as written. */
  readonly name: string;
  /** Namespaces by prefix ('' for the default one) that are declared outside of it. */
  readonly inherited: Readonly<Record<string, string>>;
}

interface Element extends XmlElement {
  readonly children: Element[];
  text: string;
}

/**
 * The tree of a skeleton, built by saxes as the skeleton grows. saxes enforces XML 1.0 and Namespaces in XML 1.0; the other
 * rules are here. Error texts are our own, since those of saxes may quote the message.
 */
export class XmlTree {
  root: XmlElement | undefined;
  /** Where in the skeleton the first message is (end exclusive). */
  message: MessagePlace | undefined;
  /** Messages that are not inside another one. */
  messages = 0;
  /** How many bytes of the skeleton the parser has read. */
  parsed = 0;

  private readonly skeleton: SkeletonBuffer;
  private readonly format: XmlFormat;
  private readonly limits: TreeLimits;
  private readonly parser = new SaxesParser({
    xmlns: true,
    position: false,
    // XML that declares version 1.1 is read as 1.0 too.
    forceXMLVersion: true,
    defaultXMLVersion: '1.0',
  });
  private readonly open: Element[] = [];
  /** Of each open element: how many prefixes are in scope. */
  private readonly prefixes = [1]; // xml
  /** Of each open element: the namespaces that it declares, by prefix. */
  private readonly declared: Readonly<Record<string, string>>[] = [];
  private newPrefixes = 0;
  private elements = 0;
  private files = 0;
  private attributes = 0;
  /** How many elements are open inside the outermost open Message, itself included. */
  private messageDepth = 0;

  /** Of the label that names another encoding, which is UTF-8 as well as long as all bytes are ASCII. */
  private onlyAsciiBy: string | undefined;
  private isEncodingSettled = false;

  private content: OpenContent | undefined;
  private inStartTag = false;
  private atEnd = false;
  private closed: { readonly element: Element; readonly at: number } | undefined;

  /** What the parser is reading, and where that begins: in bytes of the skeleton, and in characters of the parser. */
  private piece = '';
  private pieceStart = 0;
  private pieceEnd = 0;
  private pieceStartInCharacters = 0;
  /** Where the last complete markup ends, in bytes; if that is in the current piece, in characters. */
  private complete = 0;
  private completeInCharacters = -1;

  constructor(format: XmlFormat, skeleton: SkeletonBuffer, limits: TreeLimits) {
    this.format = format;
    this.skeleton = skeleton;
    this.limits = limits;
    const { parser } = this;
    parser.on('error', () => {
      // saxes reports the end of an element before it compares the names.
      if (this.closed?.at === parser.position) this.open.push(this.closed.element);
      throw this.fault(this.byteAt(parser.position));
    });
    parser.on('doctype', () => {
      throw documentType();
    });
    parser.on('xmldecl', ({ encoding }) => this.onDeclaration(encoding));
    parser.on('opentagstart', () => {
      this.inStartTag = true;
    });
    parser.on('attribute', (attribute) => this.onAttribute(attribute));
    parser.on('opentag', (tag) => this.onStartTag(tag));
    parser.on('closetag', () => this.onEndTag());
    parser.on('text', (text) => this.onText(text));
    parser.on('cdata', (text) => {
      this.onText(text);
      this.onComplete(0);
    });
    // saxes reports a comment one character before its end.
    parser.on('comment', () => this.onComplete(1));
    parser.on('processinginstruction', () => this.onInstruction());
  }

  /** Path of the innermost open element, beginning at the message if there is one. */
  get path(): string {
    const steps = this.open.map((element, depth) => stepOf(element, this.open[depth - 1]));
    return steps
      .slice(
        Math.max(
          0,
          this.open.findIndex((element) => this.format.isMessage(element)),
        ),
      )
      .join('/');
  }

  /**
   * Settles the encoding, so that the XML declaration's no longer counts: a byte order mark comes first, then the charset of
   * the Content-Type, then the declaration (RFC 7303, 3).
   */
  settleEncoding(label: string): void {
    if (encodingOf(label) === 'wide') throw otherEncoding('Content-Type');
    this.takeEncoding(label, 'Content-Type');
    this.isEncodingSettled = true;
  }

  /** Makes the parser continue at this byte of the skeleton. */
  skipTo(byte: number): void {
    this.parsed = byte;
    this.complete = byte;
  }

  /**
   * Parses on, up to the end of a content's start tag if there is one; may leave bytes for later.
   * @returns the content, if there is one: nothing after its start tag has been parsed.
   * @throws Problem
   */
  parseToContent(): OpenContent | undefined {
    for (let end = this.nextPiece(); end > this.parsed; end = this.nextPiece()) {
      const content = this.parse(end);
      if (content) return content;
    }
    return undefined;
  }

  /**
   * Where the parser stops next. A content's start tag must end a piece, since what follows is not for the parser. Its name
   * contains a word of the format, so it ends at the first `>` after that word, or at a later one if its attributes contain some. So a
   * piece ends at the first `>` after the next such word; but at the very next `>` when a start tag is open, or when the last
   * piece did not end with `>` and may have cut the word in two.
   */
  private nextPiece(): number {
    const { skeleton, parsed } = this;
    const isBetweenMarkup = parsed > 0 && skeleton.bytes()[parsed - 1] === GREATER && !this.inStartTag;
    const from = isBetweenMarkup ? skeleton.indexOf(this.format.contentWord, parsed) : parsed;
    const greater = from < 0 ? -1 : skeleton.indexOf(GREATER, from);
    if (greater >= 0) return greater + 1;
    return skeleton.length - parsed < MAX_PIECE ? parsed : this.endOfCharacters;
  }

  /** Where the last whole character of the skeleton ends. */
  private get endOfCharacters(): number {
    const bytes = this.skeleton.bytes(this.parsed);
    for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
      const byte = bytes[bytes.length - back] as number;
      if (byte < 0x80) break;
      if (byte >= 0xc0) return this.skeleton.length - (back < lengthOfCharacter(byte) ? back : 0);
    }
    return this.skeleton.length;
  }

  /**
   * Parses the skeleton up to this byte.
   * @returns the content whose start tag ends there, if one does.
   * @throws Problem `not-xml`, `not-utf8`, `forbidden-xml`, `not-memo` or `skeleton-too-large` over a limit
   */
  parse(end: number): OpenContent | undefined {
    const bytes = this.skeleton.bytes(this.parsed, end);
    const valid = isUtf8(bytes) ? bytes : bytes.subarray(0, validLength(bytes));
    this.piece = valid.toString();
    this.pieceStart = this.parsed;
    this.pieceEnd = end;
    this.checkAscii();
    this.parser.write(this.piece);
    if (valid.length < bytes.length) throw notUtf8();
    if (this.completeInCharacters >= 0) this.complete = this.byteAt(this.completeInCharacters);
    this.completeInCharacters = -1;
    this.pieceStartInCharacters += this.piece.length;
    this.piece = '';
    this.parsed = end;
    this.pieceStart = end;
    const content = this.content;
    this.content = undefined;
    return content;
  }

  /** The skeleton is full. @returns that problem, or the one that made it so long. */
  tooLarge(): Problem {
    this.parse(this.endOfCharacters);
    return this.specificFault(this.skeleton.length) ?? this.skeleton.tooLarge();
  }

  /**
   * The skeleton is complete: parses the rest.
   * @throws Problem as parse does, and when something is still open
   */
  finish(): XmlElement {
    const { skeleton } = this;
    this.parse(this.endOfCharacters);
    this.atEnd = true;
    if (!this.root) throw this.specificFault(skeleton.length) ?? this.notXml('There is no XML element in the body.');
    if (this.open.length > 0) throw this.fault(skeleton.length);
    this.parser.close();
    if (this.parsed < skeleton.length) throw notUtf8();
    return this.root;
  }

  // ── Events of the parser ────────────────────────────────────────────────────────────────────────────────────────

  private onDeclaration(encoding: string | undefined): void {
    if (encoding !== undefined && !this.isEncodingSettled) this.takeEncoding(encoding, 'XML declaration');
    this.onComplete(0);
  }

  private takeEncoding(label: string, where: string): void {
    const encoding = encodingOf(label);
    if (encoding === 'unknown') throw otherEncoding(where);
    if (encoding === 'as-ascii') this.onlyAsciiBy = where;
    this.checkAscii();
    // A wide one is wrong, since the declaration could be read: .NET and Java write UTF-16 when they write into a string.
  }

  private checkAscii(): void {
    if (this.onlyAsciiBy === undefined || isAscii(this.skeleton.bytes(this.pieceStart, this.pieceEnd))) return;
    throw otherEncoding(this.onlyAsciiBy, ', and not all bytes are ASCII');
  }

  private onAttribute({ name, prefix, local }: SaxesAttributeNSIncomplete): void {
    this.refuseReserved(prefix, local);
    this.attributes += 1;
    if (this.attributes > MAX_ATTRIBUTES) {
      throw new Problem(this.format.refusal, `An element has more than ${MAX_ATTRIBUTES} attributes, the limit.`);
    }
    const declared = name === 'xmlns' ? '' : prefix === 'xmlns' ? local : undefined;
    if (declared !== undefined && this.parser.resolve(declared) === undefined) this.newPrefixes += 1;
  }

  private onStartTag(tag: SaxesTagNS): void {
    this.refuseReserved(tag.prefix, tag.local);
    const parent = this.open.at(-1);
    const element: Element = {
      uri: tag.uri,
      local: tag.local,
      attributes: this.attributes === 0 ? NO_ATTRIBUTES : attributesOf(tag),
      children: [],
      text: '',
    };
    if (parent) parent.children.push(element);
    else this.root = element;
    this.open.push(element);
    this.prefixes.push((this.prefixes.at(-1) as number) + this.newPrefixes);
    this.elements += 1;
    this.checkLimits();
    this.attributes = 0;
    this.newPrefixes = 0;
    this.inStartTag = false;
    this.onComplete(0);
    if (this.messageDepth > 0 || this.format.isMessage(element)) this.messageDepth += 1;
    if (this.messageDepth === 1) this.beginMessage(tag);
    this.declared.push(tag.ns);
    if (this.format.isFile(element)) this.countFile();
    if (this.format.isContent(element, parent)) this.content = { name: tag.name, isEmpty: tag.isSelfClosing, element };
  }

  private checkLimits(): void {
    if (this.open.length > this.limits.maxDepth) {
      throw new Problem(this.format.refusal, `The elements are nested deeper than ${this.limits.maxDepth}, the limit.`);
    }
    if (this.elements > MAX_ELEMENTS) {
      throw new Problem('skeleton-too-large', `The message has more than ${MAX_ELEMENTS} elements, the limit.`);
    }
    if ((this.prefixes.at(-1) as number) > MAX_PREFIXES) {
      throw new Problem(this.format.refusal, `More than ${MAX_PREFIXES} namespace prefixes are declared, the limit.`);
    }
  }

  private countFile(): void {
    this.files += 1;
    if (this.files > this.limits.maxFiles) throw tooManyFiles(this.limits.maxFiles);
  }

  private beginMessage({ name, ns }: SaxesTagNS): void {
    this.messages += 1;
    // No attribute contains a `<`, so the tag begins at the last one.
    const tag = this.skeleton.bytes(0, this.byteAt(this.parser.position));
    const outside = Object.entries(Object.assign({}, ...this.declared) as Record<string, string>);
    const inherited = Object.fromEntries(outside.filter(([prefix]) => !(prefix in ns)));
    this.message ??= { start: tag.lastIndexOf(LESS), end: tag.length, name, inherited };
  }

  private onEndTag(): void {
    const element = this.open.pop() as Element;
    this.prefixes.pop();
    this.declared.pop();
    if (element.text !== '' && isBlank(element.text)) element.text = '';
    const at = this.parser.position;
    this.closed = { element, at };
    this.onComplete(0);
    if (this.messageDepth === 0) return;
    this.messageDepth -= 1;
    if (this.messageDepth > 0 || this.messages > 1 || !this.message) return;
    this.message = { ...this.message, end: this.byteAt(at) };
  }

  private onText(text: string): void {
    const element = this.open.at(-1);
    if (element) element.text += text;
  }

  /** XML 1.0, production 16: saxes takes `<?a?b?>`, where white space is missing after the name. */
  private onInstruction(): void {
    const end = this.byteAt(this.parser.position);
    const text = this.skeleton.text(this.byteOfComplete, end);
    if (/^[^<]*<\?[^ \t\r\n?]+\?(?!>$)/.test(text)) throw this.fault(end);
    this.onComplete(0);
  }

  /** Markup is complete up to this many characters after the parser's position. */
  private onComplete(behind: number): void {
    this.completeInCharacters = this.parser.position + behind;
  }

  // ── Faults ───────────────────────────────────────────────────────────────────────────────────────────────────────

  private refuseReserved(prefix: string, local: string): void {
    if (!RESERVED_NAMES.has(prefix) && !RESERVED_NAMES.has(local)) return;
    const name = RESERVED_NAMES.has(local) ? local : prefix;
    const detail = `The name ${name} is not allowed for an element, attribute or prefix.`;
    throw new Problem('forbidden-xml', detail, { path: this.path });
  }

  /** What is wrong at this byte, which the parser has reached. */
  fault(at: number): Problem {
    const specific = this.specificFault(at);
    if (specific) return specific;
    if (this.atEnd) return this.notXml('The XML ends inside an element.');
    const lines = this.skeleton.text(0, at).split(/\r\n?|\n/);
    const place = `line ${lines.length}, column ${lines.at(-1)?.length}`;
    return this.notXml(`The XML is not well-formed at ${place} (not counting the contents of files).`);
  }

  /** A fault with a code or sentence of its own, in the text after the last complete markup. */
  private specificFault(at: number): Problem | undefined {
    const rest = this.skeleton.text(this.byteOfComplete, at);
    // XML in UTF-8 contains no NUL; UTF-16 and UTF-32 are full of them.
    if (rest.endsWith('\0')) return new Problem('not-utf8', 'The message contains NUL bytes. It must be UTF-8.');
    if (/^[^<]*<!d/i.test(rest)) return documentType();
    // In comments, CDATA and instructions an ampersand is an ordinary character.
    const [withReferences = ''] = /^[^<]*(?:<(?![!?]).*)?/s.exec(rest) ?? [];
    return faultOfReference(withReferences, this.path);
  }

  private get byteOfComplete(): number {
    return this.completeInCharacters < 0 ? this.complete : this.byteAt(this.completeInCharacters);
  }

  /** The byte of the skeleton at a position of the parser in the current piece. */
  private byteAt(position: number): number {
    return this.pieceStart + Buffer.byteLength(this.piece.slice(0, position - this.pieceStartInCharacters));
  }

  private notXml(detail: string): Problem {
    return new Problem('not-xml', detail, { path: this.path });
  }
}

function attributesOf({ attributes }: SaxesTagNS): XmlAttribute[] {
  return Object.values(attributes)
    .filter(({ name, prefix }) => name !== 'xmlns' && prefix !== 'xmlns')
    .map(({ uri, local, value }) => ({ uri, local, value }));
}

/** Bytes of the character that begins with this one. */
function lengthOfCharacter(first: number): number {
  if (first >= 0xf0) return 4;
  return first >= 0xe0 ? 3 : 2;
}

/** Number of bytes before the first that is not UTF-8. */
function validLength(bytes: Buffer): number {
  const text = bytes.toString();
  let length = 0;
  let from = 0;
  // Invalid UTF-8 becomes U+FFFD, but so does a valid U+FFFD.
  for (let at = text.indexOf('\ufffd'); at >= 0; at = text.indexOf('\ufffd', from)) {
    length += Buffer.byteLength(text.slice(from, at));
    if (!bytes.subarray(length, length + 3).equals(REPLACEMENT)) break;
    length += REPLACEMENT.length;
    from = at + 1;
  }
  return length;
}

export function tooManyFiles(maxFiles: number): Problem {
  return new Problem('skeleton-too-large', `The message has more than ${maxFiles} files, the limit.`);
}

function documentType(): Problem {
  return new Problem('forbidden-xml', 'The XML has a document type (DOCTYPE), which is not allowed.');
}

function otherEncoding(where: string, why = ''): Problem {
  return new Problem('not-utf8', `The ${where} names an encoding other than UTF-8${why}. Send the message as UTF-8.`);
}

export function notUtf8(): Problem {
  return new Problem('not-utf8', 'The message contains bytes that are not UTF-8.');
}
