import type { ErrorCode } from '../errors/index.js';

interface Named {
  readonly uri: string;
  readonly local: string;
}

/** What the reader must know of a format to take the files out of it. Elements are known by namespace and local name. */
export interface XmlFormat {
  /** The element that a message begins with: the root, or deeper in a SOAP envelope. */
  isMessage(element: Named): boolean;
  /** Whether it counts as a file (maxFiles), with content or without. */
  isFile(element: Named): boolean;
  /** Whether its text is the content of a file, as base64. */
  isContent(element: Named, parent: Named | undefined): boolean;
  /** A word that the names of all these have in them. */
  readonly contentWord: string;
  /** Whether its text is a UUID, which may be in either case. */
  isUuid(element: Named): boolean;
  /** The refusal of XML that is not of this format, or is over a limit that its messages are far from. */
  readonly refusal: ErrorCode;
}
