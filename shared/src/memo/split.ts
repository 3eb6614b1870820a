import { randomBytes } from 'node:crypto';
import { Problem } from '../errors/index.js';
import type { Source } from '../flow/index.js';
import { Base64Decoder } from './base64.js';
import { type FileSink, FileWriter } from './file-writer.js';
import { isContent, isFile, isMessage } from './namespaces.js';
import { OpenElements } from './open-elements.js';
import { SkeletonBuffer } from './skeleton-buffer.js';
import { checkText, isInstruction, readDeclaration, readEndTag, readStartTag, referencedCharacter } from './tag.js';
import { isSpace } from './white-space.js';

export type { FileSink } from './file-writer.js';

export interface SplitLimits {
  /** All bytes of the source. MeMo messages are at most 99.5 MB (Digitaliseringskataloget, Postkomponenten). */
  readonly maxBytes: number;
  /** What is left when the contents of the files are taken out. */
  readonly maxSkeletonBytes: number;
  readonly maxFiles: number;
  /** How deep elements may be nested, a SOAP envelope's own included. */
  readonly maxDepth: number;
}

export interface SplitResult {
  /** The XML as it came, with a token in the place of each file's content. */
  readonly skeleton: Buffer;
  /** Bytes of the source. */
  readonly bytes: number;
  readonly files: number;
  /** What stands in the skeleton for the file with this index (from 0, in document order). */
  readonly token: (fileIndex: number) => string;
  /** Where in the skeleton the first MeMo Message stands (end exclusive): the root, or deeper in a SOAP envelope. */
  readonly message: { readonly start: number; readonly end: number } | undefined;
  /** How many MeMo Messages there are that do not lie in another one. */
  readonly messages: number;
}

/**
 * Reads XML as a stream and takes the files out of it: the text of each MeMo File/content is base64-decoded as it flows
 * and handed to a sink; everything else is the skeleton, byte for byte. Memory stays flat: the skeleton, and at most two
 * blocks (PIECE_SIZE) however long the files are.
 *
 * @param source its own errors pass through unchanged
 * @param openFile called at each content's start tag, with 0, 1, 2 …
 * @throws Problem `not-xml`, `not-utf8`, `forbidden-xml`, `content-not-base64`, `too-large`, `skeleton-too-large`,
 *   `not-memo` (nested too deep). By then no write to a sink is under way.
 */
export async function split(
  source: Source,
  openFile: (fileIndex: number) => FileSink,
  limits: SplitLimits,
): Promise<SplitResult> {
  const splitter = new Splitter(openFile, limits);
  try {
    await source((chunk) => splitter.take(chunk));
    return splitter.finish();
  } finally {
    await splitter.release();
  }
}

const byte = (character: string): number => character.charCodeAt(0);
const [LESS, GREATER, AMPERSAND, SEMICOLON] = [byte('<'), byte('>'), byte('&'), byte(';')];
const [SLASH, QUESTION, EXCLAMATION] = [byte('/'), byte('?'), byte('!')];
const [QUOTE, APOSTROPHE, CLOSE_BRACKET] = [byte('"'), byte("'"), byte(']')];
const CDATA_START = '<![CDATA[';
const CDATA_END = ']]>';
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];
/** `#x41` or `#65` and some leading zeros; nobody writes more. */
const MAX_REFERENCE = 16;
const EMPTY = Buffer.alloc(0);

/** Reads on from the current position; a promise when a sink must be waited for first. */
type State = () => Promise<void> | undefined;

/**
 * The scanner. It is in one state at a time; each state reads on in the chunk, so that a chunk may end anywhere. Markup
 * (tags, comments, …) goes to the skeleton as it comes and is looked at there when it is complete.
 */
class Splitter {
  private readonly openFile: (fileIndex: number) => FileSink;
  private readonly limits: SplitLimits;
  private readonly skeleton: SkeletonBuffer;
  private readonly elements: OpenElements;
  private readonly writer = new FileWriter();
  // A sender cannot write a token into the message: nobody knows it before the message is read.
  private readonly nonce = randomBytes(16).toString('hex');

  private chunk: Buffer = EMPTY;
  private at = 0;
  private bytes = 0;
  private files = 0;
  private fileElements = 0;
  private message: { start: number; end: number } | undefined;
  private messages = 0;

