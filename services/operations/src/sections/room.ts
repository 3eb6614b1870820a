import type { Parts } from '@indbakke/shared/service';
import { table } from '../html/table.js';
import { inBoth } from '../pages/language.js';
import { defineSection } from './section.js';

/** What room there is, and for how long it will do. */
export interface Room {
  readonly content: {
    /** Undefined when nobody knows, as of S3. */
    readonly freeBytes: number | undefined;
    readonly fullInDays: number | undefined;
  };
  readonly database: {
    readonly bytes: number;
    /** What it may grow to; undefined when nobody has said. */
    readonly maxBytes: number | undefined;
    readonly fullInDays: number | undefined;
  };
}

export async function readRoom(
  { store, blobs }: Pick<Parts, 'store' | 'blobs'>,
  maxBytes: number | undefined,
): Promise<Room> {
  const [freeBytes, [now], days] = await Promise.all([
    blobs.free(),
    store.sweep<{ bytes: number }>('SELECT database_size()::float8 AS bytes'),
    store.sweep<Day>(
      `SELECT what, (current_date - day)::int AS ago, bytes::float8 FROM daily_sizes
       WHERE day < current_date AND day >= current_date - ${GROWTH_DAYS} ORDER BY day`,
    ),
  ]);
  const { bytes } = now as { bytes: number };
  const [content, database] = [firstOf(days, 'content-free'), firstOf(days, 'database')];
  return {
    content: {
      freeBytes,
      fullInDays:
        content && freeBytes !== undefined
          ? daysUntil(freeBytes, (content.bytes - freeBytes) / content.ago)
          : undefined,
    },
    database: {
      bytes,
      maxBytes,
      fullInDays:
        database && maxBytes !== undefined
          ? daysUntil(maxBytes - bytes, (bytes - database.bytes) / database.ago)
          : undefined,
    },
  };
}

// A week has its weekend.
const GROWTH_DAYS = 7;

interface Day {
  readonly what: 'content-free' | 'database';
  readonly ago: number;
  readonly bytes: number;
}

const firstOf = (days: readonly Day[], what: Day['what']) => days.find((day) => day.what === what);

/** Undefined when it does not grow. */
function daysUntil(room: number, growthADay: number): number | undefined {
  return growthADay > 0 ? Math.max(0, room) / growthADay : undefined;
}

/** Notes today's sizes, once. */
export async function noteSizes({ store, blobs }: Pick<Parts, 'store' | 'blobs'>): Promise<void> {
  const free = await blobs.free();
  await store.sweep(
    `INSERT INTO daily_sizes (day, what, bytes)
     SELECT current_date, what, bytes FROM (VALUES ('content-free', $1::bigint), ('database', database_size())) AS sizes (what, bytes)
     WHERE bytes IS NOT NULL
     ON CONFLICT DO NOTHING`,
    [free === undefined ? null : Math.floor(free)],
  );
}

const KEEP_DAYS = 400;

export async function sweepOldSizes({ store }: Pick<Parts, 'store'>): Promise<void> {
  await store.sweep('DELETE FROM daily_sizes WHERE day < current_date - $1::int', [KEEP_DAYS]);
}

/** With fewer days, or less room for files, somebody should make room; as in infra/deploy/prometheus/rules.yaml. */
const SOON_DAYS = 14;
const LITTLE_BYTES = 10e9;

export const ROOM = defineSection({
  name: 'room',
  texts: inBoth({
    da: {
      title: 'Plads',
      what: 'Hvor',
      content: 'Filer',
      database: 'Database',
      used: 'Bruger',
      free: 'Ledig',
      full: 'Fuld om',
      days: (days: string) => `${days} dage`,
      fullSoon: (what: string, days: string) => `${what}: fuld om ${days} dage`,
      little: (what: string, left: string) => `${what}: kun ${left} ledig`,
    },
    en: {
      title: 'Room',
      what: 'Where',
      content: 'Content store',
      database: 'Database',
      used: 'Takes',
      free: 'Free',
      full: 'Full in',
      days: (days: string) => `${days} days`,
      fullSoon: (what: string, days: string) => `${what}: full in ${days} days`,
      little: (what: string, left: string) => `${what}: only ${left} left`,
    },
  }),
  async read(parts) {
    const { content, database } = await readRoom(parts, parts.config.DATABASE_MAX_BYTES);
    const { bytes, maxBytes } = database;
    return [
      { what: 'content' as const, used: undefined, free: content.freeBytes, fullInDays: content.fullInDays },
      {
        what: 'database' as const,
        used: bytes,
        free: maxBytes === undefined ? undefined : maxBytes - bytes,
        fullInDays: database.fullInDays,
      },
    ];
  },
  view(rooms, texts, { number, bytes }) {
    const size = (value: number | undefined) => (value === undefined ? '–' : bytes(value));
    const full = rooms.find(({ fullInDays }) => fullInDays !== undefined && fullInDays < SOON_DAYS);
    const scarce = rooms.find(({ what, free = LITTLE_BYTES }) => what === 'content' && free < LITTLE_BYTES);
    return {
      title: texts.title,
      concern: scarce
        ? texts.little(texts[scarce.what], size(scarce.free))
        : full && texts.fullSoon(texts[full.what], number(Math.floor(full.fullInDays ?? 0))),
      body: table(
        texts.title,
        [
          { heading: texts.what, of: ({ what }) => texts[what] },
          { heading: texts.used, of: ({ used }) => size(used), isNumber: true },
          { heading: texts.free, of: ({ free }) => size(free), isNumber: true },
          {
            heading: texts.full,
            of: ({ fullInDays }) => (fullInDays === undefined ? '–' : texts.days(number(Math.floor(fullInDays)))),
            isNumber: true,
          },
        ],
        rooms,
      ),
    };
  },
});
