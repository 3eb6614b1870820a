import type { SealedContainer, SealedFile, Sealer } from '@indbakke/shared/content';
import type { Channel, Kind, SuggestionBasis } from '@indbakke/shared/lifecycle';

/** What a channel has read, in terms of no format: all that intake knows of a message. Its files are sealed already. */
export interface IncomingMessage {
  /** CVR number of the addressee; only the database knows whether that is a municipality of ours. */
  readonly municipality: string;
  readonly externalId: ExternalId;
  /** A keyed hash, equal for two messages that nothing tells apart, whatever endpoint they came by. */
  readonly fingerprint: Buffer;
  readonly kind: Kind;
  readonly subject: string;
  readonly sender: { readonly id: string; readonly idType: string; readonly name: string };
  /** The citizen that the message is about, who need not be the sender. */
  readonly concerning: { readonly id: string | undefined; readonly name: string | undefined };
  /** In lower case. */
  readonly contactPointId: string | undefined;
  /** What the sender filled in for the contact point. */
  readonly contactInfo: readonly { readonly label: string; readonly value: string }[];
  /** The message’s own date, if it has one. */
  readonly letterAt: Date | undefined;
  /** Strongest first. */
  readonly references: readonly Reference[];
  readonly documents: readonly IncomingDocument[];
  readonly remarks: readonly Remark[];
  /** The document that was delivered, without the contents of its files. */
  readonly original: { readonly format: 'memo'; readonly bytes: Buffer };
  /** Where the original has what only intake can judge: for refusals and remarks. */
  readonly paths: { readonly municipality: string; readonly contactPointId: string };
}

export interface ExternalId {
  /** What the message is known by in its channel. */
  readonly value: string;
  /** Whether it is a UUID, so that no other message has it by chance. */
  readonly isUuid: boolean;
}

export interface Reference {
  readonly kind: SuggestionBasis;
  readonly value: string;
}

export interface IncomingDocument {
  readonly role: 'main' | 'additional' | 'technical';
  /** The sender’s own id of the document. */
  readonly documentId: string | undefined;
  readonly label: string | undefined;
  /** The same document in several formats. */
  readonly files: readonly IncomingFile[];
}

export interface IncomingFile {
  readonly fileName: string;
  /** The MIME type that the sender claims. */
  readonly encodingFormat: string;
  readonly language: string;
  /** `missing`: the file is named only. `expected`: its content comes later, by another way. */
  readonly content: SealedFile | 'missing' | 'expected';
}

/** A lesser fault of a message that is kept all the same: a code and a place in the original, never a value. */
export interface Remark {
  readonly code: string;
  readonly path: string;
}

/**
 * Reads the message of one delivery, and seals its files as they come.
 *
 * @throws Problem, a refusal
 */
export type ReadMessage = (sealer: Pick<Sealer, 'openFile'>) => Promise<IncomingMessage>;

/** A message that has been read and sealed, ready for its rows. */
export interface NewMessage extends IncomingMessage {
  readonly id: string;
  readonly channel: Channel;
  readonly receivedAt: Date;
  readonly letterAt: Date;
  readonly transmissionId: string;
  readonly container: SealedContainer | undefined;
}
