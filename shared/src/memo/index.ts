/**
 * Reads MeMo, the message format of Digital Post: `split` takes the files out of a stream of XML, `parseSkeleton` makes a
 * tree of what is left, `readMemo` a typed message with remarks on its faults.
 */
export { canonicalText } from './canonical.js';
export { type FileFacts, type Memo, type MemoFile, readMemo } from './model.js';
export { MEMO_NAMESPACE } from './namespaces.js';
export { REMARKS, type Remark, type RemarkCode } from './remarks.js';
export { instantOf } from './simple-types.js';
export { findMessage, parseSkeleton, type XmlAttribute, type XmlElement } from './skeleton.js';
export { type FileSink, type SplitLimits, type SplitResult, split } from './split.js';
export type { FileContent } from './table.js';
