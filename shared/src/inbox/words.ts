import { Prisma, type Store } from '../store/index.js';

const { sql } = Prisma;

export interface WordSearch {
  /** Words, of which each must be there: in any Danish form, or as a beginning; CPR and CVR numbers whole, in any spelling. */
  readonly query: string;
  readonly statuses: readonly string[];
  /** By receipt. */
  readonly newestFirst: boolean;
  /** In the weeks of receipt from one time to the other; undefined = any. */
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
  /** Only what comes after this message: where the search before ended. */
  readonly beyond?: Reached | undefined;
  /** Found at most. */
  readonly wanted: number;
}

/** Receipt and id of a message. */
export interface Reached {
  readonly time: string;
  readonly id: string;
}

export interface FoundMessages {
  /** In the order of receipt and id. */
  readonly ids: readonly string[];
  /** The last of them, when there may be more. */
  readonly reached: Reached | undefined;
}

/**
 * The first messages of a municipality by whose subject, or names and numbers of sender, representative and concerned person,
 * the query is met. It takes as long in a long history as in a short one.
 */
export async function searchMessages(
  reader: Pick<Store, 'query'>,
  municipality: string,
  { query, statuses, newestFirst, since, until, beyond, wanted }: WordSearch,
): Promise<FoundMessages> {
  const direction = newestFirst ? sql`DESC` : sql`ASC`;
  const found = sql`
    SELECT message_id AS id, received_at AS time
    FROM search_messages(${query}, ${[...statuses]}::text[], ${newestFirst}::bool, ${since}::timestamptz, ${until}::timestamptz,
      ${beyond?.time}::timestamptz, ${beyond?.id}::uuid, ${wanted}::int)
    ORDER BY received_at ${direction}, message_id ${direction} LIMIT ${wanted}::int`;
  const rows = await reader.query<{ id: string; time: Date }>(municipality, found, 'kept');
  const last = rows.length === wanted ? rows.at(-1) : undefined;
  return { ids: rows.map(({ id }) => id), reached: last && { id: last.id, time: last.time.toISOString() } };
}

/** A condition on `messages AS m`: it meets the query. For few messages, since each is looked at. */
export function hasWords(query: string): Prisma.Sql {
  // What is looked for is made once; and a subselect is never made a join, which could read all words of a municipality.
  return sql`(SELECT words FROM message_words WHERE message_id = m.id) @@ (SELECT words_query(${query})::tsquery)`;
}
