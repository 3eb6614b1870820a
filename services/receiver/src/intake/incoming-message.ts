import type { SealedContainer, SealedFile, Sealer } from '@indbakke/shared/content';
import type {
  Channel,
  DistributionContext,
  Exemption,
  Kind,
  ObjectType,
  Party,
  SuggestionBasis,
} from '@indbakke/shared/lifecycle';

/** A message as read from a delivery, independent of its format. Its files are sealed already. */
export interface IncomingMessage {
  /** CVR number of the addressee; whether it is a known municipality is checked later. */
  readonly municipality: string;
  readonly externalId: ExternalId;
  /** A keyed hash, equal for identical messages, whatever the endpoint. */
  readonly fingerprint: Buffer;
  readonly kind: Kind;
  readonly subject: string;
  readonly sender: { readonly id: string; readonly idType: string; readonly name: string };
  /** Who acts on behalf of the sender. */
  readonly representative: Readonly<Record<'id' | 'idType' | 'name', string | undefined>> | undefined;
  /** The citizen whom the message is about, not necessarily the sender. */
  readonly concerning: Concerning;
  /** Whether the message itself names that citizen by number; otherwise it is read from what the sender filled in. */
  readonly concerningIsGiven: boolean;
  /** In its normal form. */
  readonly contactPointId: string | undefined;
  /** What the sender filled in for the contact point; of a document of another system, what that says of it. */
  readonly contactInfo: readonly { readonly label: string; readonly value: string }[];
  /** More that it is to be found by. */
  readonly infoWords?: readonly string[];
  /** The message’s own date, if it has one. */
  readonly letterAt: Date | undefined;
  /** When the sender wants an answer by. */
  readonly replyBy: Date | undefined;
  /** Strongest first. */
  readonly references: readonly Reference[];
  readonly documents: readonly IncomingDocument[];
  readonly remarks: readonly Remark[];
  /** The document that was delivered, without the contents of its files. */
  readonly original: { readonly format: 'memo' | 'sf2900'; readonly bytes: Buffer };
  /** Of a document that another system has distributed. */
  readonly distribution?: IncomingDistribution | undefined;
  /** Paths in the original, for refusals and remarks that only intake can make. */
  readonly paths: Readonly<Record<'municipality' | 'letterAt' | 'replyBy', string>>;
}

/** How a document came through Fordelingskomponenten, and what only such a document says. */
export interface IncomingDistribution {
  readonly objectType: ObjectType;
  readonly objectId: string;
  readonly context: DistributionContext;
  /** What it is about: 27.24.00.G01. */
  readonly kle: string | undefined;
  readonly parties: readonly Party[];
  readonly exemption: Exemption | undefined;
}

/** A CPR number in its normal form, or what was written for it; a name without one is possible. */
export interface Concerning {
  readonly id: string | undefined;
  readonly name: string | undefined;
}

export interface ExternalId {
  readonly value: string;
  /** A UUID is, or several together; anything else need not be. */
  readonly isUnique: boolean;
  /** As what a UUID in another form, such as `{…}`, was stored before ids had a normal form. */
  readonly formerValue?: string;
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
  /** The MIME type that its first bytes show; null when they show none. */
  readonly detectedFormat: string | null;
  readonly language: string;
  /** `missing`: named without content. `expected`: its content is delivered separately, later. */
  readonly content: SealedFile | 'missing' | 'expected';
}

/** A minor fault of a kept message: a code and a path in the original, never a value. */
export interface Remark {
  readonly code: string;
  readonly path: string;
}

/**
 * Reads the message of one delivery and seals its files on the fly.
 *
 * @param onId hears the id as soon as it is read: the message may still be refused
 * @throws Problem, a refusal
 */
export type ReadMessage = (
  sealer: Pick<Sealer, 'openFile'>,
  onId: (externalId: ExternalId) => void,
) => Promise<IncomingMessage>;

/** A message that has been read and sealed, ready for its rows. */
export interface NewMessage extends IncomingMessage {
  readonly id: string;
  readonly channel: Channel;
  /** When its upload began, on the clock of `performance.now()`. */
  readonly offeredAt: number;
  /** The address that it was delivered from. */
  readonly origin: string | undefined;
  /** What its delivery is known by (currentTrace), for what it leads to. */
  readonly trace: string | undefined;
  readonly transmissionId: string;
  readonly container: SealedContainer | undefined;
}
