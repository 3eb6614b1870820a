import type { Parts } from '@indbakke/shared/service';
import type { Kind } from '../ledger/differences.js';
import { Pace } from '../ledger/pace.js';
import { checkContent } from '../ledger/read-content.js';

export interface Sampled {
  readonly read: number;
  readonly faults: readonly { readonly municipality: string; readonly id: string; readonly kind: Kind }[];
}

// Half of the sample is the newest: of these the content is missing, when it is older than the database.
const HAS_CONTENT = `status <> 'deleted' AND content_removed_at IS NULL`;

/** Reads the content of some messages, the newest and others of all ages, and compares it with the hashes. */
export async function sampleContent(
  parts: Pick<Parts, 'store' | 'keys' | 'blobs'>,
  { most, bytesPerSecond }: { readonly most: number; readonly bytesPerSecond: number },
): Promise<Sampled> {
  const half = Math.ceil(most / 2);
  // Ids begin with their time in milliseconds: of evenly distributed times the next ones.
  const timeOf = (order: string) =>
    `(SELECT ('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint FROM messages ORDER BY id ${order} LIMIT 1)`;
  const rows = await parts.store.sweep<{ id: string; municipality: string }>(
    `(SELECT id, municipality FROM messages WHERE ${HAS_CONTENT} ORDER BY id DESC LIMIT $1)
     UNION
     SELECT m.id, m.municipality FROM (SELECT ${timeOf('')} AS first, ${timeOf('DESC')} AS last) AS range
       CROSS JOIN generate_series(0, $1::integer - 1) AS n
       CROSS JOIN LATERAL (
         SELECT id, municipality FROM messages WHERE ${HAS_CONTENT}
           AND id >= (lpad(to_hex(first + (last - first) * n / $1::integer), 12, '0') || repeat('0', 20))::uuid
         ORDER BY id LIMIT 1) AS m`,
    [half],
  );
  const pace = new Pace(bytesPerSecond);
  const faults: { municipality: string; id: string; kind: Kind }[] = [];
  for (const { id, municipality } of rows) {
    const kind = await checkContent(parts, municipality, id, pace);
    if (kind) faults.push({ municipality, id, kind });
  }
  return { read: rows.length, faults };
}
