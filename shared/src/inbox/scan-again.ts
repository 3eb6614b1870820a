import { Problem } from '../errors/index.js';
import { type ChangeRequest, writeChange } from '../lifecycle/index.js';
import { Prisma, run, type Store } from '../store/index.js';
import { requestScan } from './may-open.js';

const { sql } = Prisma;

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
