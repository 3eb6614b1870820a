import { createHash } from 'node:crypto';
import { Problem } from '@indbakke/shared/errors';
import { openAnyway, openContent, SEALED, SEALED_TABLES, type SealedRow } from '@indbakke/shared/inbox';
import type { Parts } from '@indbakke/shared/service';
import { Prisma } from '@indbakke/shared/store';
import type { Kind } from './differences.js';
import type { Pace } from './pace.js';

const { sql } = Prisma;

type Reader = Pick<Parts, 'store' | 'keys' | 'blobs'>;

interface Content extends SealedRow {
  readonly files: readonly {
    readonly containerIndex: number;
    readonly containerOffset: number;
    readonly size: number;
    readonly sha256: string;
  }[];
}

/** Undefined when it has none any more. */
async function find({ store }: Reader, municipality: string, id: string): Promise<Content | undefined> {
  const [row] = await store.query<Content & Record<string, unknown>>(
    municipality,
    sql`
      SELECT ${SEALED}, (SELECT coalesce(json_agg(json_build_object('containerIndex', container_index, 'containerOffset', container_offset,
          'size', size, 'sha256', encode(sha256, 'hex')) ORDER BY position), '[]')
        FROM files WHERE message_id = m.id AND status = 'stored') AS files
      FROM messages m ${SEALED_TABLES}
      WHERE m.municipality = ${municipality} AND m.id = ${id}::uuid AND m.status <> 'deleted' AND m.content_removed_at IS NULL`,
    'kept',
  );
  return row;
}

/**
 * Reads all files of a message and compares them with their hashes.
 *
 * @returns what is wrong, if anything is
 * @throws when the content store as a whole does not work
 */
export async function checkContent(
  parts: Reader,
  municipality: string,
  id: string,
  pace: Pace,
): Promise<Kind | undefined> {
  const content = await find(parts, municipality, id);
  if (!content || content.files.length === 0) return undefined;
  if (content.keyId !== null && !parts.keys.keyIds.has(content.keyId)) return 'key-missing';
  try {
    const reader = await openContent(parts, content);
    for (const file of content.files) {
      const hash = createHash('sha256');
      for await (const bytes of reader.open(openAnyway({ ...file, status: 'stored' }, 'verify'))) {
        hash.update(bytes);
        await pace.spend(bytes.length);
      }
      if (hash.digest('hex') !== file.sha256) return 'content-damaged';
    }
    return undefined;
  } catch (error) {
    if (!(await find(parts, municipality, id))) return undefined; // deleted meanwhile
    if (error instanceof Problem && error.code === 'content-gone') return 'content-missing';
    // One file that cannot be read, unless nothing can.
    await parts.blobs.check();
    return 'content-damaged';
  }
}
