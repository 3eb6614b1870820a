import type { FiguresAnswer, FiguresQuery } from '@indbakke/shared/api';
import { MAX_FIGURES_DAYS } from '@indbakke/shared/api';
import { danishDayOf, plusDays } from '@indbakke/shared/danish-time';
import { Problem } from '@indbakke/shared/errors';
import { Prisma, type Store } from '@indbakke/shared/store';
import { IS_TRAINING } from '@indbakke/shared/training';

const { sql } = Prisma;

type Figures = FiguresAnswer['total'];
type Hours = Figures['hoursToFirstLook'];

/** Of what was received on a day at a contact point; 1 = of all days, or all contact points. */
interface Group {
  readonly day: string | null;
  readonly point: string | null;
  readonly allDays: 0 | 1;
  readonly allPoints: 0 | 1;
  readonly count: number;
}

interface Received extends Group {
  /** Seconds, half and nine tenths, `Infinity` when so many are not done; null of no messages. */
  readonly look: readonly (number | 'Infinity')[] | null;
  readonly handling: readonly (number | 'Infinity')[] | null;
}

interface Row {
  readonly received: readonly Received[];
  readonly handled: readonly Group[];
  /** Waiting when the first day began. */
  readonly waiting: readonly { readonly point: string | null; readonly count: number }[];
  readonly names: readonly { readonly id: string; readonly name: string }[];
  readonly isTraining: boolean;
}

/**
 * What was received, handled and waiting in the inbox of a municipality, by Danish day and contact point.
 *
 * @throws Problem bad-request when the days are too many, or none
 */
export async function readFigures(
  store: Store,
  municipality: string,
  query: FiguresQuery,
  at: Date,
): Promise<FiguresAnswer> {
  const { from, to } = periodOf(query, danishDayOf(at));
  const [row] = await store.reading((reader) =>
    reader.query<Row>(municipality, statementOf(municipality, from, to), 'fresh'),
  );
  const { received, handled, waiting, names, isTraining } = row as Row;
  const receivedBy = groupsByKey(received);
  const handledBy = groupsByKey(handled);
  const nameOf = new Map(names.map(({ id, name }) => [id, name]));
  const ofOnePoint = [...received, ...handled].filter(({ allPoints }) => allPoints === 0);
  const points = [...new Set([...ofOnePoint, ...waiting].map(({ point }) => point))].sort(byName(nameOf));

  const waitingAt = new Map(waiting.map(({ point, count }) => [point, count]));
  const flow = (day: Key, point: Key) =>
    (receivedBy.get(keyOf(day, point))?.count ?? 0) - (handledBy.get(keyOf(day, point))?.count ?? 0);
  const figuresOf = (day: Key, point: Key): Figures => {
    const { count = 0, look, handling } = receivedBy.get(keyOf(day, point)) ?? {};
    return {
      received: count,
      handled: handledBy.get(keyOf(day, point))?.count ?? 0,
      waiting: point === ALL ? sum([...waitingAt.values()]) : (waitingAt.get(point) ?? 0),
      hoursToFirstLook: hoursOf(look, count),
      hoursToHandling: hoursOf(handling, count),
    };
  };
  const byPoint = (day: Key) =>
    points.map((point) => ({
      contactPoint: point === null ? null : { id: point, name: nameOf.get(point) ?? null },
      ...figuresOf(day, point),
    }));

  const days = daysFrom(from, to, danishDayOf(at)).map((day) => {
    for (const point of points) waitingAt.set(point, (waitingAt.get(point) ?? 0) + flow(day, point));
    return { day, total: figuresOf(day, ALL), contactPoints: byPoint(day) };
  });
  // The last day has moved waitingAt on to the end of all days.
  return { at: at.toISOString(), isTraining, total: figuresOf(ALL, ALL), contactPoints: byPoint(ALL), days };
}

const USUAL_DAYS = 30;

function periodOf(query: FiguresQuery, today: string): { from: string; to: string } {
  const { to = today, from = plusDays(to, 1 - USUAL_DAYS) } = query;
  const path = query.to === undefined ? 'query.from' : 'query.to';
  if (to < from) throw new Problem('bad-request', `${path}: the last day is before the first.`, { path });
  if (plusDays(from, MAX_FIGURES_DAYS) <= to) {
    throw new Problem('bad-request', `${path}: these are more than ${MAX_FIGURES_DAYS} days.`, { path });
  }
  return { from, to };
}

