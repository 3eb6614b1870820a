import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { Problem } from '../errors/index.js';
import { Base64Decoder } from './base64.js';
import { type FileSink, FileWriter } from './file-writer.js';
import { forEachChunk } from './for-each-chunk.js';
import type { XmlFormat } from './format.js';
import { CharacterReference } from './references.js';
import { SkeletonBuffer } from './skeleton-buffer.js';
import type { Trail } from './trail.js';
import { isSpace } from './white-space.js';
import type { XmlElement } from './xml-element.js';
import { type MessagePlace, notUtf8, type OpenContent, type TreeLimits, tooManyFiles, XmlTree } from './xml-tree.js';

export type { FileSink } from './file-writer.js';

export interface XmlLimits extends TreeLimits {
  /** All bytes of the source. MeMo messages are at most 99.5 MB (Digitaliseringskataloget, Postkomponenten). */
  readonly maxBytes: number;
  /** The XML without the contents of files. */
  readonly maxSkeletonBytes: number;
}

export interface XmlDocument {
  /** The text of each content is the token of its file. */
  readonly root: XmlElement;
  /** The XML as delivered, with a token in place of each file's content. */
  readonly skeleton: Buffer;
  /** Bytes of the source. */
  readonly bytes: number;
  readonly files: number;
  /** The token of the file with this index (from 0, in document order). */
  readonly token: (fileIndex: number) => string;
  /** The first message: the root, or deeper in a SOAP envelope. */
  readonly message: MessagePlace | undefined;
  /** Number of messages that are not inside another one. */
  readonly messages: number;
}

/**
 * Reads XML as a stream and extracts the files: the text of each content, as the format has it, is base64-decoded into a sink; everything
 * else is the skeleton, kept byte for byte and parsed. Memory holds the skeleton, its tree and the buffers of the sinks,
 * whatever the size of the files.
 *
 * @param source its own errors pass through unchanged
 * @param openFile called at each content's start tag, with 0, 1, 2 …
 * @param charset the encoding by the Content-Type, if it names one; asked for when the source has begun
 * @param trail is told where the base64 of the files stands. An open file is ended when there is a Problem
 * @throws Problem `not-xml`, `not-utf8`, `forbidden-xml`, `content-not-base64`, `too-large`, `skeleton-too-large`,
 *   the refusal of the format (over a limit on depth, attributes or prefixes). By then no write to a sink is in flight.
 */
export async function readXml(
  format: XmlFormat,
  source: AsyncIterable<Buffer>,
  openFile: (fileIndex: number) => FileSink,
  limits: XmlLimits,
  charset: () => string | undefined = () => undefined,
  trail?: Trail,
): Promise<XmlDocument> {
  const reader = new XmlReader(format, openFile, limits, charset, trail);
  try {
    await forEachChunk(source, (chunk) => reader.take(chunk));
    return reader.finish();
  } catch (error) {
    // What fails here is not the fault that is told.
    if (trail && error instanceof Problem) await reader.endOpenFile().catch(() => {});
    throw error;
  } finally {
    await reader.idle();
  }
}

const byte = (character: string): number => character.charCodeAt(0);
const [LESS, GREATER, AMPERSAND, SEMICOLON, CLOSE_BRACKET] = [byte('<'), byte('>'), byte('&'), byte(';'), byte(']')];
const [COMMENT_START, CDATA_START, CDATA_END] = ['<!--', '<![CDATA[', ']]>'];
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];
/** This much is copied to the skeleton at once; what turns out to be content is cut off again. */
const MAX_COPY = 4 * 1024;
const EMPTY = Buffer.alloc(0);

/** Markup in a content: how it ends, and its minimum length. */
interface Markup {
  readonly end: string;
  readonly minLength: number;
}
const END_TAG: Markup = { end: '>', minLength: 3 };
const INSTRUCTION: Markup = { end: '?>', minLength: 4 };
const COMMENT: Markup = { end: '-->', minLength: 7 };

/** Reads on from the current position; returns a promise if a sink must be awaited first. */
type State = () => Promise<void> | undefined;

/**
 * Splits the bytes between the parser and the files: a state machine, since a chunk may end anywhere. Outside content all
 * bytes go to the skeleton and the parser. Inside, the parser sees only whole end tags, comments and instructions; text,
 * CDATA and references are base64.
 */
class XmlReader {
  private readonly openFile: (fileIndex: number) => FileSink;
  private readonly limits: XmlLimits;
  private readonly charset: () => string | undefined;
  private readonly trail: Trail | undefined;
  private readonly skeleton: SkeletonBuffer;
  private readonly tree: XmlTree;
  // Random, so that no sender can write a token into a message.
  private readonly nonce = randomUUID();

  private chunk: Buffer = EMPTY;
  private at = 0;
  private bytes = 0;
  private files = 0;

  private state: State = this.atStart;
  /** Set while a File/content is open. */
  private content: Base64Decoder | undefined;
  /** Of the open content, or of the last one. */
  private writer: FileWriter | undefined;
  /** In content: where in the skeleton the current markup begins, and what it is. */
  private markupStart = 0;
  private markup: Markup = END_TAG;
  /** In content. */
  private readonly reference = new CharacterReference();
  /** In a CDATA section of content: how many characters of its end were read. */
  private closing = 0;
  /** In content: where the chunk has the next `<`, so that nothing is searched twice. */
  private nextLess = 0;

