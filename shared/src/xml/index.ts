/**
 * Reads XML as a stream: `readXml` takes the files out of it, whatever its format, and parses the rest.
 */
export { canonicalText } from './canonical.js';
export type { XmlFormat } from './format.js';
export { originalOf } from './original-of.js';
export { type Place, pathOf } from './paths.js';
export { type FileSink, readXml, type XmlDocument, type XmlLimits } from './read-xml.js';
export { escapeAttribute } from './references.js';
export { REMARKS, type Remark, type RemarkCode, RemarkList } from './remarks.js';
export { type Spill, Trail } from './trail.js';
export { treeOf } from './tree-of.js';
export { isBlank, trimSpace } from './white-space.js';
export { findElement, isNil, SCHEMA_INSTANCE_NAMESPACE, type XmlAttribute, type XmlElement } from './xml-element.js';
