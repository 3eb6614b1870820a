import { actsFor, asSystem, visibleTo } from '@indbakke/shared/access';
import type { ChangeAnswer, HandoverBody, HandoverRefusalBody } from '@indbakke/shared/api';
import { INDBAKKE, insertAudit } from '@indbakke/shared/audit';
import { DAY } from '@indbakke/shared/config';
import { Problem } from '@indbakke/shared/errors';
import { type ChangeEffects, changeMessage, namesNoClosedCase } from '@indbakke/shared/inbox';
import { type Change, type ChangeRequest, type HandoverStatus, writeChange } from '@indbakke/shared/lifecycle';
import type { Parts } from '@indbakke/shared/service';
import { asMunicipality, type Connection, newId, Prisma, run } from '@indbakke/shared/store';

const { sql } = Prisma;

// An offer is changed with the row of its message locked, and after it: so whoever comes second sees what the first one did.

/** Offers a message to the municipality that its case has moved to. */
export function offerHandover(
  { store }: Pick<Parts, 'store'>,
  request: ChangeRequest,
  { caseId: given, days }: HandoverBody,
): Promise<ChangeAnswer> {
  const { principal, id, at } = request;
  return changeMessage(store, request, 'handover-offered', async (connection): Promise<ChangeEffects> => {
    const target = await findTarget(connection, request);
    const handoverId = newId();
    const caseId = given ?? target?.caseId ?? '';
    const to = target?.to ?? '';
    return {
      details: { to, caseId, days },
      ownDetails: { handoverId },
      isPossible: {
        condition: sql`${movedTo(to)} AND NOT EXISTS (SELECT FROM handovers WHERE message_id = m.id AND status = 'open')`,
        otherwise: () =>
          notPossible(
            target?.channel === 'sf2900'
              ? 'It came through Fordelingskomponenten, and its sender would hear that it was rejected. Reject it: then its sender can send it to the other municipality.'
              : 'It is a pending reply of a case that has moved, which is not offered yet, or it cannot be.',
          ),
      },
      async write() {
        await requireSameKind(connection, principal.municipality, to);
        await run(
          connection,
          sql`
            INSERT INTO handovers (id, from_municipality, to_municipality, message_id, case_id, kind, received_at, letter_at, reply_by,
              is_concern, file_count, attachment_count, content_size, offered_at, offered_by, expires_at)
            SELECT ${handoverId}::uuid, m.municipality, ${to}, m.id, ${caseId}, m.kind, m.received_at, m.letter_at, m.reply_by,
              m.concern_marked_at IS NOT NULL, m.file_count, m.attachment_count, m.content_size, ${at}::timestamptz, ${principal.actor.id},
              ${new Date(at.getTime() + days * DAY)}::timestamptz
            FROM messages m WHERE m.id = ${id}::uuid`,
        );
        const details = { handoverId, from: principal.municipality, offeredBy: principal.actor.id };
        await recordAtOther(connection, to, at, 'handover-received', details);
      },
    };
  });
}

/** Withdraws the open offer of a message. */
export function withdrawHandover({ store }: Pick<Parts, 'store'>, request: ChangeRequest): Promise<ChangeAnswer> {
  const { principal, id, at } = request;
  return changeMessage(store, request, 'handover-withdrawn', {
    isPossible: {
      condition: sql`EXISTS (SELECT FROM handovers WHERE message_id = m.id AND status = 'open')`,
      otherwise: () => ended('The message is not offered.'),
    },
    async write(connection) {
      const offer = await endOffer(connection, sql`message_id = ${id}::uuid`, {
        status: 'withdrawn',
        at,
        by: principal.actor.id,
      });
      const details = { handoverId: offer.id, from: principal.municipality, how: 'withdrawn' };
      await recordAtOther(connection, offer.to, at, 'handover-lapsed', details);
    },
  });
}

/**
 * Refuses an offer that the caller sees. The same refusal again changes nothing.
 *
 * @throws Problem not-found, handover-ended
 */
