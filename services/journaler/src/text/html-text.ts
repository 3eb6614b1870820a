import { KiB } from '@indbakke/shared/config';
import { type Handler, Parser } from 'htmlparser2';
import { TextWriter } from './text-writer.js';

/** Browsers nest no deeper either; what costs time with the depth stays bounded. */
const MAX_DEPTH = 512;
/** What is parsed before the limits are looked at again. */
const SLICE = 16 * KiB;

/**
 * What a person sees of an HTML document, as plain text: no markup, scripts, comments and what is hidden; tables row by row.
 * A link is its text, with its address after it if that differs. Style sheets are not applied: what only they hide is shown.
 *
 * @param atMost ends it after this many UTF-16 units or a little more
 */
export function textOfHtml(html: string, atMost: number): { text: string; isWhole: boolean } {
  const writer = new TextWriter();
  const reader = new HtmlReader(writer);
  const parser = new Parser(reader);
  for (let at = 0; at < html.length; at += SLICE) {
    parser.write(html.slice(at, at + SLICE));
    if (writer.length > atMost || reader.isTooDeep) return { text: writer.since(0), isWhole: false };
  }
  parser.end();
  return { text: writer.since(0), isWhole: true };
}

type Attributes = Readonly<Record<string, string>>;

const setOf = (names: string) => new Set(names.split(' '));
/** Never seen, or only by a browser that lacks something. */
const UNSEEN = setOf(
  'script style template title iframe noembed noframes audio video canvas datalist rp desc metadata defs',
);
const PARAGRAPHS = setOf('p h1 h2 h3 h4 h5 h6 blockquote pre dl hr');
const BLOCKS = setOf(
  'address article aside body caption center dd details dialog dir div dt fieldset figcaption figure footer form header html legend main menu nav ol optgroup option section select summary table textarea ul',
);
const KEEPS_LINES = setOf('pre textarea listing plaintext xmp');
const TYPED_IN = setOf('text email tel url number search date time month week datetime-local');
const HIDING =
  /(^|[;\s])(display\s*:\s*none|visibility\s*:\s*(hidden|collapse)|mso-hide\s*:\s*all|(font-size|opacity)\s*:\s*0(\.0*)?[a-z%]*\s*(;|!|$))/i;

function isHidden(name: string, attributes: Attributes): boolean {
  if (UNSEEN.has(name) || attributes.hidden !== undefined) return true;
  if (name === 'dialog' && attributes.open === undefined) return true;
  return attributes.style !== undefined && HIDING.test(attributes.style);
}

class HtmlReader implements Partial<Handler> {
  readonly #writer: TextWriter;
  #depth = 0;
  /** Open elements, from the outermost hidden one on. */
  #hidden = 0;
  #keepsLines = 0;
  #link: { readonly address: string; readonly from: number } | undefined;
  /** Of each open list: the number of its next item, or none. */
  readonly #lists: (number | undefined)[] = [];
  /** Where each open row begins. */
  readonly #rows: number[] = [];

  constructor(writer: TextWriter) {
    this.#writer = writer;
  }

  get isTooDeep(): boolean {
    return this.#depth > MAX_DEPTH;
  }

  onopentag(name: string, attributes: Attributes): void {
    this.#depth += 1;
    if (this.#hidden > 0 || isHidden(name, attributes)) this.#hidden += 1;
    else this.#open(name, attributes);
  }

  onclosetag(name: string): void {
    this.#depth -= 1;
    if (this.#hidden > 0) this.#hidden -= 1;
    else this.#close(name);
  }

  ontext(text: string): void {
    if (this.#hidden > 0) return;
    if (this.#keepsLines > 0) this.#writer.lines(text);
    else this.#writer.words(text);
  }

  #open(name: string, attributes: Attributes): void {
    this.#break(name);
    if (KEEPS_LINES.has(name)) this.#keepsLines += 1;
    if (name === 'br') this.#writer.newLine();
    else if (name === 'a') this.#beginLink(attributes.href ?? '');
    else if (name === 'ul') this.#lists.push(undefined);
    else if (name === 'ol') this.#lists.push(Number.parseInt(attributes.start ?? '', 10) || 1);
    else if (name === 'li') this.#beginItem();
    else if (name === 'tr') this.#beginRow();
    else if (name === 'td' || name === 'th') this.#beginCell();
    else if (name === 'img') this.#label(attributes.alt ?? '');
    else if (name === 'input') this.#input(attributes);
  }

  #close(name: string): void {
    this.#break(name);
    if (KEEPS_LINES.has(name)) this.#keepsLines -= 1;
    if (name === 'a') this.#endLink();
    if (name === 'ul' || name === 'ol') this.#lists.pop();
    if (name === 'tr') this.#rows.pop();
    if (name === 'tr' || name === 'li') this.#writer.endLine();
  }

  #break(name: string): void {
    if (PARAGRAPHS.has(name)) this.#writer.break(2);
    else if (BLOCKS.has(name)) this.#writer.break(1);
  }

  #beginItem(): void {
    const number = this.#lists.at(-1);
    if (number !== undefined) this.#lists[this.#lists.length - 1] = number + 1;
    this.#writer.startLine();
    this.#writer.mark('  '.repeat(Math.max(0, this.#lists.length - 1)) + (number === undefined ? '- ' : `${number}. `));
  }

  #beginRow(): void {
    this.#writer.startLine();
    this.#rows.push(this.#writer.length);
  }

  /** Cells are side by side unless those before them take several lines. */
  #beginCell(): void {
    const row = this.#rows.at(-1);
    if (row === undefined) this.#writer.break(1);
    else if (this.#writer.isOneLineSince(row)) this.#writer.separate(' | ');
    else if (this.#writer.length > row) this.#writer.break(1);
  }

  #label(alternative: string): void {
    if (alternative.trim() !== '') this.#writer.words(`[${alternative.trim()}]`);
  }

  /** What the sender filled in. */
  #input({ type = 'text', value = '', checked }: Attributes): void {
    const kind = type.toLowerCase();
    if (TYPED_IN.has(kind)) this.#writer.words(` ${value} `);
    if (kind === 'checkbox' || kind === 'radio') this.#writer.words(checked === undefined ? '[ ] ' : '[x] ');
  }

  #beginLink(href: string): void {
    this.#endLink(); // links do not nest
    const address = addressOf(href);
    this.#link = address === undefined ? undefined : { address, from: this.#writer.pieces };
  }

  #endLink(): void {
    if (!this.#link) return;
    const { address, from } = this.#link;
    this.#link = undefined;
    const text = this.#writer.since(from).trim();
    if (text !== '' && essence(text) !== essence(address)) this.#writer.words(` (${address})`);
  }
}

const SHOWN = new Set(['http:', 'https:', 'mailto:']);

/** The address as a browser would call it, which shows characters that look like others; undefined if it is of another kind. */
function addressOf(href: string): string | undefined {
  if (!URL.canParse(href)) return undefined;
  const { protocol, href: address } = new URL(href);
  return SHOWN.has(protocol) ? address : undefined;
}

/** What remains of an address when people write it. */
function essence(address: string): string {
  return address
    .toLowerCase()
    .replace(/^(mailto:|https?:\/\/)/, '')
    .replace(/\/$/, '');
}
