/**
 * Reads MeMo, the message format of Digital Post: `readXml` extracts the files from a stream of XML and parses the rest,
 * `readMemo` turns that into a typed message with remarks.
 */
export { canonicalText } from './canonical.js';
export { type Memo, type MemoFile, readMemo } from './model.js';
export { MEMO_NAMESPACE } from './namespaces.js';
export { newestFirst } from './newest-first.js';
export { readHeader } from './read-header.js';
export { type FileSink, readXml, type XmlDocument, type XmlLimits } from './read-xml.js';
export { escapeAttribute } from './references.js';
export { REMARKS, type Remark, type RemarkCode } from './remarks.js';
export { instantOf, isMemoUuid } from './simple-types.js';
export type { FileContent, FileFacts } from './table.js';
export { type Spill, Trail } from './trail.js';
export { findMessage, type XmlAttribute, type XmlElement } from './xml-element.js';
