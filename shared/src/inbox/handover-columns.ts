import { casesClosedTo, type Principal } from '../access/index.js';
import type { HandoverOfMessage } from '../api/index.js';
import { Prisma } from '../store/index.js';

const { sql } = Prisma;

/** What both sides know of an offer, as JSON, as columns of `handovers AS h`. @param municipality the one that reads */
export const handoverFacts = (municipality: string) => sql`
  'handoverId', h.id, 'direction', CASE WHEN h.to_municipality = ${municipality} THEN 'in' ELSE 'out' END,
  'municipality', CASE WHEN h.to_municipality = ${municipality} THEN h.from_municipality ELSE h.to_municipality END,
  'status', h.status, 'caseId', h.case_id, 'offeredAt', h.offered_at, 'offeredBy', h.offered_by, 'expiresAt', h.expires_at,
  'endedAt', h.ended_at, 'endedBy', h.ended_by, 'refusalReason', h.refusal_reason, 'receivedAt', h.received_at`;

/** The newest offer of a message of `messages AS m`, else the one that it came by; null if there is none that the caller may know of. */
export const handoverOf = (principal: Principal) => sql`(
  SELECT json_build_object(${handoverFacts(principal.municipality)}) FROM handovers h
  WHERE (h.message_id = m.id OR h.taken_message_id = m.id) AND ${namesNoClosedCase(principal)}
  ORDER BY h.id DESC LIMIT 1) AS handover`;

/**
 * Whether an offer of `handovers AS h` names no case that is restricted to others. The case of its message may be another one by
 * now, by which that is seen.
 */
export function namesNoClosedCase(principal: Principal): Prisma.Sql {
  return sql`NOT h.case_id = ANY (${casesClosedTo(principal)})`;
}

const TIMES = ['offeredAt', 'expiresAt', 'endedAt', 'receivedAt'] as const;

/** PostgreSQL writes the offset of a time in JSON, and leaves trailing zeros out. */
export function shapeHandover<Facts extends HandoverOfMessage>(facts: Facts): Facts {
  const times = TIMES.map((name) => {
    const time = facts[name];
    return [name, time === null ? null : new Date(time).toISOString()] as const;
  });
  return { ...facts, ...Object.fromEntries(times) };
}
