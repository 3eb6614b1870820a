import type { XmlElement } from './xml-element.js';

/**
 * Element paths in problems and remarks: `Message/MessageBody/MainDocument/File[2]/content`. The first of its name among
 * its siblings has no number, the second is `[2]`.
 */

// No name in MeMo or SOAP has a digit or is longer. Any other name is chosen by the sender and may contain anything, even a
// CPR number, so it is not repeated.
const HARMLESS_NAME = /^[A-Za-z][A-Za-z-]{0,39}$/;

/** Where an element is in the tree. Its path is built only for a problem or remark. */
export interface Place {
  readonly element: XmlElement;
  readonly parent?: Place;
}

/** The path, beginning at the outermost place. */
export function pathOf({ element, parent }: Place): string {
  const step = stepOf(element, parent?.element);
  return parent ? `${pathOf(parent)}/${step}` : step;
}

/** The last step of a path: the name, or `*` unless it is harmless, and its number. */
export function stepOf(element: XmlElement, parent: XmlElement | undefined): string {
  const name = shownName(element);
  let count = 1;
  for (const sibling of parent?.children ?? []) {
    if (sibling === element) break;
    if (shownName(sibling) === name) count += 1;
  }
  return count === 1 ? name : `${name}[${count}]`;
}

function shownName({ local }: XmlElement): string {
  return HARMLESS_NAME.test(local) ? local : '*';
}
