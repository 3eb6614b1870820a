import { findElement, type XmlElement, type XmlFormat } from '../xml/index.js';
import { isContent, isFile, isMessage, MEMO_NAMESPACE } from './namespaces.js';

/** MeMo, as far as taking the files out of it is concerned. */
export const MEMO: XmlFormat = {
  isMessage,
  isFile,
  isContent: (element, parent) => isContent(element) && isFile(parent),
  contentWord: 'content',
  // MeMo 1.2, Uuid: either case
  isUuid: ({ uri, local }) => uri === MEMO_NAMESPACE && local === 'messageUUID',
  refusal: 'not-memo',
};

/** The first MeMo Message of a tree: the root itself, or inside a SOAP envelope. */
export const findMessage = (root: XmlElement): XmlElement | undefined => findElement(root, isMessage);
