import { createHash, randomUUID } from 'node:crypto';
import { type Env, readConfig } from '@indbakke/shared/config';
import { type ContentPlace, openBlobStore } from '@indbakke/shared/content';
import { serve } from '@indbakke/shared/service';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { allServices, StackConfig } from '../src/local/services.js';
import { launchCommand } from '../src/testkit/command.js';
import { deliver } from '../src/testkit/deliver.js';
import { InboxClient } from '../src/testkit/inbox-client.js';
import { type S3Proxy, startS3Proxy } from '../src/testkit/s3-proxy.js';
import { CASEWORKER_ROLES, type Setup, setUp } from '../src/testkit/stack.js';
import { HAS_SWIFT, type OwnSwift, startOwnSwift } from '../src/testkit/swift.js';
import { TEST_CITIZEN, textDocument, writeMemo } from '../src/testkit/write-memo.js';

// @module-tag long

const KILL_AT = new URL('./support/kill-at.mjs', import.meta.url).href;

describe.runIf(HAS_SWIFT)('npm run move-content', { timeout: 120_000 }, () => {
  let swift: OwnSwift;
  let proxy: S3Proxy;
  let setup: Setup;
  let folder: string;
  let bucket: string;
  const running = new Set<{ close(): Promise<void> }>();
  const letters = new Map<string, string>();

  beforeAll(async () => {
    swift = await startOwnSwift();
  });
  afterAll(() => swift.close());

  beforeEach(async () => {
    proxy = await startS3Proxy(swift.settings.AWS_ENDPOINT_URL_S3);
    setup = await setUp();
    folder = setup.env.BLOB_URL as string;
    bucket = `${swift.bucketUrl}/${randomUUID()}`;
    letters.clear();
  });
  afterEach(async () => {
    await Promise.all([...running].map((services) => services.close()));
    running.clear();
    await setup.close();
    await proxy.close();
  });

  const s3 = () => ({ ...swift.settings, AWS_ENDPOINT_URL_S3: proxy.url });
  const place = (url: string): Promise<ContentPlace> => openBlobStore(url, swift.settings);
  /** As services do it, and of a new folder an operator. */
  const mark = async (url: string) => (await place(url)).mark();
  const namesIn = async (url: string): Promise<string[]> => {
    const names: string[] = [];
    for await (const { name, finished } of (await place(url)).list())
      names.push(finished ? name : `${name} unfinished`);
    return names.sort();
  };
  const named = async () =>
    (await setup.sql<{ name: string }>('SELECT blob_name AS name FROM messages WHERE blob_name IS NOT NULL'))
      .map(({ name }) => name)
      .sort();

  async function start(env: Env) {
    const config = readConfig(StackConfig, { ...setup.env, ...s3(), SMALL_CONTENT_BYTES: '0', ...env });
    const services = await serve(config, 'test', allServices(config));
    running.add(services);
    const token = await setup.token({ roles: CASEWORKER_ROLES });
    return { url: services.url, client: new InboxClient(services.url, token, AbortSignal.timeout(110_000)) };
  }
  type Services = Awaited<ReturnType<typeof start>>;

  const commandEnv = (from: string, to: string) => ({
    ...s3(),
    DATABASE_OWNER_URL: setup.ownerUrl,
    DATABASE_URL: undefined,
    BLOB_URL: to,
    BLOB_URL_OTHER: from,
  });
  const move = (from: string, to: string) => launchCommand('move-content', [], commandEnv(from, to)).ended;
  const moveKilledAt = async (point: string, from: string, to: string) => {
    const killed = { NODE_OPTIONS: `--import=${KILL_AT}`, KILL_AT: point };
    const { child, ended } = launchCommand('move-content', [], { ...commandEnv(from, to), ...killed });
    await ended;
    return child.signalCode;
  };

  /** @returns its id */
  async function send(url: string, size = 100): Promise<string> {
    const messageUUID = randomUUID();
    const text = `${messageUUID} ${'indhold '.repeat(size)}`;
    const memo = writeMemo({ messageUUID, sender: TEST_CITIZEN, documents: [textDocument(text)] });
    const response = await deliver(url, memo);
    expect(response.status, await response.text()).toBe(200);
    const [row] = await setup.sql<{ id: string }>('SELECT id FROM messages WHERE external_id = $1', [messageUUID]);
    letters.set((row as { id: string }).id, sha256(text));
    return (row as { id: string }).id;
  }

  async function read({ client }: Services, id: string): Promise<void> {
    const { documents } = await client.read(id);
    const file = await client.file(id, documents[0]?.files[0]?.id as string);
    expect(sha256(await file.text())).toBe(letters.get(id));
  }

  async function remove({ client }: Services, id: string): Promise<void> {
    const rejected = await client.reject({ id, version: 1 }, { reason: 'unwanted', explanation: 'Reklame.' });
    await client.deleteForGood(rejected);
    letters.delete(id);
  }

  it.each(['to S3', 'back to a folder'])(
    'moves all content %s, while letters come, are read and are deleted',
    async (direction) => {
      const [from, to] = direction === 'to S3' ? [folder, bucket] : [bucket, folder];
      const before = await start({ BLOB_URL: from });
      for (let count = 0; count < 15; count += 1) await send(before.url, count === 0 ? 800_000 : 100);
      await Promise.all([...running].map((services) => services.close()));
      running.clear();
      if (to === folder) await mark(folder);
      const services = await start({ BLOB_URL: to, BLOB_URL_OTHER: from });

      let isOver = false;
      const until = async (work: () => Promise<unknown>) => {
        while (!isOver) await work();
      };
      const [kept = '', ...doomed] = letters.keys();
      const load = Promise.all([
        until(() => send(services.url)),
        until(() => read(services, kept)),
        until(async () => {
          const id = doomed.length > 4 ? doomed.shift() : undefined;
          if (id) await remove(services, id);
          else await read(services, doomed[0] as string);
        }),
      ]);
      const { output, status } = await move(from, to);
      isOver = true;
      await load;

      expect(output).toContain('Nothing that a row names is left in the old place.');
      expect(status).toBe(0);
      await expect.poll(() => setup.sql('SELECT FROM content_removals')).toEqual([]);
      expect(await namesIn(from)).toEqual([]);
      expect(await namesIn(to)).toEqual(await named());
      for (const id of letters.keys()) await read(services, id);
    },
  );

  it.each(['move-locked', 'move-copied', 'move-verified'])(
    'killed at %s leaves all readable, brings nothing back that is deleted then, and goes on',
    async (point) => {
      const services = await start({ BLOB_URL: bucket, BLOB_URL_OTHER: folder });
      await fillFolder(3);
      expect(await moveKilledAt(point, folder, bucket)).toBe('SIGKILL');
      for (const id of letters.keys()) await read(services, id);
      const halfway = (await namesIn(bucket)).concat(await namesIn(folder));
      for (const id of [...letters.keys()].slice(1)) await remove(services, id);
      await expect.poll(() => setup.sql('SELECT FROM content_removals')).toEqual([]);
      expect(halfway.length).toBeGreaterThanOrEqual(3);
      expect([...new Set([...(await namesIn(folder)), ...(await namesIn(bucket))])]).toEqual(await named());
      expect((await move(folder, bucket)).status).toBe(0);
      expect([await namesIn(folder), await namesIn(bucket)]).toEqual([[], await named()]);
      await read(services, [...letters.keys()][0] as string);
    },
  );

  it('finishes a copy under a lock, for which a deletion waits, and another command does not run', async () => {
    const services = await start({ BLOB_URL: bucket, BLOB_URL_OTHER: folder });
    await fillFolder(1);
    const put = proxy.hold('PUT if-none-match');
    const moving = move(folder, bucket);
    await put.held; // the row is locked, and S3 does not have the copy
    const [id] = letters.keys();
    const removing = remove(services, id as string);
    await expect
      .poll(() =>
        setup.sql(`SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`),
      )
      .not.toEqual([]);
    expect(await move(folder, bucket)).toMatchObject({ status: 1, errors: 'Another npm run move-content is at it.\n' });
    put.release();
    await removing;
    expect((await moving).status).toBe(0);
    await expect.poll(() => setup.sql('SELECT FROM content_removals')).toEqual([]);
    expect([await namesIn(folder), await namesIn(bucket)]).toEqual([[], []]);
  });

  it('keeps the old one of a copy that cannot be read back, says so, and exits with 1', async () => {
    await fillFolder(1);
    await mark(bucket);
    proxy.harm('GET', 'shorten', 99);
    const { output, status } = await move(folder, bucket);
    expect(status).toBe(1);
    expect(output).toMatch(/left: [0-9a-f]{32}: /);
    expect(await namesIn(folder)).toEqual(await named());
  });

  it('moves nothing from or to a place that no service has used, such as the folder of a mount that is away', async () => {
    const unused = (setting: string) => ({
      status: 1,
      errors: expect.stringMatching(`^${setting}: no service has used this place yet`),
    });
    expect(await move(folder, bucket)).toMatchObject(unused('BLOB_URL_OTHER'));
    await mark(folder);
    expect(await move(folder, bucket)).toMatchObject(unused('BLOB_URL'));
  });

  it('leaves what no row names, says how much, and moves the ledgers beside the content', async () => {
    const put = async (url: string) => {
      const writer = await (await place(url)).create();
      await writer.write(Buffer.from('a line'));
      return writer.commit();
    };
    await mark(folder);
    await mark(bucket);
    const [orphan, line] = [await put(folder), await put(`${folder}-deletions`)];
    const { output, status } = await move(folder, bucket);
    expect(output).toContain('1 that no row names are left');
    expect(output).toContain('Of the deletion ledger: 1 files moved.');
    expect(status).toBe(0);
    expect([await namesIn(folder), await namesIn(bucket)]).toEqual([[orphan], []]);
    expect([await namesIn(`${folder}-deletions`), await namesIn(`${bucket}-deletions`)]).toEqual([[], [line]]);
  });

  /** Letters whose content is in the folder. */
  async function fillFolder(count: number, size?: number): Promise<void> {
    const before = await start({ BLOB_URL: folder });
    for (let sent = 0; sent < count; sent += 1) await send(before.url, size);
    const [services] = [...running].slice(-1);
    running.delete(services as { close(): Promise<void> });
    await services?.close();
  }
});

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
