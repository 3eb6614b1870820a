import { type Memo, readMemo } from './model.js';
import { SkeletonBuffer } from './skeleton-buffer.js';
import { findMessage, type XmlElement } from './xml-element.js';
import { XmlTree } from './xml-tree.js';

/**
 * The header of a stored message.
 *
 * @param original the MeMo as it is kept, with a token in place of each content
 * @throws Problem as readXml and readMemo do: not for one that was taken in
 */
export function readHeader(original: Buffer): Memo['header'] {
  const skeleton = new SkeletonBuffer(original.length);
  skeleton.append(original, 0, original.length);
  const tree = new XmlTree(skeleton, { maxFiles: Number.POSITIVE_INFINITY, maxDepth: Number.POSITIVE_INFINITY });
  const message = findMessage(tree.finish()) as XmlElement;
  const withoutBody = message.children.filter(({ local }) => local !== 'MessageBody');
  return readMemo({ ...message, children: withoutBody }, [], () => '').memo.header;
}