const ZONE = 'Europe/Copenhagen';
const beginOf = (day: string) => sql`(${day}::date::timestamp AT TIME ZONE ${ZONE})`;
const endOf = (day: string) => sql`((${day}::date + 1)::timestamp AT TIME ZONE ${ZONE})`;
const dayOf = (time: Prisma.Sql) => sql`(${time} AT TIME ZONE ${ZONE})::date::text`;
const IN_INBOX = sql`m.status <> 'held' AND m.status_before IS DISTINCT FROM 'held'`;
const secondsTo = (time: Prisma.Sql) => sql`coalesce(extract(epoch FROM ${time} - m.received_at)::float8, 'Infinity')`;

/**
 * Reads what was received in these days, what was handled in them or within MAX_FIGURES_DAYS after them, and what waits now. So a
 * long history costs nothing, but a message that was handled later than that is not counted as waiting.
 */
function statementOf(municipality: string, from: string, to: string): Prisma.Sql {
  return sql`
    WITH received AS (
      SELECT day, point, grouping(day) AS "allDays", grouping(point) AS "allPoints", count(*)::int,
        percentile_disc(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY look) AS look,
        percentile_disc(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY handling) AS handling
      FROM (
        SELECT ${dayOf(sql`m.received_at`)} AS day, m.contact_point_id AS point,
          ${secondsTo(sql`least(m.first_read_at, m.handled_at)`)} AS look, ${secondsTo(sql`m.handled_at`)} AS handling
        FROM messages m
        WHERE m.municipality = ${municipality} AND m.status = ANY (ARRAY['pending', 'journalized', 'rejected', 'deleted'])
          AND m.received_at >= ${beginOf(from)} AND m.received_at < ${endOf(to)} AND ${IN_INBOX}
      ) AS m GROUP BY CUBE (day, point)
    ), since AS MATERIALIZED (
      SELECT m.contact_point_id AS point, m.received_at, m.handled_at FROM messages m
      WHERE m.municipality = ${municipality} AND m.handled_at >= ${beginOf(from)}
        AND m.handled_at < ${endOf(to)} + make_interval(days => ${MAX_FIGURES_DAYS}::int) AND ${IN_INBOX}
    ), handled AS (
      SELECT day, point, grouping(day) AS "allDays", grouping(point) AS "allPoints", count(*)::int
      FROM (SELECT ${dayOf(sql`handled_at`)} AS day, point FROM since WHERE handled_at < ${endOf(to)}) AS h
      GROUP BY CUBE (day, point)
    ), waiting AS (
      SELECT point, count(*)::int FROM (
        SELECT point FROM since WHERE received_at < ${beginOf(from)}
        UNION ALL
        SELECT m.contact_point_id FROM messages m
        WHERE m.municipality = ${municipality} AND m.status = 'pending' AND m.received_at < ${beginOf(from)}
      ) AS w GROUP BY point
    )
    SELECT (SELECT coalesce(json_agg(received), '[]') FROM received) AS received,
      (SELECT coalesce(json_agg(handled), '[]') FROM handled) AS handled,
      (SELECT coalesce(json_agg(waiting), '[]') FROM waiting) AS waiting,
      (SELECT coalesce(json_agg(json_build_object('id', contact_point_id, 'name', name)), '[]')
       FROM contact_points WHERE municipality = ${municipality}) AS names,
      ${IS_TRAINING} AS "isTraining"`;
}

/** A day or contact point, none (null), or all of them. */
const ALL = Symbol('all');
type Key = string | null | typeof ALL;

const keyOf = (day: Key, point: Key) => JSON.stringify([day, point].map((key) => (key === ALL ? 0 : key)));

function groupsByKey<G extends Group>(groups: readonly G[]): Map<string, G> {
  return new Map(
    groups.map((group) => [keyOf(group.allDays ? ALL : group.day, group.allPoints ? ALL : group.point), group]),
  );
}

function byName(nameOf: ReadonlyMap<string, string>) {
  const sortKey = (point: string | null) => (point === null ? '\uffff' : (nameOf.get(point) ?? point));
  return (one: string | null, other: string | null) => sortKey(one).localeCompare(sortKey(other), 'da');
}

// Of fewer, a time would be that of one message, and who knows the message knows more about its handling than figures tell.
const FEWEST_FOR_HOURS = 5;
const HOUR_SECONDS = 3_600;

/** Hours with one decimal. */
function hoursOf(seconds: Received['look'] | undefined, count: number): Hours {
  const [half, most] = seconds ?? [];
  const hours = (value: number | 'Infinity' | undefined) =>
    count < FEWEST_FOR_HOURS || !Number.isFinite(value) ? null : Math.round((Number(value) / HOUR_SECONDS) * 10) / 10;
  return { p50: hours(half), p90: hours(most) };
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);

/** The days from one to another, but none after today. */
function daysFrom(from: string, to: string, today: string): string[] {
  const last = to < today ? to : today;
  const days: string[] = [];
  for (let day = from; day <= last; day = plusDays(day, 1)) days.push(day);
  return days;
}
