import { trimSpace } from './white-space.js';

/** xsi:nil, xsi:type, xsi:schemaLocation: what XML Schema lets every element say. */
export const SCHEMA_INSTANCE_NAMESPACE = 'http://www.w3.org/2001/XMLSchema-instance';

export interface XmlElement {
  /** Namespace; '' for none. */
  readonly uri: string;
  readonly local: string;
  /** Without namespace declarations. */
  readonly attributes: readonly XmlAttribute[];
  readonly children: readonly XmlElement[];
  /**
   * All text and CDATA directly inside, without the children's; line breaks as one LF; '' when it is only white space.
   * For a content, the token of its file.
   */
  readonly text: string;
}

export interface XmlAttribute {
  readonly uri: string;
  readonly local: string;
  /** A tab or line break that is not written as a reference is a space (XML 1.0, §3.3.3). */
  readonly value: string;
}

/** Whether an element says that it has no value (XML Schema, xsi:nil), whatever it contains. */
export function isNil({ attributes }: XmlElement): boolean {
  const nil = attributes.find(({ uri, local }) => uri === SCHEMA_INSTANCE_NAMESPACE && local === 'nil');
  return nil !== undefined && ['true', '1'].includes(trimSpace(nil.value));
}

/** The first such element of a tree: the root itself, or a descendant of it. */
export function findElement(root: XmlElement, isIt: (element: XmlElement) => boolean): XmlElement | undefined {
  if (isIt(root)) return root;
  for (const child of root.children) {
    const found = findElement(child, isIt);
    if (found) return found;
  }
  return undefined;
}