export function refuseHandover(
  { store }: Pick<Parts, 'store'>,
  principal: Principal,
  handoverId: string,
  { reason }: HandoverRefusalBody,
  at: Date,
): Promise<void> {
  const { municipality, actor } = principal;
  return store.withTenantConnection(municipality, async (connection) => {
    const offer = await readOffer(connection, principal, handoverId);
    if (offer.status === 'refused' && offer.endedBy === actor.id && offer.refusalReason === reason) return;
    await asMunicipality(connection, offer.from, async () => {
      const details = { handoverId, to: municipality, reason, refusedBy: actor.id };
      await changeOffered(connection, offer, at, 'handover-refused', details);
      await endOffer(connection, isOpen(handoverId, at), { status: 'refused', at, by: actor.id, reason });
    });
    await run(
      connection,
      insertAudit({
        by: principal,
        at,
        action: 'offer-refused',
        details: { handoverId, from: offer.from, reason },
      }),
    );
  });
}

type Principal = ChangeRequest['principal'];

/** An offer, as the taking side knows it. */
export interface Offer {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly messageId: string;
  /** Of the taking side. */
  readonly caseId: string;
  readonly status: HandoverStatus;
  readonly takenMessageId: string | null;
  readonly offeredAt: Date;
  readonly offeredBy: string;
  readonly expiresAt: Date;
  readonly endedBy: string | null;
  readonly refusalReason: string | null;
}

const OFFER = sql`
  h.id, h.from_municipality AS "from", h.to_municipality AS "to", h.message_id AS "messageId", h.case_id AS "caseId", h.status,
  h.taken_message_id AS "takenMessageId", h.offered_at AS "offeredAt", h.offered_by AS "offeredBy", h.expires_at AS "expiresAt",
  h.ended_by AS "endedBy", h.refusal_reason AS "refusalReason"`;

/** @throws Problem not-found when it is not offered to the caller’s municipality, or the caller may not see it */
export async function readOffer(connection: Connection, principal: Principal, id: string): Promise<Offer> {
  const [offer] = await run<Offer>(
    connection,
    sql`SELECT ${OFFER} FROM handovers h WHERE h.id = ${id}::uuid AND ${offeredTo(principal)}`,
  );
  if (!offer) throw new Problem('not-found', 'There is no such offer, or the caller may not see it.');
  return offer;
}

/**
 * Which offers to the municipality the caller sees, as a condition on `handovers AS h`: with SeAlle all, else those of the caller’s
 * cases. None of a case that is restricted to others; and none with data constraints, since the copy has no contact point that could
 * meet them.
 */
export function offeredTo(principal: Principal): Prisma.Sql {
  const { municipality, roles, limits = {} } = principal;
  if (!roles.has('IndkomneDokumenter.Læs') || limits['IndkomneDokumenter.Læs']) return sql`false`;
  const isOwn = sql`EXISTS (SELECT FROM cases c WHERE c.municipality = ${municipality} AND c.case_id = h.case_id
    AND c.caseworker = ANY (${actsFor(principal)}))`;
  return sql`(h.to_municipality = ${municipality} AND ${namesNoClosedCase(principal)}
    AND ${roles.has('IndkomneDokumenter.SeAlle') && !limits['IndkomneDokumenter.SeAlle'] ? sql`true` : isOwn})`;
}

/** Which offers of the municipality the caller sees: those of messages that the caller sees, as the messages show them. */
export function offeredBy(principal: Principal): Prisma.Sql {
  const { municipality } = principal;
  return sql`(h.from_municipality = ${municipality} AND ${namesNoClosedCase(principal)}
    AND EXISTS (SELECT FROM messages m WHERE m.id = h.message_id AND ${visibleTo(principal)}))`;
}

/** Whether an offer can still be taken or refused. */
export const isOpen = (id: string, at: Date) =>
  sql`id = ${id}::uuid AND status = 'open' AND expires_at > ${at}::timestamptz`;

/**
 * Ends an open offer.
 *
 * @param which a condition on `handovers`
 * @throws Problem handover-ended when there is none
 */
export async function endOffer(
  connection: Connection,
  which: Prisma.Sql,
  end: {
    readonly status: Exclude<HandoverStatus, 'open'>;
    readonly at: Date;
    readonly by: string;
    readonly reason?: string;
    readonly takenMessageId?: string;
  },
): Promise<{ id: string; to: string }> {
  const [offer] = await run<{ id: string; to: string }>(
    connection,
    sql`
      UPDATE handovers SET status = ${end.status}, ended_at = ${end.at}::timestamptz, ended_by = ${end.by},
        refusal_reason = ${end.reason ?? null}, taken_message_id = ${end.takenMessageId ?? null}::uuid
      WHERE ${which} AND status = 'open' RETURNING id, to_municipality AS "to"`,
  );
  if (!offer) throw ended('Somebody else was first, or it has expired.');
  return offer;
}

