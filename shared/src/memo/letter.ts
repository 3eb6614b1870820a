import type { Memo, MemoFile } from './model.js';
import { instantOf } from './simple-types.js';

const DAY = 24 * 60 * 60 * 1000;
/** Digital Post began later; dates such as 0001-01-01 have been seen in the field. */
const EARLIEST = Date.UTC(2000, 0, 1);

/**
 * The letter's own date: MessageBody/createdDateTime when that is a date from 2000 on and at most a day after the letter was
 * received (clocks differ), else when it was received.
 */
export function plausibleLetterDate(memo: Memo, receivedAt: Date): Date {
  const created = instantOf(memo.body?.createdDateTime ?? '');
  if (!created) return receivedAt;
  const plausible = created.getTime() >= EARLIEST && created.getTime() <= receivedAt.getTime() + DAY;
  return plausible ? created : receivedAt;
}

export type DocumentRole = 'main' | 'additional' | 'technical';

export interface MemoDocument {
  readonly role: DocumentRole;
  /** The sender's own id of the document. */
  readonly documentID: string | undefined;
  readonly label: string | undefined;
  /** The same document in several formats. */
  readonly files: readonly MemoFile[];
}

/** All documents of a message in order: the main one, the additional ones, the technical ones. */
export function documentsOf(memo: Memo): MemoDocument[] {
  const { mainDocument, additionalDocuments = [], technicalDocuments = [] } = memo.body ?? {};
  return [
    ...(mainDocument ? [asDocument('main', mainDocument.mainDocumentID, mainDocument)] : []),
    ...additionalDocuments.map((document) => asDocument('additional', document.additionalDocumentID, document)),
    ...technicalDocuments.map((document) => asDocument('technical', document.technicalDocumentID, document)),
  ];
}

function asDocument(
  role: DocumentRole,
  documentID: string | undefined,
  { label, files }: { label?: string; files: readonly MemoFile[] },
): MemoDocument {
  return { role, documentID, label, files };
}

export interface ContactInfo {
  readonly label: string;
  readonly value: string;
}

/**
 * The pairs that the citizen filled in for the contact point, such as a child's CPR number: of the recipient's contact
 * point, then of the sender's (MeMo 1.2, ContactPoint/ContactInfo).
 */
export function contactInfoOf(memo: Memo): ContactInfo[] {
  const { recipient, sender } = memo.header;
  const pairs = [...(recipient?.contactPoint?.contactInfo ?? []), ...(sender?.contactPoint?.contactInfo ?? [])];
  return pairs.map(({ label = '', value = '' }) => ({ label, value }));
}