  constructor(
    format: XmlFormat,
    openFile: (fileIndex: number) => FileSink,
    limits: XmlLimits,
    charset: () => string | undefined,
    trail: Trail | undefined,
  ) {
    this.openFile = openFile;
    this.limits = limits;
    this.charset = charset;
    this.trail = trail;
    this.skeleton = new SkeletonBuffer(limits.maxSkeletonBytes);
    this.tree = new XmlTree(format, this.skeleton, limits);
  }

  /** Reads a chunk; a promise resolves once it has been read to its end. */
  take(chunk: Buffer): Promise<void> | undefined {
    this.begin(chunk);
    const wait = this.run();
    return wait && this.runAfter(wait);
  }

  private async runAfter(first: Promise<void>): Promise<void> {
    for (let wait: Promise<void> | undefined = first; wait !== undefined; wait = this.run()) await wait;
  }

  private begin(chunk: Buffer): void {
    this.bytes += chunk.length;
    if (this.bytes > this.limits.maxBytes) {
      throw new Problem('too-large', `The message is over ${this.limits.maxBytes} bytes, the limit.`);
    }
    this.chunk = chunk;
    this.at = 0;
    this.nextLess = -1;
  }

  /** Reads the chunk to its end, or until a sink must be awaited. */
  private run(): Promise<void> | undefined {
    while (this.at < this.chunk.length) {
      const wait = this.state();
      if (wait !== undefined) return wait;
    }
    return undefined;
  }

  finish(): XmlDocument {
    return {
      root: this.tree.finish(),
      skeleton: this.skeleton.bytes(),
      bytes: this.bytes,
      files: this.files,
      token: this.token,
      message: this.tree.message,
      messages: this.tree.messages,
    };
  }

  /** After a fault in a content: what was decoded of it is the file. */
  async endOpenFile(): Promise<void> {
    if (this.content) await this.endContent();
  }

  /** Waits until no write to a sink is in flight. */
  async idle(): Promise<void> {
    await this.writer?.idle();
  }

  // ── Outside content ──────────────────────────────────────────────────────────────────────────────────────────────

  /** A byte order mark and white space may come first, even before an XML declaration; the parser does not see them. */
  private atStart(): undefined {
    for (let at = this.at; at < this.chunk.length; at += 1) {
      const code = this.chunk[at] as number;
      const position = this.skeleton.length + at - this.at;
      if (code === LESS) {
        this.copyTo(at);
        if (!isUtf8(this.skeleton.bytes())) throw notUtf8();
        const label = this.skeleton.bytes()[0] === BYTE_ORDER_MARK[0] ? 'utf-8' : this.charset();
        if (label !== undefined) this.tree.settleEncoding(label);
        this.tree.skipTo(position);
        this.state = this.inMarkup;
        return;
      }
      if (!isSpace(code) && code !== BYTE_ORDER_MARK[position]) throw notXmlAtAll(code, position);
    }
    this.copyTo(this.chunk.length);
  }

  private inMarkup(): Promise<void> | undefined {
    const { skeleton, tree } = this;
    if (skeleton.room === 0) throw tree.tooLarge();
    this.copyTo(Math.min(this.chunk.length, this.at + Math.min(MAX_COPY, skeleton.room)));
    const content = tree.parseToContent();
    if (!content) return undefined;
    // The start tag's `>` is in this copy: in an earlier one it would have been found then.
    this.at -= skeleton.length - tree.parsed;
    skeleton.cut(tree.parsed);
    return this.beginContent(content);
  }

  // ── Inside content ───────────────────────────────────────────────────────────────────────────────────────────────

  private beginContent({ name, isEmpty, element }: OpenContent): Promise<void> | undefined {
    // Against the schema, a File may have several contents.
    if (this.files === this.limits.maxFiles) throw tooManyFiles(this.limits.maxFiles);
    const token = this.token(this.files);
    element.text = token;
    this.writer = new FileWriter(this.openFile(this.files));
    this.content = new Base64Decoder(this.writer, (why) => this.notBase64(why), this.trail, this.files);
    this.files += 1;
    // `<content/>` has no place for a token, so it gets an end tag.
    if (isEmpty) this.skeleton.cut(this.skeleton.length - '/>'.length);
    this.skeleton.appendText(isEmpty ? `>${token}</${name}>` : token);
    this.tree.skipTo(this.skeleton.length);
    this.state = this.inContent;
    return isEmpty ? this.endContent() : undefined;
  }

  private endContent(): Promise<void> {
    this.trail?.ended(this.files - 1, this.content?.rest ?? '');
    this.content = undefined;
    this.state = this.inMarkup;
    return (this.writer as FileWriter).end();
  }

