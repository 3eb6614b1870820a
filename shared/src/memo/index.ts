/**
 * Reads MeMo, the message format of Digital Post: `readXml` takes the files out of a stream of XML and makes a tree
 * of the rest, `readMemo` makes a typed message of that, with remarks on its faults.
 */
export { canonicalText } from './canonical.js';
export { type FileFacts, type Memo, type MemoFile, readMemo } from './model.js';
export { MEMO_NAMESPACE } from './namespaces.js';
export { type FileSink, readXml, type XmlDocument, type XmlLimits } from './read-xml.js';
export { REMARKS, type Remark, type RemarkCode } from './remarks.js';
export { instantOf } from './simple-types.js';
export type { FileContent } from './table.js';
export { findMessage, type XmlAttribute, type XmlElement } from './xml-element.js';