  private state: State = this.inText;
  /** Where in the skeleton the current run of text begins. */
  private textStart = 0;
  /** Where in the skeleton the current markup begins. */
  private markupStart = 0;
  /** In a start tag: the quote that is open, or 0. */
  private quote = 0;
  /** Set while a File/content is open. */
  private content: Base64Decoder | undefined;
  /** In content: the reference so far, without the ampersand. */
  private reference = '';
  /** In a CDATA section of content: how much of its end was seen. */
  private closing = 0;
  /** In content: where the chunk has the next `<` and `&`, so that none is searched twice. */
  private nextLess = 0;
  private nextAmpersand = 0;

  constructor(openFile: (fileIndex: number) => FileSink, limits: SplitLimits) {
    this.openFile = openFile;
    this.limits = limits;
    this.skeleton = new SkeletonBuffer(limits.maxSkeletonBytes);
    this.elements = new OpenElements(limits.maxDepth);
  }

  /** Reads a chunk. A promise: it is not read to its end before that is fulfilled. */
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
    this.nextAmpersand = -1;
  }

  /** Reads the chunk to its end, or to where a sink must be waited for. */
  private run(): Promise<void> | undefined {
    while (this.at < this.chunk.length) {
      const wait = this.state();
      if (wait !== undefined) return wait;
    }
    return undefined;
  }

  finish(): SplitResult {
    if (!this.elements.rootSeen) throw this.notXml('There is no XML element in the body.');
    if (this.state !== this.inText || this.elements.depth > 0) {
      throw this.notXml('The XML ends too early: an element is still open.');
    }
    return {
      skeleton: this.skeleton.whole(),
      bytes: this.bytes,
      files: this.files,
      token: this.token,
      message: this.message,
      messages: this.messages,
    };
  }

  /** Waits until nothing is under way, and lets its memory go. */
  async release(): Promise<void> {
    await this.writer.idle();
    this.writer.release();
  }

  // ── Outside content ──────────────────────────────────────────────────────────────────────────────────────────────

  private inText(): undefined {
    const less = this.find(LESS);
    const outside = this.elements.depth === 0;
    if (outside) this.expectBlank(less);
    this.copyTo(less);
    if (less === this.chunk.length) return;
    if (!outside) checkText(this.skeleton.text(this.textStart), () => this.elements.path);
    this.beginMarkup();
  }

  /** Before and after the root only white space may stand, and a byte order mark at the very beginning. */
  private expectBlank(end: number): void {
    for (let at = this.at; at < end; at += 1) {
      const code = this.chunk[at] as number;
      const position = this.skeleton.length + at - this.at;
      if (isSpace(code) || code === BYTE_ORDER_MARK[position]) continue;
      if (position < 2 && (code === 0xfe || code === 0xff || code === 0)) {
        throw new Problem('not-utf8', 'The message is UTF-16 or UTF-32. It must be UTF-8.');
      }
      throw this.notXml('Text stands outside the root element.');
    }
  }

  private beginMarkup(): void {
    this.markupStart = this.skeleton.length;
    this.state = this.inMarkupStart;
    this.copyTo(this.at + 1);
  }

  /** The first bytes after `<` tell what it is. */
  private inMarkupStart(): undefined {
    this.copyTo(this.at + 1);
    const start = this.skeleton.text(this.markupStart);
    const code = start.charCodeAt(1);
    if (code === SLASH) this.state = this.inEndTag;
    else if (code === QUESTION) this.state = this.inInstruction;
    else if (code === EXCLAMATION) this.readDeclarationStart(start);
    else if (this.content) throw this.notBase64('it holds an element.');
    else if (code === GREATER) throw this.notXml('A start tag is not well-formed.');
    else this.state = this.inStartTag;
  }

  private readDeclarationStart(start: string): void {
    if (start === '<!--') this.state = this.inComment;
    else if (start === CDATA_START) this.beginCdata();
    else if (start.length > 2 && /^<!d/i.test(start)) {
      throw new Problem('forbidden-xml', 'The XML has a document type (DOCTYPE), which is not allowed.');
    } else if (!'<!--'.startsWith(start) && !CDATA_START.startsWith(start)) {
      throw this.notXml('A declaration stands where none is allowed.');
    }
  }

  private inStartTag(): Promise<void> | undefined {
    for (let at = this.at; at < this.chunk.length; at += 1) {
      const code = this.chunk[at] as number;
      if (this.quote !== 0) {
        if (code === this.quote) this.quote = 0;
      } else if (code === QUOTE || code === APOSTROPHE) {
        this.quote = code;
      } else if (code === GREATER) {
        this.copyTo(at + 1);
        return this.endStartTag();
      }
    }
    this.copyTo(this.chunk.length);
    return undefined;
  }

  private inEndTag(): Promise<void> | undefined {
    return this.copyMarkupTo('>', 4) ? this.endEndTag() : undefined;
  }

  private inComment(): undefined {
    if (this.copyMarkupTo('-->', 7)) this.endMarkup();
  }

  private inInstruction(): undefined {
    if (!this.copyMarkupTo('?>', 4)) return;
    this.checkDeclaration(this.skeleton.text(this.markupStart));
    // sax 1.6 does not see the end of an instruction in `??>` and reads on to the next one.
    if (this.skeleton.endsWith('??>')) {
      this.skeleton.cut(this.skeleton.length - '?>'.length);
      this.skeleton.appendText(' ?>');
    }
    this.endMarkup();
  }

  private inCdata(): undefined {
    if (this.copyMarkupTo(CDATA_END, CDATA_START.length + CDATA_END.length)) this.endMarkup();
  }

  /** Copies to the next `>`; true when the markup ends there. */
  private copyMarkupTo(end: string, minLength: number): boolean {
    const greater = this.find(GREATER);
    this.copyTo(Math.min(greater + 1, this.chunk.length));
    const length = this.skeleton.length - this.markupStart;
    return greater < this.chunk.length && length >= minLength && this.skeleton.endsWith(end);
  }

  private endMarkup(): void {
    this.textStart = this.skeleton.length;
    this.state = this.content ? this.inContent : this.inText;
  }

  /** XML 1.0, §2.8 and §4.3.3. White space before the declaration is let pass. */
  private checkDeclaration(instruction: string): void {
    if (!/^<\?xml[ \t\r\n?]/i.test(instruction)) {
      if (isInstruction(instruction)) return;
      throw this.notXml('A processing instruction has no name, or none that XML allows.');
    }
    if (this.elements.rootSeen || this.skeleton.text(0, this.markupStart).trim() !== '') {
      throw this.notXml('An XML declaration stands elsewhere than at the beginning.');
    }
    const declaration = readDeclaration(instruction);
    if (!declaration) throw this.notXml('The XML declaration is not well-formed.');
    if (declaration.encoding !== undefined && !/^utf-?8$/i.test(declaration.encoding)) {
      throw new Problem('not-utf8', 'The XML declaration names another encoding than UTF-8.');
    }
  }

  private endStartTag(): Promise<void> | undefined {
    const tag = readStartTag(this.skeleton.text(this.markupStart));
    if (!tag) throw this.notXml('A start tag is not well-formed.');
    if (this.elements.depth === 0 && this.elements.rootSeen) throw this.notXml('There is a second root element.');
    const parent = this.elements.innermost;
    const insideMessage = this.elements.insideMessage;
    const element = this.elements.open(tag);
    if (isMessage(element) && !insideMessage) this.beginMessage();
    if (isFile(element)) this.countFile();
    if (isContent(element) && isFile(parent)) return this.beginContent(tag.empty);
    this.endMarkup();
    if (tag.empty) this.endElement(tag.name);
    return undefined;
  }

  private endEndTag(): Promise<void> | undefined {
    const name = readEndTag(this.skeleton.text(this.markupStart));
    if (name === undefined) throw this.notXml('An end tag is not well-formed.');
    this.endElement(name);
    const end = this.content ? this.endContent() : undefined;
    this.endMarkup();
    return end;
  }

  private endElement(name: string): void {
    const element = this.elements.close(name);
    const ended = isMessage(element) && !this.elements.insideMessage;
    if (ended && this.messages === 1 && this.message) this.message.end = this.skeleton.length;
  }

  private beginMessage(): void {
    this.messages += 1;
    this.message ??= { start: this.markupStart, end: this.markupStart };
  }

  // ── Inside content ───────────────────────────────────────────────────────────────────────────────────────────────

  /** Files without content count too: each costs a row, and an entry in every zip. */
  private countFile(): void {
    this.fileElements += 1;
    if (this.fileElements > this.limits.maxFiles) throw this.tooManyFiles();
  }

  private tooManyFiles(): Problem {
    return new Problem('skeleton-too-large', `The message has more than ${this.limits.maxFiles} files, the limit.`);
  }

  private beginContent(empty: boolean): Promise<void> | undefined {
    // A File may hold several contents, against the schema.
    if (this.files === this.limits.maxFiles) throw this.tooManyFiles();
    const path = this.elements.path;
    this.content = new Base64Decoder((why) => notBase64(path, why));
    this.writer.begin(this.openFile(this.files));
    if (empty) this.skeleton.cut(this.skeleton.length - '/>'.length);
    if (empty) this.skeleton.appendText('>');
    this.skeleton.appendText(this.token(this.files));
    this.files += 1;
    this.endMarkup();
    return empty ? this.endEmptyContent() : undefined;
  }

  /** `<content/>` has no place for a token, so it gets an end tag. */
  private endEmptyContent(): Promise<void> | undefined {
    this.markupStart = this.skeleton.length;
    this.skeleton.appendText(`</${this.elements.innermost?.name}>`);
    return this.endEndTag();
  }

  private endContent(): Promise<void> {
    this.content?.end(this.writer);
    this.content = undefined;
    return this.writer.end();
  }

  private inContent(): Promise<void> | undefined {
    const wait = this.decodeTo(this.nextStop());
    if (wait !== undefined || this.at === this.chunk.length) return wait;
    if (this.chunk[this.at] === LESS) {
      this.beginMarkup();
    } else {
      this.at += 1;
      this.reference = '';
      this.state = this.inReference;
    }
    return undefined;
  }

  private nextStop(): number {
    if (this.nextLess < this.at) this.nextLess = this.find(LESS);
    if (this.nextAmpersand < this.at) this.nextAmpersand = this.find(AMPERSAND);
    return Math.min(this.nextLess, this.nextAmpersand);
  }

  /** Decodes up to a position in the chunk, or to where the sink must be waited for. */
  private decodeTo(stop: number): Promise<void> | undefined {
    const decoder = this.content as Base64Decoder;
    while (this.at < stop) {
      const wait = this.writer.full ? this.writer.flush() : undefined;
      if (wait !== undefined) return wait;
      this.at = decoder.take(this.chunk, this.at, stop, this.writer);
    }
    return undefined;
  }

  /** A character reference in content, such as `&#65;`. */
  private inReference(): Promise<void> | undefined {
    const wait = this.writer.full ? this.writer.flush() : undefined;
    if (wait !== undefined) return wait;
    const semicolon = this.find(SEMICOLON);
    this.reference += this.chunk.toString('latin1', this.at, Math.min(semicolon, this.at + MAX_REFERENCE));
    this.at = Math.min(semicolon + 1, this.chunk.length);
    const complete = this.chunk[semicolon] === SEMICOLON;
    const character = complete ? referencedCharacter(this.reference) : '';
    if (character === undefined || this.reference.length >= MAX_REFERENCE) {
      throw this.notBase64('it holds a reference that names no base64.');
    }
    if (!complete) return undefined;
    this.content?.takeCharacter(character, this.writer);
    this.state = this.inContent;
    return undefined;
  }

  /** A CDATA section's text is content; its marks are not. Outside content it stays in the skeleton as it is. */
  private beginCdata(): void {
    if (this.elements.depth === 0) throw this.notXml('A CDATA section stands outside the root element.');
    if (this.content) this.skeleton.cut(this.markupStart);
    this.closing = 0;
    this.state = this.content ? this.inContentCdata : this.inCdata;
  }

  private inContentCdata(): Promise<void> | undefined {
    if (this.closing === 0) {
      const wait = this.decodeTo(this.find(CLOSE_BRACKET));
      if (wait !== undefined || this.at === this.chunk.length) return wait;
    }
    if (this.chunk[this.at] !== CDATA_END.charCodeAt(this.closing)) throw this.notBase64('it holds a bracket.');
    this.at += 1;
    this.closing += 1;
    if (this.closing === CDATA_END.length) this.endMarkup();
    return undefined;
  }

  // ── Small things ─────────────────────────────────────────────────────────────────────────────────────────────────

  private readonly token = (fileIndex: number): string => `file:${this.nonce}:${fileIndex}`;

  /** Position of the next such byte in the chunk, or the chunk's end. */
  private find(code: number): number {
    const found = this.chunk.indexOf(code, this.at);
    return found < 0 ? this.chunk.length : found;
  }

  private copyTo(end: number): void {
    this.skeleton.append(this.chunk, this.at, end);
    this.at = end;
  }

  private notXml(detail: string): Problem {
    return new Problem('not-xml', detail, { path: this.elements.path });
  }

  private notBase64(why: string): Problem {
    return notBase64(this.elements.path, why);
  }
}

function notBase64(path: string, why: string): Problem {
  return new Problem('content-not-base64', `The text of ${path} is not base64: ${why}`, { path });
}
