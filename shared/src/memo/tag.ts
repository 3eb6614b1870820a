import { Problem } from '../errors/index.js';

/** A start tag as written: names with their prefixes, attribute values without quotes, references not yet resolved. */
export interface StartTag {
  readonly name: string;
  readonly attributes: readonly (readonly [name: string, value: string])[];
  readonly empty: boolean;
}

// XML 1.0, productions 40 to 45. Which characters a name may have is left to the later parse of the skeleton; what counts
// here is that both parsers see the same tags and attributes.
const SPACE = '[ \\t\\r\\n]';
const NAME = `[^ \\t\\r\\n=<>"'/&]+`;
const OPENING = new RegExp(`<(${NAME})`, 'y');
const ATTRIBUTE = new RegExp(`${SPACE}+(${NAME})${SPACE}*=${SPACE}*("[^"<]*"|'[^'<]*')`, 'y');
const CLOSING = new RegExp(`${SPACE}*(/?)>$`, 'y');
const END_TAG = new RegExp(`^</(${NAME})${SPACE}*>$`);

/** The parser of the skeleton compares each attribute with each other; MeMo elements have at most two of their own. */
const MAX_ATTRIBUTES = 100;

/**
 * Reads one whole start tag, from `<` to `>`.
 * @returns undefined when it is not well-formed.
 * @throws Problem `not-memo` when it has more than 100 attributes.
 */
export function readStartTag(text: string): StartTag | undefined {
  OPENING.lastIndex = 0;
  const name = OPENING.exec(text)?.[1];
  if (name === undefined) return undefined;
  const attributes = new Map<string, string>();
  let at = OPENING.lastIndex;
  for (;;) {
    ATTRIBUTE.lastIndex = at;
    const match = ATTRIBUTE.exec(text);
    if (!match) break;
    const key = match[1] as string;
    if (attributes.has(key)) return undefined;
    if (attributes.size === MAX_ATTRIBUTES) {
      throw new Problem('not-memo', `An element has more than ${MAX_ATTRIBUTES} attributes, the limit.`);
    }
    attributes.set(key, (match[2] as string).slice(1, -1));
    at = ATTRIBUTE.lastIndex;
  }
  CLOSING.lastIndex = at;
  const closing = CLOSING.exec(text);
  return closing ? { name, attributes: [...attributes], empty: closing[1] === '/' } : undefined;
}

/** The name in an end tag such as `</memo:File >`, or undefined when it is not well-formed. */
export function readEndTag(text: string): string | undefined {
  return END_TAG.exec(text)?.[1];
}

const EQUALS = `${SPACE}*=${SPACE}*`;
const VERSION = `${SPACE}+version${EQUALS}(?:"1\\.[0-9]+"|'1\\.[0-9]+')`;
const ENCODING = `${SPACE}+encoding${EQUALS}(?:"(?<double>[A-Za-z][\\w.-]*)"|'(?<single>[A-Za-z][\\w.-]*)')`;
const STANDALONE = `${SPACE}+standalone${EQUALS}(?:"(?:yes|no)"|'(?:yes|no)')`;
const DECLARATION = new RegExp(`^<\\?xml${VERSION}(?:${ENCODING})?(?:${STANDALONE})?${SPACE}*\\?>$`);

/** Reads an XML declaration (XML 1.0, production 23). @returns undefined when it is not well-formed. */
export function readDeclaration(text: string): { readonly encoding: string | undefined } | undefined {
  const groups = DECLARATION.exec(text)?.groups;
  return groups && { encoding: groups.double ?? groups.single };
}

// XML 1.0, productions 4 and 4a, without the colon: Namespaces in XML 1.0, §7, allows none in the name of an instruction.
const NAME_START =
  'A-Z_a-z\\xc0-\\xd6\\xd8-\\xf6\\xf8-\\u02ff\\u0370-\\u037d\\u037f-\\u1fff\\u200c\\u200d\\u2070-\\u218f\\u2c00-\\u2fef\\u3001-\\ud7ff\\uf900-\\ufdcf\\ufdf0-\\ufffd\\u{10000}-\\u{effff}';
const NAME_REST = `${NAME_START}.0-9\\xb7\\u0300-\\u036f\\u203f\\u2040-`;
const INSTRUCTION = new RegExp(`^<\\?[${NAME_START}][${NAME_REST}]*(?:${SPACE}|\\?>$)`, 'u');

/** Whether a processing instruction, from `<?` to `?>`, has a name (XML 1.0, production 16). */
export function isInstruction(text: string): boolean {
  return INSTRUCTION.test(text);
}

const PREDEFINED = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
]);
const NO_KNOWN_REFERENCE = /&(?!(?:amp|lt|gt|quot|apos|#[0-9]+|#x[0-9a-fA-F]+);)/;
const OWN_ENTITY = /^&[^ \t\r\n&<;#]+;/;

/**
 * Refuses references to anything but characters and the five entities of XML itself (the parser of the skeleton would
 * take HTML's names, and the fault would depend on the name).
 * @throws Problem `forbidden-xml` for an entity of the sender's own, `not-xml` for a bare ampersand.
 */
export function checkReferences(text: string, path: () => string): void {
  const found = NO_KNOWN_REFERENCE.exec(text);
  if (!found) return;
  if (OWN_ENTITY.test(text.slice(found.index))) {
    throw new Problem('forbidden-xml', "An entity is used that is not one of XML's own five.", { path: path() });
  }
  throw new Problem('not-xml', 'An ampersand stands alone. Write it as &amp;.', { path: path() });
}

/** The character of a numeric reference such as `#65` or `#x41`, or undefined when it names none. */
export function referencedCharacter(reference: string): string | undefined {
  const digits = /^#(?:([0-9]+)|x([0-9a-fA-F]+))$/.exec(reference);
  if (!digits) return undefined;
  const code = digits[1] === undefined ? Number.parseInt(digits[2] as string, 16) : Number.parseInt(digits[1], 10);
  return code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
}

/**
 * What may stand in text besides characters: checkReferences, and no `]]>` (XML 1.0, production 14).
 * @throws Problem as checkReferences does
 */
export function checkText(text: string, path: () => string): void {
  if (text.includes(']]>')) {
    throw new Problem('not-xml', 'The end of a CDATA section stands where none began.', { path: path() });
  }
  checkReferences(text, path);
}

/** An attribute value with its references resolved. It has passed checkReferences. */
export function resolveReferences(value: string): string {
  return value.replace(
    /&([^;]+);/g,
    (whole, name: string) => PREDEFINED.get(name) ?? referencedCharacter(name) ?? whole,
  );
}