/** Changes the offered message, for Indbakke. @throws Problem handover-ended when it is handled already */
export async function changeOffered(
  connection: Connection,
  { from, messageId }: Pick<Offer, 'from' | 'messageId'>,
  at: Date,
  change: Change,
  details: Readonly<Record<string, string | boolean>>,
  more: { readonly set?: Prisma.Sql; readonly condition?: Prisma.Sql } = {},
): Promise<void> {
  const principal = asSystem(from, INDBAKKE);
  const { set, condition = sql`true` } = more;
  try {
    await writeChange(
      connection,
      { principal, id: messageId, expectedVersion: undefined, at },
      change,
      { ...(set && { set }), details },
      { isPossible: { condition, otherwise: () => ended('Its case is not ours any more.') } },
    );
  } catch (error) {
    const isHandled = error instanceof Problem && (error.code === 'wrong-status' || error.code === 'not-found');
    throw isHandled ? ended('The message was handled where it is.') : error;
  }
}

export function ended(detail: string): Problem {
  return new Problem('handover-ended', detail);
}

export function notPossible(detail: string): Problem {
  return new Problem('handover-not-possible', detail);
}

/**
 * Whether the message may go to this municipality, to which the case that it is suggested for has moved, as a condition on
 * `messages AS m`.
 */
export function movedTo(to: string): Prisma.Sql {
  return sql`(m.kind = 'reply' AND m.channel <> 'sf2900' AND EXISTS (SELECT FROM cases c WHERE c.municipality = m.municipality AND c.case_id = m.suggested_case_id
    AND c.status = 'moved' AND c.moved_to = ${to} AND c.moved_to <> m.municipality))`;
}

interface Target {
  readonly to: string;
  readonly caseId: string;
  readonly channel: string;
}

async function findTarget(connection: Connection, { id, principal }: ChangeRequest): Promise<Target | undefined> {
  const [target] = await run<Target>(
    connection,
    sql`
      SELECT c.moved_to AS "to", c.case_id AS "caseId", m.channel FROM messages m
      JOIN cases c ON c.municipality = m.municipality AND c.case_id = m.suggested_case_id
      WHERE m.id = ${id}::uuid AND ${visibleTo(principal)} AND c.moved_to IS NOT NULL`,
  );
  return target;
}

/** What a municipality is, for those who hand over to it. */
interface Municipality {
  readonly name: string;
  readonly isTraining: boolean;
  readonly isLive: boolean;
}

/**
 * That both are here, and either both to practise in or both real.
 *
 * @returns what the other one is
 * @throws Problem handover-not-possible
 */
export async function requireSameKind(connection: Connection, from: string, to: string): Promise<Municipality> {
  const read = async (cvr: string) => {
    const [row] = await run<Municipality>(
      connection,
      sql`SELECT name, is_training AS "isTraining", is_live AS "isLive" FROM municipalities WHERE cvr = ${cvr}`,
    );
    return row;
  };
  const [own, other] = [
    await asMunicipality(connection, from, () => read(from)),
    await asMunicipality(connection, to, () => read(to)),
  ];
  if (!own || !other) throw notPossible('The municipality that the case has moved to is not here.');
  if (own.isTraining !== other.isTraining)
    throw notPossible('Made-up mail and real mail are never mixed: one of the two municipalities is for training.');
  if (!other.isLive) throw notPossible('The other municipality does not take mail to its inbox here yet.');
  return other;
}

/** Records it in the audit log of the other side: by Indbakke, since a user of one municipality is nobody in the other. */
export function recordAtOther(
  connection: Connection,
  municipality: string,
  at: Date,
  action: 'handover-received' | 'handover-lapsed',
  details: Readonly<Record<string, string | boolean>>,
): Promise<unknown> {
  const by = { municipality, actor: INDBAKKE };
  return asMunicipality(connection, municipality, () => run(connection, insertAudit({ by, at, action, details })));
}
