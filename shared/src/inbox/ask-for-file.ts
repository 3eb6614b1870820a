import { Problem } from '../errors/index.js';
import { type ChangeRequest, writeChange } from '../lifecycle/index.js';
import { Prisma, run, type Store } from '../store/index.js';

const { sql } = Prisma;

/**
 * Asks for the file of a document anew: at once, and as long as for a new document. Who asks knows whose the file is, also where
 * others wait for one of that name.
 *
 * @throws Problem not-found when the message waits for no file, or has it
 */
export async function askForFile(store: Store, request: ChangeRequest): Promise<void> {
  const { id, at, principal } = request;
  await store.withTenantConnection(principal.municipality, async (connection) => {
    await writeChange(connection, request, 'file-asked', {}, { isPossible: { condition: WAITS, otherwise: notForUs } });
    const [asked] = await run<{ id: string }>(
      connection,
      sql`UPDATE file_fetches SET status = 'waiting', is_cleared = true, since = ${at}::timestamptz, attempts = 0, fault = NULL, run = run + 1, next_enqueue_at = now()
        WHERE message_id = ${id}::uuid AND status IN ('waiting', 'given-up') RETURNING id`,
    );
    await run(connection, sql`UPDATE files SET status = 'expected' WHERE id = ${asked?.id ?? null}::uuid`);
  });
}

const WAITS = sql`m.content_removed_at IS NULL AND EXISTS (
  SELECT FROM file_fetches t WHERE t.message_id = m.id AND t.status IN ('waiting', 'given-up'))`;

const notForUs = () => new Problem('not-found', 'No file of this message is missing.');
