import { createLog } from '@indbakke/shared/log';
import { openQueues } from '@indbakke/shared/queue';
import { openStore } from '@indbakke/shared/store';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ODENSKOV, startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { requestSuggestions } from '../src/suggestion/request-suggestions.js';

const MESSAGES = 2_000;

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack();
  await stack.sql(
    `INSERT INTO messages (id, municipality, channel, external_id, fingerprint, kind, received_at, letter_at,
       transmission_id, document_count, file_count, content_size, remarks, status, status_at, status_by, next_enqueue_at)
     SELECT gen_random_uuid(), $1, 'sf1606', n::text, n::text::bytea, 'reply', now(), now(),
       gen_random_uuid(), 0, 0, 0, '[]', 'pending', now(), 'test', now() + interval '1 hour'
     FROM generate_series(1, $2) AS n`,
    [ODENSKOV, MESSAGES],
  );
  await stack.sql('ANALYZE messages');
});

afterAll(() => stack.close());

test('what the core registers is looked up by index, however many messages there are', async () => {
  const before = await rowsRead();
  const store = openStore({ url: stack.serviceUrl, connections: 2, name: 'test' });
  const queues = openQueues({ url: stack.serviceUrl, log: createLog('test', 'silent') });

  await requestSuggestions({ store, queues }, ODENSKOV, [
    { kind: 'case-id', value: 'BF-1' },
    { kind: 'message-uuid', value: '0b7c1a52-94d3-4e80-a6f1-2c5d8e9f3a41' },
  ]);

  await queues.close();
  await store.close(); // the statistics are complete then
  expect((await rowsRead()) - before).toBeLessThan(MESSAGES / 10);
});

async function rowsRead(): Promise<number> {
  const [row] = await stack.sql<{ read: string }>(
    `SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) AS read FROM pg_stat_user_tables WHERE relname = 'messages'`,
  );
  return Number(row?.read);
}
