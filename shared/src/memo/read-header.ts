import { treeOf, type XmlElement } from '../xml/index.js';
import { findMessage, MEMO } from './format.js';
import { type Memo, readMemo } from './model.js';

/**
 * The header of a stored message.
 *
 * @param original the MeMo as it is kept, with a token in place of each content
 * @throws Problem as readXml and readMemo do: not for one that was taken in
 */
export function readHeader(original: Buffer): Memo['header'] {
  const message = findMessage(treeOf(MEMO, original)) as XmlElement;
  const withoutBody = message.children.filter(({ local }) => local !== 'MessageBody');
  return readMemo({ ...message, children: withoutBody }, [], () => '').memo.header;
}
