import { cprNumberOf, cvrNumberOf } from '../ids/index.js';
import { Prisma, type Store } from '../store/index.js';

export interface WordSearch {
  readonly query: string;
  readonly statuses: readonly string[];
  /** By receipt. */
  readonly newestFirst: boolean;
  /** Where to go on: a time of receipt, in its whole week. */
  readonly beyond?: string | undefined;
  /** It stops after the week in which it has found as many. */
  readonly wanted: number;
}

/**
 * The messages of a municipality whose subject, sender or concerned person has every word of the query: in any Danish form, or as
 * its beginning. A CPR or CVR number is found whole, in any of its usual forms.
 *
 * @returns the ids; and the time up to which all were found, or null when there are no more
 */
export async function searchMessages(
  store: Store,
  municipality: string,
  { query, statuses, newestFirst, beyond, wanted }: WordSearch,
): Promise<{ ids: string[]; reached: string | null }> {
  const { words, numbers } = termsOf(query);
  const rows = await store.query<{ id: string | null; reached: Date }>(
    municipality,
    Prisma.sql`
      SELECT message_id AS id, received_at AS reached
      FROM search_messages(${words}, ${numbers}::text[], ${statuses}::text[], ${newestFirst}::bool,
        ${beyond ?? null}::timestamptz, ${wanted}::int)`,
    'fresh',
  );
  const end = rows.find(({ id }) => id === null);
  return { ids: rows.flatMap(({ id }) => id ?? []), reached: end?.reached.toISOString() ?? null };
}

/** Whether `messages AS m` has every word of the query: for few messages, which no index of words need find. */
export function hasWords(query: string): Prisma.Sql {
  const { words, numbers } = termsOf(query);
  return Prisma.sql`EXISTS (
    SELECT FROM message_words w WHERE w.message_id = m.id AND w.words @@ words_query(
      (SELECT word_terms(${words}, ${numbers}::text[])), ARRAY[words_prefix(m.municipality, m.status, m.received_at)]))`;
}

const NUMBER = /(?<!\p{L}|\d)(\d{6}[- ]?\d{4}|(?:DK[- ]?)?\d{8}|(?:DK[- ]?)?\d{2} \d{2} \d{2} \d{2})(?!\p{L}|\d)/giu;

/** Numbers of people and companies, which are looked for whole, and the rest. */
function termsOf(query: string): { words: string; numbers: string[] } {
  const numbers: string[] = [];
  const words = query.normalize('NFKC').replaceAll(NUMBER, (text) => {
    const number = cprNumberOf(text) ?? cvrNumberOf(text);
    if (number !== undefined) numbers.push(number);
    return number === undefined ? text : ' ';
  });
  return { words, numbers };
}
