import { openStore } from '@indbakke/shared/store';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Setup, setUp } from '../../../infra/src/testkit/stack.js';
import { RefusedCallers } from '../src/callers/refused-callers.js';

let setup: Setup;

beforeAll(async () => {
  setup = await setUp();
});

afterAll(() => setup.close());

it('is one row for each address and fault, written once the database takes it', async () => {
  const away = openStore({ url: 'postgres://nobody@127.0.0.1:1/none', connections: 2, name: 'away' });
  const store = openStore({ url: setup.serviceUrl, connections: 2, name: 'refused-callers' });
  const refused = new RefusedCallers();
  for (const origin of ['192.0.2.1', '192.0.2.1', '192.0.2.2']) refused.add('missing', origin);
  await expect(refused.record({ store: away })).rejects.toThrow();
  for (let run = 0; run < 2; run += 1) await refused.record({ store });
  expect(
    await setup.sql('SELECT origin, details FROM audit_events WHERE action = $1 ORDER BY origin', ['caller-refused']),
  ).toEqual([
    { origin: '192.0.2.1', details: { fault: 'missing', count: 2 } },
    { origin: '192.0.2.2', details: { fault: 'missing', count: 1 } },
  ]);
  await Promise.all([away.close(), store.close()]);
});

it('is counted without its address, where others come from a hundred addresses at once', async () => {
  const store = openStore({ url: setup.serviceUrl, connections: 2, name: 'refused-callers' });
  await setup.sql('DELETE FROM audit_events');
  const refused = new RefusedCallers();
  for (let host = 0; host < 100; host += 1) refused.add('missing', `192.0.2.${host}`);
  for (let time = 0; time < 3; time += 1) refused.add('revoked', '198.51.100.1');
  await refused.record({ store });
  expect(
    await setup.sql(`SELECT origin, details FROM audit_events WHERE origin IS NULL OR origin NOT LIKE '192.%'`),
  ).toEqual([{ origin: null, details: { fault: 'revoked', count: 3 } }]);
  await store.close();
});
