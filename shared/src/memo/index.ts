/** MeMo, the message format of Digital Post: `readMemo` turns the tree of a document into a typed message with remarks. */
export { findMessage, MEMO } from './format.js';
export { type Memo, type MemoFile, readMemo } from './model.js';
export { isMessage, MEMO_NAMESPACE } from './namespaces.js';
export { newestFirst } from './newest-first.js';
export { readHeader } from './read-header.js';
export { instantOf, isMemoUuid } from './simple-types.js';
export type { FileContent, FileFacts } from './table.js';
