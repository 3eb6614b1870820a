import { isOpenTo, type Principal } from '@indbakke/shared/access';
import { numberOf } from '@indbakke/shared/ids';
import { hasFile, SENT_AT, WHOLE } from '@indbakke/shared/inbox';
import { digestOfParty } from '@indbakke/shared/keys';
import type { Parts } from '@indbakke/shared/service';
import { Prisma } from '@indbakke/shared/store';
import { type MessageToZip, TO_ZIP } from '../zip/message-to-zip.js';

const { sql } = Prisma;

/** Why a message is about a citizen now. */
export type Reason = 'sender' | 'concerning' | 'party' | 'suggested' | 'journalized';

/** A message of a citizen, without what it holds. */
export interface Letter {
  readonly id: string;
  /** Deleted, or journalized and its content removed: only its dates are left. */
  readonly isGone: boolean;
  /** Its deletion delay runs: it is told of, but nothing of it is packed. */
  readonly isScheduled: boolean;
  /** A file of it is not scanned for malware yet. */
  readonly isHeld: boolean;
  /** Bytes of its content. */
  readonly size: number;
  /** None of a deleted one, or of one whose content is removed unless by its case: only that it was about the citizen is known of it. */
  readonly reasons: readonly Reason[];
}

/** A message with what the package says of it. */
export interface LetterToPack extends MessageToZip {
  readonly sentAt: Date | null;
}

type LetterParts = Pick<Parts, 'store' | 'keys' | 'scanning'>;

/**
 * The messages that a citizen gets, in order of receipt, of every status: those from or about the citizen, those with the citizen as a
 * party of the document, and those suggested
 * for or journalized on a case with the citizen as a party, as it is now. What the audit log’s subjects say is not enough: a
 * message that was suggested for the wrong case stays among them.
 *
 * Those of a case that is restricted to others than who has the package made are `closed`: nothing tells of them.
 *
 * @param actor who has it made
 * @param citizen a CPR or CVR number
 */
export async function findLetters(
  { store, keys, scanning }: LetterParts,
  { municipality, actor }: Pick<Principal, 'municipality' | 'actor'>,
  citizen: string,
): Promise<{ letters: Letter[]; closed: ReadonlySet<string> }> {
  const number = numberOf(citizen) as string;
  const digest = digestOfParty(keys, number).toString('hex');
  const isParty = (role: 'sender' | 'concerning') =>
    sql`EXISTS (SELECT FROM message_parties WHERE message_id = m.id AND role = ${role} AND number = ${number})`;
  const isPartyOfDocument = sql`EXISTS (
    SELECT FROM message_details WHERE message_id = m.id AND parties @> jsonb_build_array(jsonb_build_object('id', ${number}::text)))`;
  const hasParty = (caseId: Prisma.Sql) => sql`
    EXISTS (SELECT FROM cases WHERE municipality = m.municipality AND case_id = ${caseId} AND decode(${digest}, 'hex') = ANY (party_digests))`;
  const reason = (name: Reason, condition: Prisma.Sql) => sql`CASE WHEN ${condition} THEN ${name}::text END`;
  const reasons = [
    reason('sender', isParty('sender')),
    reason('concerning', isParty('concerning')),
    reason('party', isPartyOfDocument),
    reason('suggested', hasParty(sql`m.suggested_case_id`)),
    reason(
      'journalized',
      sql`EXISTS (SELECT FROM journalizations j WHERE j.message_id = m.id AND ${hasParty(sql`j.case_id`)})`,
    ),
  ];
  // The numbers too, since those of messages from before the subjects may not be hashed yet.
  const statement = sql`
    SELECT m.id, m.status = 'deleted' OR m.content_removed_at IS NOT NULL AS "isGone", m.deletion_due_at IS NOT NULL AS "isScheduled", m.content_size::float8 AS size,
      ${hasFile(scanning, WHOLE, 'held')} AS "isHeld", array_remove(ARRAY[${Prisma.join(reasons)}], NULL) AS reasons,
      ${isOpenTo({ municipality, actor })} AS "isOpen"
    FROM messages m WHERE m.municipality = ${municipality} AND m.id = ANY (ARRAY(
      SELECT message_id FROM message_subjects
      WHERE municipality = ${municipality} AND kind = 'citizen' AND key = ${digest}
      UNION SELECT message_id FROM message_parties WHERE municipality = ${municipality} AND number = ${number}))
    ORDER BY m.received_at, m.id`;
  const found = await store.query<Letter & { isOpen: boolean }>(municipality, statement, 'kept');
  return {
    letters: found.filter(({ isOpen, isGone, reasons }) => isOpen && (isGone || reasons.length > 0)),
    closed: new Set(found.filter(({ isOpen }) => !isOpen).map(({ id }) => id)),
  };
}

/** Reads one of them; a tombstone, when it has been deleted. */
export async function readLetter({ store }: LetterParts, municipality: string, id: string): Promise<LetterToPack> {
  const statement = sql`
    SELECT ${TO_ZIP.columns}, ${SENT_AT} FROM (
      SELECT * FROM messages WHERE municipality = ${municipality} AND id = ${id}::uuid) AS m ${TO_ZIP.tables}`;
  const [letter] = await store.query<LetterToPack>(municipality, statement, 'kept');
  if (!letter) throw new Error('A message of the package is not there.');
  return letter;
}
