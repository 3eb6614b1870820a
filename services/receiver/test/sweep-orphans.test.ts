import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DAY, HOUR } from '@indbakke/shared/config';
import { type BlobStore, openBlobStore } from '@indbakke/shared/content';
import { openStore, type Store } from '@indbakke/shared/store';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { ODENSKOV, startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { writeMemo } from '../../../infra/src/testkit/write-memo.js';
import { sweepOrphans } from '../src/intake/sweep-orphans.js';
import { contentFiles } from './support/stored.js';

let stack: TestStack;
let store: Store;
let blobs: BlobStore;

beforeAll(async () => {
  stack = await startTestStack({ SMALL_CONTENT_BYTES: '0' });
  store = openStore({ url: stack.serviceUrl, connections: 2, name: 'test' });
  blobs = await openBlobStore(stack.env.BLOB_URL ?? '');
});

afterAll(async () => {
  await store.close();
  await stack.close();
  await rm(stack.contentFolder, { recursive: true, force: true });
});

const from = (milliseconds: number) => new Date(Date.now() + milliseconds);

test('removes content that no message has, finished or not, and keeps that of messages', async () => {
  await stack.deliver(writeMemo());
  const [kept] = await contentFiles(stack);
  await writeOrphan('finished');
  await writeOrphan('unfinished');

  const removed = await sweepOrphans({ store, blobs }, from(31 * DAY));

  expect(removed).toBe(2);
  expect(await contentFiles(stack)).toEqual([kept]);
});

test('keeps the content of a message although an unfinished blob of that name is left', async () => {
  await stack.deliver(writeMemo());
  const before = await contentFiles(stack);
  const name = before[0] as string;
  const part = join(stack.contentFolder, name.slice(0, 2), `${name}.part`);
  await writeFile(part, 'a copy that was begun');

  expect(await sweepOrphans({ store, blobs }, from(31 * DAY))).toBe(1);

  expect(await contentFiles(stack)).toEqual(before);
});

test('keeps content that a file of an extract has', async () => {
  const before = await contentFiles(stack);
  const writer = await blobs.create();
  await writer.write(Buffer.from('an extract has this'));
  const blob = await writer.commit();
  await stack.sql(
    `WITH extract AS (
       INSERT INTO extracts (id, municipality, owner_kind, owner, container, content_size, key_id, wrapped_key, every, at_time,
         keep_days, created_at, next_run_at, next_enqueue_at)
       VALUES (gen_random_uuid(), $1, 'user', 'test', '', 0, '', '', 'day', '07:30', 1, now(), 'infinity', 'infinity')
       RETURNING id)
     INSERT INTO extract_files (id, extract_id, municipality, due_at, made_at, expires_at, row_count, is_truncated, roles, teams,
       content_size, sha256, blob_name, key_id, wrapped_key)
     SELECT gen_random_uuid(), id, $1, now(), now(), 'infinity', 0, false, '{}', '{}', 0, '', $2, '', '' FROM extract`,
    [ODENSKOV, blob],
  );

  const removed = await sweepOrphans({ store, blobs }, from(31 * DAY));

  expect(removed).toBe(0);
  expect(await contentFiles(stack)).toHaveLength(before.length + 1);
  await stack.sql('DELETE FROM extract_files');
  await blobs.remove(blob);
});

test('keeps content that an access package has', async () => {
  const before = await contentFiles(stack);
  const writer = await blobs.create();
  await writer.write(Buffer.from('a package has this'));
  const blob = await writer.commit();
  await stack.sql(
    `INSERT INTO access_packages (id, municipality, owner_kind, owner, citizen, request, request_size, request_key_id,
       request_wrapped_key, status, requested_at, made_at, expires_at, content_size, sha256, blob_name, key_id, wrapped_key, next_enqueue_at)
     VALUES (gen_random_uuid(), $1, 'user', 'test', '', '', 0, '', '', 'made', now(), now(), 'infinity', 0, '', $2, '', '', now())`,
    [ODENSKOV, blob],
  );

  const removed = await sweepOrphans({ store, blobs }, from(31 * DAY));

  expect(removed).toBe(0);
  expect(await contentFiles(stack)).toHaveLength(before.length + 1);
  await stack.sql('DELETE FROM access_packages');
  await blobs.remove(blob);
});

test('keeps content that a zip download has', async () => {
  const before = await contentFiles(stack);
  const writer = await blobs.create();
  await writer.write(Buffer.from('a zip has this'));
  const blob = await writer.commit();
  await stack.sql(
    `INSERT INTO zip_downloads (id, municipality, owner_kind, owner, roles, teams, include, requested_at, expires_at, files_size,
       blob_name, next_enqueue_at)
     VALUES (gen_random_uuid(), $1, 'user', 'test', '{}', '{}', '{}', now(), 'infinity', 0, $2, 'infinity')`,
    [ODENSKOV, blob],
  );

  const removed = await sweepOrphans({ store, blobs }, from(31 * DAY));

  expect(removed).toBe(0);
  expect(await contentFiles(stack)).toHaveLength(before.length + 1);
  await stack.sql('DELETE FROM zip_downloads');
  await blobs.remove(blob);
});

test('keeps finished content for a month, in case the database is the wrong one', async () => {
  await writeOrphan('finished');
  const before = await contentFiles(stack);
  await writeOrphan('unfinished');

  const removed = await sweepOrphans({ store, blobs }, from(2 * HOUR));

  expect(removed).toBe(1);
  expect(await contentFiles(stack)).toEqual(before);
});

test('keeps content that may still become a message’s', async () => {
  await writeOrphan('finished');
  await writeOrphan('unfinished');
  const before = await contentFiles(stack);

  const removed = await sweepOrphans({ store, blobs }, new Date());

  expect(removed).toBe(0);
  expect(await contentFiles(stack)).toEqual(before);
});

async function writeOrphan(state: 'finished' | 'unfinished'): Promise<void> {
  const writer = await blobs.create();
  await writer.write(Buffer.from('no message has this'));
  if (state === 'finished') await writer.commit();
  else onTestFinished(() => writer.abort());
}
