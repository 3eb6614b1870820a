import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../infra/src/testkit/database.js';
import { type ContentPlace, inTwoPlaces, openFileBlobStore } from '../../src/content/index.js';
import { moveContent } from '../../src/content-move/index.js';
import { duringCrashPoints } from '../content/support.js';

let database: TestDatabase;
let connection: pg.Client;
let folder: string;
let from: ContentPlace;
let to: ContentPlace;

beforeAll(async () => {
  database = await createTestDatabase();
  connection = new pg.Client({ connectionString: database.ownerUrl });
  await connection.connect();
});
afterAll(async () => {
  await connection.end();
  await database.drop();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'indbakke-move-'));
  from = await openFileBlobStore(join(folder, 'from'));
  to = await openFileBlobStore(join(folder, 'to'));
  await database.sql('DELETE FROM zip_downloads');
  return () => rm(folder, { recursive: true });
});

const CONTENT = randomBytes(3 * 2 ** 20);

/** A blob in the old place that a row names. */
async function putNamed(): Promise<string> {
  const writer = await from.create();
  await writer.write(CONTENT);
  await database.sql(
    `INSERT INTO zip_downloads (id, municipality, owner_kind, owner, roles, teams, include, requested_at, expires_at, files_size,
       blob_name, next_enqueue_at)
     VALUES (gen_random_uuid(), '22222222', 'user', 'test', '{}', '{}', '{}', now(), 'infinity', 0, $1, 'infinity')`,
    [writer.name],
  );
  return writer.commit();
}

/** As a service that knows both places. */
async function deleteForGood(name: string): Promise<void> {
  await database.sql('DELETE FROM zip_downloads');
  await inTwoPlaces(to, from).remove(name);
}

const namesIn = async (place: ContentPlace) => {
  const names: string[] = [];
  for await (const { name } of place.list()) names.push(name);
  return names;
};

/** The same places, with something that happens first. */
const first = (place: ContentPlace, happens: Partial<Record<'createAs' | 'open' | 'remove', () => Promise<void>>>) =>
  ({
    list: () => place.list(),
    open: async (...args: Parameters<ContentPlace['open']>) => {
      await happens.open?.();
      return place.open(...args);
    },
    createAs: async (name: string) => {
      await happens.createAs?.();
      return place.createAs(name);
    },
    remove: async (name: string) => {
      await happens.remove?.();
      await place.remove(name);
    },
  }) as ContentPlace;

/** The new place, with something that happens when so many pieces of 1 MiB are written. */
const afterWrites = (count: number, happens: () => Promise<void>): ContentPlace => ({
  ...first(to, {}),
  async createAs(name) {
    const writer = await to.createAs(name);
    const write = writer.write.bind(writer);
    let written = 0;
    writer.write = async (...pieces) => {
      await write(...pieces);
      written += 1;
      if (written === count) await happens();
    };
    return writer;
  },
});

it.each([
  'before it is read',
  'while it is copied',
  'when all of it is read',
  'before it is read back',
  'before the old one is removed',
] as const)('what is deleted %s does not come back', async (when) => {
  const name = await putNamed();
  const deletes = () => deleteForGood(name);
  let opened = 0;
  const places = {
    'before it is read': { from: first(from, { open: deletes }), to },
    'while it is copied': { from, to: first(to, { createAs: deletes }) },
    'when all of it is read': { from, to: afterWrites(3, deletes) },
    // It looks whether the copy is there, and then reads it back.
    'before it is read back': {
      from,
      to: first(to, {
        open: async () => {
          opened += 1;
          if (opened === 2) await deletes();
        },
      }),
    },
    'before the old one is removed': { from: first(from, { remove: deletes }), to },
  };
  const { failed } = await moveContent([connection], places[when]);
  expect(failed).toEqual([]);
  expect([await namesIn(from), await namesIn(to)]).toEqual([[], []]);
});

it('a deletion waits while the copy of its content is finished, and then reaches it', async () => {
  const name = await putNamed();
  let deletion: Promise<void> | undefined;
  let isDeleted = false;
  const waitsOnLock = async () => {
    deletion = deleteForGood(name).then(() => {
      isDeleted = true;
    });
    const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    while ((await connection.query(waiting)).rowCount === 0);
  };
  const locked: ContentPlace = {
    ...first(to, {}),
    async createAs(blobName) {
      const writer = await to.createAs(blobName);
      const commit = writer.commit.bind(writer);
      writer.commit = async () => {
        await waitsOnLock();
        expect(isDeleted).toBe(false);
        return commit();
      };
      return writer;
    },
  };
  await moveContent([connection], { from, to: locked });
  await deletion;
  expect([await namesIn(from), await namesIn(to)]).toEqual([[], []]);
});

it('a copy that differs is removed, and the old one stays', async () => {
  const name = await putNamed();
  const wrong = await to.createAs(name);
  await wrong.write(Buffer.from('something else'));
  await wrong.commit();
  const { failed } = await moveContent([connection], { from, to });
  expect(failed).toEqual([`${name}: the copy differs, and was removed`]);
  expect([await namesIn(from), await namesIn(to)]).toEqual([[name], []]);
  expect(await moveContent([connection], { from, to })).toMatchObject({ moved: 1, bytes: CONTENT.length, failed: [] });
});

it('a copy that a killed move has left unfinished is begun again', async () => {
  const name = await putNamed();
  const killed = await to.createAs(name);
  await killed.write(Buffer.from('some'));
  expect(await moveContent([connection], { from, to })).toMatchObject({ moved: 1 });
  await killed.abort();
  expect([await namesIn(from), await namesIn(to)]).toEqual([[], [name]]);
});

it('whoever reads it goes on in the new place', async () => {
  const name = await putNamed();
  const reader = await inTwoPlaces(to, from).open(name, { start: 1, end: CONTENT.length });
  const [one, two] = [Buffer.alloc(1000), Buffer.alloc(CONTENT.length)];
  await reader?.read(one);
  await moveContent([connection], { from, to });
  const filled = await reader?.read(two);
  await reader?.close();
  expect(Buffer.concat([one, two.subarray(0, filled)]).equals(CONTENT.subarray(1))).toBe(true);
});

it('announces each step', async () => {
  await putNamed();
  const points: string[] = [];
  await duringCrashPoints(
    (point) => void (point.startsWith('move-') && points.push(point)),
    async () => void (await moveContent([connection], { from, to })),
  );
  expect(points).toEqual(['move-locked', 'move-copied', 'move-verified']);
});
