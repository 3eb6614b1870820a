import { uuidOf } from '../ids/index.js';
import type { XmlFormat } from './format.js';
import { trimSpace } from './white-space.js';
import { SCHEMA_INSTANCE_NAMESPACE, type XmlElement } from './xml-element.js';

/** An element as plain lists: namespace, name, attributes, text or the hash of its content, children. */
type Canonical = [uri: string, local: string, attributes: string[][], text: string, children: Canonical[]];

type Sha256Of = (token: string) => string | undefined;

/**
 * The same text for equal messages: every element and attribute with its text, each content as its SHA-256. Prefixes,
 * comments, CDATA, white space around text, line breaks in base64, schema hints and the form of UUIDs make no
 * difference. Everything else does, including what the model leaves out.
 *
 * @param sha256Of the hash of the content with this token
 */
export function canonicalText(format: XmlFormat, root: XmlElement, sha256Of: Sha256Of): string {
  return JSON.stringify(canonical(format, root, undefined, sha256Of));
}

function canonical(
  format: XmlFormat,
  element: XmlElement,
  parent: XmlElement | undefined,
  sha256Of: Sha256Of,
): Canonical {
  const { uri, local, attributes, children } = element;
  return [
    uri,
    local,
    attributes
      .filter((attribute) => attribute.uri !== SCHEMA_INSTANCE_NAMESPACE)
      .map((attribute) => [attribute.uri, attribute.local, trimSpace(attribute.value)])
      .sort((a, b) => (a.join(' ') < b.join(' ') ? -1 : 1)),
    textOf(format, element, parent, sha256Of),
    children.map((child) => canonical(format, child, element, sha256Of)),
  ];
}

function textOf(format: XmlFormat, element: XmlElement, parent: XmlElement | undefined, sha256Of: Sha256Of): string {
  const text = trimSpace(element.text);
  if (format.isContent(element, parent)) return sha256Of(text) ?? text;
  return format.isUuid(element) ? (uuidOf(text) ?? text.toLowerCase()) : text;
}