  private inContent(): Promise<void> | undefined {
    if (this.nextLess < this.at) this.nextLess = this.find(LESS);
    const wait = this.decodeTo(this.nextLess);
    if (wait !== undefined || this.at === this.chunk.length) return wait;
    if (this.at === this.nextLess) {
      if (this.startsHere(CDATA_START)) {
        this.at += CDATA_START.length;
        this.beginCdata();
      } else {
        this.markupStart = this.skeleton.length;
        this.state = this.inMarkupStart;
      }
    } else if (this.chunk[this.at] === AMPERSAND) {
      this.at += 1;
      this.reference.begin();
      this.state = this.inReference;
    } else throw (this.content as Base64Decoder).foreign();
    return undefined;
  }

  /** Decodes up to a position in the chunk, to a byte that is not of base64, or until the sink must be awaited. */
  private decodeTo(stop: number): Promise<void> | undefined {
    const decoder = this.content as Base64Decoder;
    const writer = this.writer as FileWriter;
    for (;;) {
      this.at = decoder.take(this.chunk, this.at, stop);
      if (!writer.full) return undefined;
      const wait = writer.flush();
      if (wait !== undefined) return wait;
    }
  }

  /** The first bytes after `<` say what it is. */
  private inMarkupStart(): undefined {
    this.copyTo(this.at + 1);
    const start = this.skeleton.text(this.markupStart);
    if (start === '<' || (CDATA_START.startsWith(start) && start !== CDATA_START)) return;
    if (start === CDATA_START) {
      this.skeleton.cut(this.markupStart);
      this.beginCdata();
    } else if (start === '</') this.beginMarkup(END_TAG);
    else if (start === '<?') this.beginMarkup(INSTRUCTION);
    else if (start === COMMENT_START) this.beginMarkup(COMMENT);
    else if (!start.startsWith('<!')) throw this.notBase64('it contains an element.');
    else if (!COMMENT_START.startsWith(start)) throw this.tree.fault(this.skeleton.length);
  }

  private beginMarkup(markup: Markup): void {
    this.markup = markup;
    this.state = this.inContentMarkup;
  }

  private inContentMarkup(): Promise<void> | undefined {
    const greater = this.find(GREATER);
    this.copyTo(Math.min(greater + 1, this.chunk.length));
    const { skeleton, markup } = this;
    const isLongEnough = skeleton.length - this.markupStart >= markup.minLength;
    if (!isLongEnough || !skeleton.endsWith(markup.end)) return undefined;
    if (markup === END_TAG) this.content?.end();
    this.tree.parse(skeleton.length);
    if (markup === END_TAG) return this.endContent();
    this.state = this.inContent;
    return undefined;
  }

  /** A character reference in content, such as `&#65;`. */
  private inReference(): undefined {
    while (this.at < this.chunk.length) {
      const code = this.chunk[this.at] as number;
      this.at += 1;
      if (code === SEMICOLON) {
        (this.content as Base64Decoder).takeCharacter(this.reference.end());
        this.state = this.inContent;
        return;
      }
      if (!this.reference.take(code)) {
        throw this.notBase64('it contains a reference to a character that is not base64.');
      }
    }
  }

  /** A CDATA section's text is content; its markup is dropped. */
  private beginCdata(): void {
    this.closing = 0;
    this.state = this.inCdata;
  }

  private inCdata(): Promise<void> | undefined {
    if (this.closing === 0) {
      const wait = this.decodeTo(this.find(CLOSE_BRACKET));
      if (wait !== undefined || this.at === this.chunk.length) return wait;
    }
    if (this.chunk[this.at] !== CDATA_END.charCodeAt(this.closing)) {
      throw this.closing === 0 ? (this.content as Base64Decoder).foreign() : this.notBase64('it contains a bracket.');
    }
    this.at += 1;
    this.closing += 1;
    if (this.closing === CDATA_END.length) this.state = this.inContent;
    return undefined;
  }

  // ── Helpers ──────────────────────────────────────────────────────────────────────────────────────────────────────

  private readonly token = (fileIndex: number): string => `file:${this.nonce}:${fileIndex}`;

  /** Whether the chunk has this here; not when it ends before. */
  private startsHere(text: string): boolean {
    for (let index = 0; index < text.length; index += 1) {
      if (this.chunk[this.at + index] !== text.charCodeAt(index)) return false;
    }
    return true;
  }

  /** Position of the next such byte in the chunk, or the chunk's end. */
  private find(code: number): number {
    const found = this.chunk.indexOf(code, this.at);
    return found < 0 ? this.chunk.length : found;
  }

  private copyTo(end: number): void {
    this.skeleton.append(this.chunk, this.at, end);
    this.at = end;
  }

  private notBase64(why: string): Problem {
    const { path } = this.tree;
    return new Problem('content-not-base64', `The text of ${path} is not base64: ${why}`, { path });
  }
}

/** For a body that does not begin like XML in UTF-8. */
function notXmlAtAll(code: number, position: number): Problem {
  if (position < 2 && (code === 0xfe || code === 0xff || code === 0)) {
    return new Problem('not-utf8', 'The message is UTF-16 or UTF-32. It must be UTF-8.');
  }
  return new Problem('not-xml', 'There is text outside the root element.');
}
