import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { crashPointPassed } from '../../../infra/src/testkit/crash-points.js';
import { startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { textDocument } from '../../../infra/src/testkit/write-memo.js';
import {
  countWrappedOtherwise,
  isInUse,
  type RewrapOptions,
  rewrapAll,
  WRAPPED,
} from '../../src/key-rotation/index.js';
import { addMasterKey, dataKeyContext, type KeyRing, loadKeyRing, makeMasterKeyCurrent } from '../../src/keys/index.js';
import { scrub } from '../../src/scrub/index.js';
import { withMaintenance } from '../../src/store/index.js';
import { deliverMemo } from '../inbox/support.js';

let stack: TestStack;
let old: KeyRing;
let keys: KeyRing;

beforeAll(async () => {
  stack = await startTestStack();
});

afterAll(() => stack.close());

beforeEach(async () => {
  const path = stack.env.KEY_FILE as string;
  old = await loadKeyRing(path);
  await makeMasterKeyCurrent(path, await addMasterKey(path));
  keys = await loadKeyRing(path);
});

const letter = () => deliverMemo(stack, { documents: [textDocument('Kære kommune')] });
const asOwner = <T>(work: Parameters<typeof withMaintenance<T>>[1]) =>
  withMaintenance({ url: stack.ownerUrl, name: 'test', isOwner: true }, work);
const rewrap = (ring = keys, options: RewrapOptions = {}) =>
  asOwner((connection) => rewrapAll(connection, ring, options));
const keyOf = async (id: string) =>
  (
    await stack.sql<{ id: string; wrapped: Buffer }>(
      'SELECT key_id AS id, wrapped_key AS wrapped FROM message_keys WHERE message_id = $1',
      [id],
    )
  )[0];

/** A ring that does something before it has wrapped a key: as when a key management service takes its time. */
function slowRing(before: () => Promise<unknown>): KeyRing {
  return {
    currentKeyId: keys.currentKeyId,
    keyIds: keys.keyIds,
    digest: (purpose, data) => keys.digest(purpose, data),
    unwrap: (wrapped, context) => keys.unwrap(wrapped, context),
    async wrap(key, context) {
      await before();
      return keys.wrap(key, context);
    },
  };
}

it('every column with a wrapped key is wrapped anew', async () => {
  const columns = await stack.sql<{ place: string }>(
    `SELECT table_name || '.' || column_name AS place FROM information_schema.columns
     WHERE table_schema = 'public' AND column_name LIKE '%key\\_id'`,
  );
  const places = WRAPPED.map(({ table, keyId }) => `${table}.${keyId}`);
  expect(places.toSorted()).toEqual(columns.map(({ place }) => place).toSorted());
});

it('a key that is deleted meanwhile is not written again', async () => {
  const [deleted, kept] = [await letter(), await letter()];
  const ring = slowRing(() => stack.sql('DELETE FROM message_keys WHERE message_id = $1', [deleted]));
  await rewrap(ring);
  expect(await keyOf(deleted)).toBeUndefined();
  expect(await keyOf(kept)).toMatchObject({ id: keys.currentKeyId });
});

it('a key that is replaced meanwhile stays as it is, and the next call finds it', async () => {
  const id = await letter();
  const wrapped = randomBytes(60);
  const ring = slowRing(() =>
    stack.sql('UPDATE message_keys SET wrapped_key = $2 WHERE message_id = $1', [id, wrapped]),
  );
  const before = await keyOf(id);
  await rewrap(ring);
  expect(await keyOf(id)).toEqual({ id: before?.id, wrapped });
  const damaged: string[] = [];
  await rewrap(keys, { onDamaged: (where) => damaged.push(where) });
  expect(damaged).toEqual([`message_keys ${id}`]);
  await stack.sql('DELETE FROM message_keys WHERE message_id = $1', [id]);
});

it('nobody is waited for: a row that is locked is left to the next call', async () => {
  const [locked, free] = [await letter(), await letter()];
  await asOwner(async (other) => {
    await other.query('BEGIN');
    await other.query('SELECT FROM message_keys WHERE message_id = $1 FOR UPDATE', [locked]);
    await rewrap();
    expect((await keyOf(free))?.id).toBe(keys.currentKeyId);
    expect((await keyOf(locked))?.id).not.toBe(keys.currentKeyId);
    await other.query('ROLLBACK');
  });
  expect(await rewrap()).toBe(1);
  expect((await keyOf(locked))?.id).toBe(keys.currentKeyId);
});

it('what the ring lacks the key for is left, and counted by the key that it needs', async () => {
  const id = await letter();
  await stack.sql(`UPDATE message_keys SET key_id = 'lost' WHERE message_id = $1`, [id]);
  await rewrap();
  const found = await asOwner(async (connection) => [
    await countWrappedOtherwise(connection, keys.currentKeyId),
    await isInUse(connection, 'lost'),
    await isInUse(connection, 'unknown'),
  ]);
  expect(found).toEqual([new Map([['lost', 1]]), true, false]);
  await stack.sql('DELETE FROM message_keys WHERE message_id = $1', [id]);
});

it('many keys are wrapped anew in batches, and each is the key that it was', async () => {
  const id = await letter();
  const copies = await stack.sql<{ id: string; municipality: string }>(
    `INSERT INTO messages SELECT (jsonb_populate_record(m, jsonb_build_object('id', gen_random_uuid(), 'external_id', n))).*
     FROM messages m, generate_series(1, 600) AS n WHERE m.id = $1 RETURNING id, municipality`,
    [id],
  );
  const dataKeys = new Map(copies.map((copy) => [copy.id, randomBytes(32)]));
  for (const copy of copies) {
    const { keyId, wrapped } = await old.wrap(
      dataKeys.get(copy.id) as Buffer,
      dataKeyContext(copy.id, copy.municipality),
    );
    await stack.sql('INSERT INTO message_keys VALUES ($1, $2, $3, $4)', [copy.id, copy.municipality, keyId, wrapped]);
  }
  const twoBatches = crashPointPassed('keys-rewrapped', 2);
  const progress: number[] = [];
  expect(await rewrap(keys, { onProgress: (done) => progress.push(done) })).toBeGreaterThan(600);
  await twoBatches;
  expect(progress.at(-1)).toBeGreaterThan(progress[0] as number);
  for (const copy of copies) {
    const { id: keyId, wrapped } = (await keyOf(copy.id)) as { id: string; wrapped: Buffer };
    expect(keyId).toBe(keys.currentKeyId);
    const dataKey = await keys.unwrap({ keyId, wrapped }, dataKeyContext(copy.id, copy.municipality));
    expect(dataKey).toEqual(dataKeys.get(copy.id));
  }
});

it('goes on while the tables are scrubbed, and the scrub keeps what it did', async () => {
  for (let n = 0; n < 5; n++) await letter();
  await stack.sql(`INSERT INTO scrub.marks VALUES ('message_keys') ON CONFLICT DO NOTHING`);
  const begun = crashPointPassed('scrub-begun');
  const scrubbing = asOwner((connection) => scrub(connection, { mayGoOn: () => true }));
  await begun;
  expect(await rewrap()).toBeGreaterThan(600);
  expect(await scrubbing).toMatchObject({ left: 0 });
  expect(await stack.sql('SELECT DISTINCT key_id FROM message_keys')).toEqual([{ key_id: keys.currentKeyId }]);
});
