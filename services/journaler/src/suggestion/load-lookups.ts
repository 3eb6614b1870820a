import type { PartyRelation } from '@indbakke/shared/lifecycle';
import type { Connection } from '@indbakke/shared/store';
import type { Lookup, Reference, SentMessage } from './suggest-case.js';

interface Row {
  /** Null in a row of a case that is referred to directly. */
  readonly message_uuid: string | null;
  readonly message_id: string | null;
  readonly recipient_digest: Buffer | null;
  readonly case_id: string;
  readonly party_digests: readonly Buffer[];
  /** Of the parties in the same places; shorter for a case from before relations were told. */
  readonly party_relations: readonly (PartyRelation | null)[];
}

/**
 * Reads what the core has registered of these references, of any number of messages, in one statement.
 *
 * @returns a function that gives the lookup of one message, for the keyed hash of its sender’s CPR or CVR number
 */
export async function loadLookups(
  connection: Connection,
  municipality: string,
  references: readonly Reference[],
): Promise<(senderDigest: Buffer) => Lookup> {
  const named = (kind: Reference['kind']) => [
    ...new Set(references.filter((reference) => reference.kind === kind).map(({ value }) => value)),
  ];
  const { rows } = await connection.query<Row>({
    name: 'load-lookups',
    text: `
      SELECT s.message_uuid, s.message_id, s.recipient_digest, c.case_id, c.party_digests, c.party_relations
      FROM sent_messages s JOIN cases c ON c.municipality = s.municipality AND c.case_id = s.case_id
      WHERE s.municipality = $4 AND (s.message_uuid = ANY ($1::text[]) OR s.message_id = ANY ($2::text[]))
      UNION ALL
      SELECT NULL, NULL, NULL, case_id, party_digests, party_relations FROM cases WHERE municipality = $4 AND case_id = ANY ($3::text[])`,
    values: [named('message-uuid'), named('message-id'), [...named('case-id'), ...named('sag-forslag')], municipality],
  });
  const sent = rows.filter(({ message_uuid }) => message_uuid !== null);
  const sentByUuid = new Map(sent.map((row) => [row.message_uuid, row]));
  const sentById = new Map<string | null, Row[]>();
  for (const row of sent) {
    const sameId = sentById.get(row.message_id);
    if (sameId) sameId.push(row);
    else sentById.set(row.message_id, [row]);
  }
  const cases = new Map(rows.map((row) => [row.case_id, row]));

  return (senderDigest) => {
    const isSender = (digest: Buffer) => senderDigest.equals(digest);
    const toSentMessage = ({ case_id, recipient_digest }: Row): SentMessage => ({
      caseId: case_id,
      senderIsRecipient: recipient_digest === null ? undefined : isSender(recipient_digest),
    });
    return {
      sentByUuid: (uuid) => {
        const row = sentByUuid.get(uuid);
        return row && toSentMessage(row);
      },
      sentById: (id) => (sentById.get(id) ?? []).map(toSentMessage),
      knowsCase: (caseId) => cases.has(caseId),
      senderIsParty: (caseId) => cases.get(caseId)?.party_digests.some(isSender) ?? false,
      senderRelation: (caseId) => {
        const { party_digests: digests = [], party_relations: relations = [] } = cases.get(caseId) ?? {};
        return relations.find((relation, at) => relation !== null && isSender(digests[at] as Buffer)) ?? null;
      },
    };
  };
}
