/** What Fordelingskomponenten distributes (SF2900 2.4, ObjektType). */
export const OBJECT_TYPES = {
  DOKUMENT: 'A document, whose file follows by SFTP.',
  JOURNALPOST: 'An entry of a journal, with a note.',
  FORMULAR: 'A form, with its content.',
} as const;
export type ObjectType = keyof typeof OBJECT_TYPES;

/** How a document was addressed, as its receipts repeat it (SF2900 2.4, DistributionContext). UUIDs are in lower case. */
export interface DistributionContext {
  /** Of the sending system. */
  readonly transactionId: string;
  /** Of Fordelingskomponenten. */
  readonly distributionId: string | undefined;
  /** CVR number of the sending authority. */
  readonly sender: string;
  /** CVR number of the receiving authority. */
  readonly municipality: string;
  /** By what it was routed: a KLE number, perhaps with a facet, or a receiver. */
  readonly routing: { readonly kle: string; readonly facet: string | undefined } | { readonly actor: string };
}

/** Whom a document is about, or who has a copy (SF2900 2.4, DokumentPart). */
export interface Party {
  readonly role: PartyRole;
  readonly type: PartyType;
  /** A CPR or CVR number in its normal form, or another id as it was written; null: none was given. */
  readonly id: string | null;
  readonly name: string | null;
}

export const PARTY_ROLES = {
  primary: 'Whom the document is about first of all (PrimaerPart).',
  secondary: 'Whom it is about too (SekundaerPart).',
  copy: 'Who has a copy (KopiModtager).',
} as const;
export type PartyRole = keyof typeof PARTY_ROLES;

export const PARTY_TYPES = {
  person: 'A person.',
  organisation: 'A company, an organisation or a part of one.',
  other: 'Anything else.',
} as const;
export type PartyType = keyof typeof PARTY_TYPES;

/** A document that is exempt from access to documents (SF2900 2.4, OffentlighedUndtaget). */
export interface Exemption {
  /** What it is to be called where its title may not be seen. */
  readonly title: string;
  /** By which law. */
  readonly law: string;
}

/** The file of a document, on its way from the SFTP server of Fordelingskomponenten. */
export const FETCH_STATUSES = {
  waiting: 'It is expected, and asked for again and again.',
  stored: 'It is stored here, and is to be removed at the far end.',
  done: 'It is stored here, and gone at the far end.',
  'given-up': 'It did not come; an operator can ask for it again.',
} as const;
export type FetchStatus = keyof typeof FETCH_STATUSES;

/** What the sender of a document is told of what became of it (SF2900 2.4, ForretningsValideringsKode). */
export const RECEIPT_CODES = {
  ACCEPTERET: 'It was journalized.',
  AFVIST: 'It was rejected.',
  FEJLET: 'It could not be taken in: its file never came.',
} as const;
export type ReceiptCode = keyof typeof RECEIPT_CODES;

export const RECEIPT_STATUSES = {
  waiting: 'It is to be sent.',
  sending: 'It is being sent, or may have been.',
  sent: 'Fordelingskomponenten has taken it.',
  withdrawn: 'What it was to tell was undone before it was sent.',
  'in-doubt': 'It may have been sent, and is not sent again: what it was to tell is undone.',
} as const;
export type ReceiptStatus = keyof typeof RECEIPT_STATUSES;
