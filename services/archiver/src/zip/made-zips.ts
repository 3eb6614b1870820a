import { ofCaller, type Principal } from '@indbakke/shared/access';
import { MiB } from '@indbakke/shared/config';
import { Problem } from '@indbakke/shared/errors';
import type { Parts } from '@indbakke/shared/service';
import { type Connection, Prisma, run } from '@indbakke/shared/store';

// What access packages and zip downloads have in common: a job makes them, and they are sealed for the one who asked.

const { sql } = Prisma;

/** The caller has a number of them at most. */
export interface Limit {
  readonly table: 'access_packages' | 'zip_downloads';
  readonly most: number;
  /** `access packages`, for the caller. */
  readonly what: string;
}

/**
 * Locks what the caller has, so that two calls at once count one after the other.
 *
 * @throws Problem bad-request when the caller has as many as may be
 */
export async function requireRoom(
  connection: Connection,
  principal: Principal,
  { table, most, what }: Limit,
): Promise<void> {
  const { municipality, actor } = principal;
  const caller = JSON.stringify([table, municipality, actor.kind, actor.id, actor.onBehalfOf]);
  await run(connection, sql`SELECT pg_advisory_xact_lock(hashtextextended(${caller}, 0))`);
  const [owned] = await run<{ count: number }>(
    connection,
    sql`SELECT count(*)::int FROM ${Prisma.raw(table)} WHERE ${ofCaller(principal)}`,
  );
  if ((owned?.count ?? 0) >= most) {
    throw new Problem('bad-request', `A caller has at most ${most} ${what}. Delete one first.`);
  }
}

const LEFT_FREE = 1024 * MiB;

/**
 * What is made must not take the room that letters which come meanwhile need: else its attempts would have deliveries refused,
 * again and again.
 *
 * @throws Error, ENOSPC: the sweep tries again later
 */
export async function requireSpace({ blobs }: Pick<Parts, 'blobs'>, size: number, smallBytes: number): Promise<void> {
  if (size <= smallBytes) return;
  const free = (await blobs.free()) ?? Number.POSITIVE_INFINITY;
  if (free >= size + LEFT_FREE) return;
  throw Object.assign(new Error('The content store has no room for the zip.'), { code: 'ENOSPC' });
}

/** Whether the content of a message cannot be read. */
export function isContentFault(
  error: unknown,
): error is Problem & { readonly code: 'content-gone' | 'content-damaged' } {
  return error instanceof Problem && (error.code === 'content-gone' || error.code === 'content-damaged');
}

/** Whether a file of it is not scanned for malware yet. */
export function isHeldFault(error: unknown): error is Problem & { readonly code: 'file-held' } {
  return error instanceof Problem && error.code === 'file-held';
}
