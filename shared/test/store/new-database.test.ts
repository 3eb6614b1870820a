import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase } from '../../../infra/test/support/database.js';
import { openStore, type Store } from '../../src/store/index.js';

const MUNICIPALITY = '22222222';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let store: Store;

beforeAll(async () => {
  database = await createTestDatabase();
  store = openStore({ url: database.url, connections: 1, name: 'test' });
});
afterAll(async () => {
  await store.close();
  await database.drop();
});

// A plan that is made once and kept, as that of a named statement is, before there is a row or a statistic. If another index
// comes out here, the one of the known ids must be made again in a migration after it.
it('is asked for the letters of an id by the index that has the id, also before the first letter', async () => {
  const plan = await store.withTenantConnection(MUNICIPALITY, async (connection) => {
    await connection.query('SET LOCAL plan_cache_mode = force_generic_plan');
    await connection.query(`PREPARE known_ids (text, text, text) AS
      SELECT fingerprint FROM messages WHERE municipality = $1 AND channel = $2 AND external_id = $3`);
    const { rows } = await connection.query<{ 'QUERY PLAN': string }>(
      `EXPLAIN EXECUTE known_ids ('${MUNICIPALITY}', 'sf1606', 'id')`,
    );
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  });

  expect(plan).toContain('messages_municipality_channel_external_id_fingerprint_key');
});
