import { INSTALLATION } from '@indbakke/shared/audit';
import { csvRows } from '@indbakke/shared/csv';
import { uuidOf } from '@indbakke/shared/ids';
import type { Parts } from '@indbakke/shared/service';
import { Prisma } from '@indbakke/shared/store';

const { sql } = Prisma;

/** What is here of a message that was sent to us, the first that is true. */
export const PLACES = {
  waiting: 'are in the inbox',
  journalized: 'are journalized',
  'content-removed': 'are journalized, and retention removed the content',
  rejected: 'are rejected',
  held: 'are held',
  deleted: 'are deleted',
  quarantined: 'could not be read, were refused, and are in quarantine',
  refused: 'were refused',
  missing: 'are not here',
} as const;
export type Place = keyof typeof PLACES;

export interface Comparison {
  /** Heading of the column whose ids were compared. */
  readonly column: string;
  /** Other columns that have ids only. */
  readonly otherColumns: readonly string[];
  /** Ids by where they are. */
  readonly places: Readonly<Record<Place, readonly string[]>>;
  /** Rows without an id in the column. */
  readonly without: number;
}

/** Ids of a column in their normal form, each once; and how many rows have none. */
interface Column {
  readonly heading: string;
  readonly ids: ReadonlySet<string>;
  readonly without: number;
}

// A column of ids may have a few empty or other cells.
const MOSTLY = 0.9;
const BATCH = 1_000;

/**
 * Compares a list of what was sent to us with what is here, by messageUUID.
 *
 * @param column its heading; without it, of the columns with UUIDs the one of which most are here
 * @throws Error with a sentence when there is no such column
 */
export async function compareList(
  parts: Pick<Parts, 'store'>,
  bytes: Buffer,
  column: string | undefined,
): Promise<Comparison> {
  const columns = readColumns(bytes, column);
  const compared = await Promise.all(
    columns.map(async (each) => ({ ...each, places: await findPlaces(parts, [...each.ids]) })),
  );
  const here = ({ places, ids }: (typeof compared)[number]) => ids.size - places.missing.length;
  const [best, ...others] = compared.toSorted((a, b) => here(b) - here(a)) as [(typeof compared)[number]];
  return {
    column: best.heading,
    otherColumns: (others as typeof compared).map(({ heading }) => heading),
    places: best.places,
    without: best.without,
  };
}

/** The columns that mostly have UUIDs, or the one that is named. */
export function readColumns(bytes: Buffer, wanted: string | undefined): readonly [Column, ...Column[]] {
  const rows = csvRows(decode(bytes));
  const [headings = [], ...data] = rows.filter((cells) => cells.some((cell) => cell !== ''));
  const columnAt = (at: number, values = data): Column => {
    const ids = values.map((cells) => uuidOf(cells[at] ?? ''));
    return {
      heading: headings[at] || `column ${at + 1}`,
      ids: new Set(ids.filter((id) => id !== undefined)),
      without: ids.filter((id) => id === undefined).length,
    };
  };
  if (wanted !== undefined) {
    const at = headings.findIndex((heading) => heading.toLowerCase() === wanted.toLowerCase());
    if (at < 0) throw new Error(`The file has no column ${wanted}. It has: ${headings.join(', ')}.`);
    return [columnAt(at)];
  }
  // Without headings the first row is of data too.
  const all = headings.some((heading) => uuidOf(heading) !== undefined) ? [headings, ...data] : data;
  const found = headings
    .map((_, at) => columnAt(at, all))
    .filter(({ ids, without }) => ids.size > 0 && without <= all.length * (1 - MOSTLY));
  const [first, ...more] = found;
  if (!first)
    throw new Error('No column of the file has mostly UUIDs. Name the one of the messageUUIDs with --column.');
  return [first, ...more];
}

/** UTF-8, or else windows-1252, which is what Excel in Denmark writes. */
function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}

async function findPlaces({ store }: Pick<Parts, 'store'>, ids: readonly string[]): Promise<Comparison['places']> {
  const places = new Map<string, Place>();
  const put = (place: Place, found: readonly { id: string }[]) => {
    const rank = Object.keys(PLACES);
    for (const { id } of found) {
      const before = places.get(id);
      if (before === undefined || rank.indexOf(place) < rank.indexOf(before)) places.set(id, place);
    }
  };
  const municipalities = await store.sweep<{ cvr: string }>('SELECT cvr FROM municipalities ORDER BY cvr');
  for (let at = 0; at < ids.length; at += BATCH) {
    const batch = ids.slice(at, at + BATCH);
    for (const { cvr } of municipalities) {
      const rows = await store.query<{ id: string; place: Place }>(
        cvr,
        sql`
          SELECT external_id AS id, CASE WHEN content_removed_at IS NOT NULL AND status <> 'deleted' THEN 'content-removed'
              WHEN status = 'pending' THEN 'waiting' ELSE status END AS place
          FROM messages WHERE municipality = ${cvr} AND channel IN ('sf1606', 'sf2900') AND external_id = ANY (${batch}::text[])`,
        'fresh',
      );
      for (const row of rows) put(row.place, [row]);
    }
    put(
      'quarantined',
      await store.query<{ id: string }>(
        INSTALLATION,
        sql`SELECT message_uuid AS id FROM quarantine_entries WHERE message_uuid = ANY (${batch}::uuid[])`,
        'fresh',
      ),
    );
    put(
      'refused',
      await store.sweep<{ id: string }>(
        'SELECT external_id AS id FROM refused_deliveries WHERE external_id = ANY ($1)',
        [batch],
      ),
    );
  }
  return Object.fromEntries(
    Object.keys(PLACES).map((place) => [place, ids.filter((id) => (places.get(id) ?? 'missing') === place)]),
  ) as unknown as Comparison['places'];
}
