import type { Status } from '@indbakke/shared/lifecycle';
import { Prisma } from '@indbakke/shared/store';
import type { Position } from './cursor.js';

const { sql } = Prisma;

/** The times that a list can be sorted by, of `messages AS m` or of rows with the same columns. */
const TIMES = {
  receivedAt: (row: Prisma.Sql) => sql`${row}.received_at`,
  letterAt: (row: Prisma.Sql) => sql`${row}.letter_at`,
  replyBy: (row: Prisma.Sql) => sql`${row}.reply_by`,
  /** The earliest clock that is not met. */
  concernDue: (row: Prisma.Sql) => sql`least(
    CASE WHEN ${row}.concern_assessed_at IS NULL THEN ${row}.concern_assess_by END,
    CASE WHEN ${row}.concern_confirmed_at IS NULL THEN ${row}.concern_confirm_by END)`,
} as const;
export type Time = keyof typeof TIMES;

const M = sql`m`;
export const CONCERN_DUE = TIMES.concernDue(M);
/** A clock is not met. */
export const CONCERN_OPEN = sql`(
  m.concern_marked_at IS NOT NULL AND (m.concern_assessed_at IS NULL OR m.concern_confirmed_at IS NULL))`;

/** It is rejected, and nobody has told what became of it. */
export const OUTCOME_OPEN = sql`(m.status = 'rejected' AND m.outcome_at IS NULL)`;

/** Which messages have the time, where not all have. */
export const HAVING: Readonly<Partial<Record<Time, Prisma.Sql>>> = {
  replyBy: sql`m.reply_by IS NOT NULL`,
  concernDue: CONCERN_OPEN,
};

export interface Order {
  readonly time: Time;
  readonly isDescending: boolean;
}

/** Times of receipt. */
export interface Range {
  readonly from?: Date;
  readonly before?: Date;
}

/** What is read of one status: at most so many messages, in this order, beyond a position. */
export interface Step {
  readonly municipality: string;
  readonly status: Status;
  readonly order: Order;
  readonly from: Position | undefined;
  readonly most: number;
  readonly received: Range;
  /** Conditions on `messages AS m` that nearly every message meets. */
  readonly conditions: readonly Prisma.Sql[];
}

/**
 * Makes the statement that selects the columns of messages, with the time of the order as `at` and the id as `tie`, from an index
 * in this order.
 */
export type Walk = (step: Step) => Prisma.Sql;

export const directionOf = ({ isDescending }: Order) => (isDescending ? sql`DESC` : sql`ASC`);

/** Messages that meet these conditions. */
export function walkWhere(...conditions: Prisma.Sql[]): Walk {
  return (step) => read(step, { from: sql`messages m`, row: M, id: sql`m.id`, conditions });
}

/** Messages that rows `r` name. @param isInOrder whether they have municipality, status and times, in an index */
export function walkRows(rows: Prisma.Sql, condition: Prisma.Sql, isInOrder: boolean): Walk {
  const from = sql`${rows} CROSS JOIN LATERAL (SELECT * FROM messages WHERE id = r.message_id LIMIT 1) AS m`;
  const row = isInOrder ? { row: sql`r`, id: sql`r.message_id` } : { row: M, id: sql`m.id` };
  return (step) => read(step, { from, ...row, conditions: [condition] });
}

/** Messages that meet the condition with one of the keys `k`, in one order: first come the keys whose first messages do. */
export function walkEach(keys: Prisma.Sql, condition: Prisma.Sql): Walk {
  return (step) => {
    const ofKey = walkWhere(condition);
    const direction = directionOf(step.order);
    return sql`
      SELECT found.* FROM (
        SELECT k.* FROM (${keys}) AS k CROSS JOIN LATERAL (${ofKey({ ...step, most: 1 })}) AS first
        ORDER BY first.at ${direction}, first.tie ${direction} LIMIT ${step.most}::int
      ) AS k CROSS JOIN LATERAL (${ofKey(step)}) AS found
      ORDER BY found.at ${direction}, found.tie ${direction} LIMIT ${step.most}::int`;
  };
}

interface Source {
  readonly from: Prisma.Sql;
  /** What has municipality, status and time. */
  readonly row: Prisma.Sql;
  readonly id: Prisma.Sql;
  readonly conditions: readonly Prisma.Sql[];
}

function read(step: Step, source: Source): Prisma.Sql {
  const { municipality, status, order, from, most, conditions } = step;
  const { row, id } = source;
  const time = TIMES[order.time](row);
  const direction = directionOf(order);
  const beyond = order.isDescending ? sql`<` : sql`>`;
  const all = [
    sql`${row}.municipality = ${municipality}`,
    sql`${row}.status = ${status}`,
    ...source.conditions,
    ...rangeOf(step, row),
    ...(from ? [sql`(${time}, ${id}) ${beyond} (${from.time}::timestamptz, ${from.id}::uuid)`] : []),
    ...conditions,
  ];
  return sql`
    SELECT m.*, ${time} AS at, ${id} AS tie FROM ${source.from} WHERE ${Prisma.join(all, ' AND ')}
    ORDER BY ${time} ${direction}, ${id} ${direction} LIMIT ${most}::int`;
}

function rangeOf({ order, received: { from, before } }: Step, row: Prisma.Sql): Prisma.Sql[] {
  // A message's own date is not after its receipt.
  const isBound = order.time === 'receivedAt' || order.time === 'letterAt';
  return [
    ...(before && isBound ? [sql`${TIMES[order.time](row)} < ${before}::timestamptz`] : []),
    ...(from && order.time === 'receivedAt' ? [sql`${row}.received_at >= ${from}::timestamptz`] : []),
  ];
}

/** What of a range the walks in this order do not keep to, as conditions on `messages AS m`. */
export function restOfRange({ time }: Order, { from, before }: Range): Prisma.Sql[] {
  if (time === 'receivedAt') return [];
  return [
    ...(from ? [sql`m.received_at >= ${from}::timestamptz`] : []),
    ...(before ? [sql`m.received_at < ${before}::timestamptz`] : []),
  ];
}
