import { Problem } from '../errors/index.js';
import { type ChangeRequest, writeChange } from '../lifecycle/index.js';
import { type Connection, Prisma, run, type Store } from '../store/index.js';

const { sql } = Prisma;

// What has the journaler scan files for malware: a row of message_scans.

/** Files of the message are to be scanned, in the transaction that stores them. What failed before counts no more. */
export async function requestScan(
  connection: Connection,
  { id, municipality, at }: { readonly id: string; readonly municipality: string; readonly at: Date },
): Promise<void> {
  await run(
    connection,
    sql`INSERT INTO message_scans (message_id, municipality, since, next_enqueue_at)
      VALUES (${id}::uuid, ${municipality}, ${at}::timestamptz, ${at}::timestamptz)
      ON CONFLICT (message_id) DO UPDATE
        SET next_enqueue_at = EXCLUDED.next_enqueue_at, run = message_scans.run + 1, attempts = 0, fault = NULL`,
  );
}

/**
 * Asks for another scan of the files of a message that could not be scanned. They are held until it is done.
 *
 * @returns how many files there are
 * @throws Problem not-found when the message has none
 */
export async function scanAgain(store: Store, request: ChangeRequest): Promise<number> {
  const { id, at, principal } = request;
  const { municipality } = principal;
  return store.withTenantConnection(municipality, async (connection) => {
    await writeChange(connection, request, 'scan-asked', {}, { isPossible: { condition: IS_ANY, otherwise: none } });
    const files = await run(
      connection,
      sql`UPDATE files f SET scan = 'waiting', scan_finding = NULL, scan_attempts = 0
        WHERE f.message_id = ${id}::uuid AND ${IS_UNSCANNABLE} RETURNING 1`,
    );
    await requestScan(connection, { id, municipality, at });
    return files.length;
  });
}

const IS_UNSCANNABLE = sql`f.status = 'stored' AND f.scan = 'unscannable'`;
const IS_ANY = sql`EXISTS (SELECT FROM files f WHERE f.message_id = m.id AND ${IS_UNSCANNABLE})`;

const none = () => new Problem('not-found', 'No file of this message is unscannable.');
