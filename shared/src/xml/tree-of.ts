import type { XmlFormat } from './format.js';
import { SkeletonBuffer } from './skeleton-buffer.js';
import type { XmlElement } from './xml-element.js';
import { XmlTree } from './xml-tree.js';

/**
 * The tree of a document that was taken in.
 *
 * @param original as it is kept, with a token in place of each content
 * @throws Problem as readXml does: not for one that was taken in
 */
export function treeOf(format: XmlFormat, original: Buffer): XmlElement {
  const skeleton = new SkeletonBuffer(original.length);
  skeleton.append(original, 0, original.length);
  const tree = new XmlTree(format, skeleton, {
    maxFiles: Number.POSITIVE_INFINITY,
    maxDepth: Number.POSITIVE_INFINITY,
  });
  return tree.finish();
}
