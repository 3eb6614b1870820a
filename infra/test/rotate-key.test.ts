import { randomUUID } from 'node:crypto';
import { copyFileSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Env, readConfig } from '@indbakke/shared/config';
import { WRAPPED } from '@indbakke/shared/key-rotation';
import { loadKeyRing } from '@indbakke/shared/keys';
import { serve } from '@indbakke/shared/service';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSecret } from '../../services/journaler/src/webhooks/secrets.js';
import { allServices, StackConfig } from '../src/local/services.js';
import { launchCommand } from '../src/testkit/command.js';
import { deliver } from '../src/testkit/deliver.js';
import { InboxClient } from '../src/testkit/inbox-client.js';
import { CASEWORKER_ROLES, type Setup, setUp } from '../src/testkit/stack.js';
import { TEST_CITIZEN, textDocument, writeMemo } from '../src/testkit/write-memo.js';

// @module-tag long

const KILL_AT = new URL('./support/kill-at.mjs', import.meta.url).href;
const BACK_WITHIN = { timeout: 60_000, interval: 100 };

interface KeyFile {
  current: string;
  keys: Record<string, string>;
}

let setup: Setup;
let keyFile: string;
const running = new Set<{ close(): Promise<void> }>();

beforeEach(async () => {
  setup = await setUp();
  keyFile = setup.env.KEY_FILE as string;
});

afterEach(async () => {
  await Promise.all([...running].map((services) => services.close()));
  running.clear();
  await setup.close();
});

const content = () => JSON.parse(readFileSync(keyFile, 'utf8')) as KeyFile;

/** All services, as a process of its own would start them now. */
async function start(env: Env = {}) {
  // Small letters are in the database, others in the content store.
  const config = readConfig(StackConfig, { ...setup.env, SMALL_CONTENT_BYTES: '500', ...env });
  const services = await serve(config, 'test', allServices(config));
  running.add(services);
  const roles = [...CASEWORKER_ROLES, 'Indbakke.Aktindsigt', 'Indbakke.Opsætning'];
  const client = new InboxClient(services.url, await setup.token({ roles }), AbortSignal.timeout(240_000));
  await expect
    .poll(() => setup.sql('SELECT FROM copies WHERE stopped_at IS NULL'), BACK_WITHIN)
    .toHaveLength(running.size);
  return {
    url: services.url,
    client,
    async close() {
      running.delete(services);
      await services.close();
    },
  };
}
type Services = Awaited<ReturnType<typeof start>>;

/** Starts new ones beside the old ones, which end then. */
async function replace(old: Services): Promise<Services> {
  const services = await start();
  await old.close();
  return services;
}

const env = () => ({ KEY_FILE: keyFile, DATABASE_OWNER_URL: setup.ownerUrl, DATABASE_URL: undefined });
const rotate = (...args: string[]) => launchCommand('rotate-key', args, env()).ended;
const rotateKilledAt = (point: string, ...args: string[]) => {
  const { child, ended } = launchCommand('rotate-key', args, {
    ...env(),
    NODE_OPTIONS: `--import=${KILL_AT}`,
    KILL_AT: point,
  });
  return ended.then((result) => ({ ...result, signal: child.signalCode }));
};

const letters = new Map<string, string>();
beforeEach(() => letters.clear());

/** @returns its id */
async function send(url: string): Promise<string> {
  const messageUUID = randomUUID();
  const text = `Indhold af ${messageUUID}${' med mere'.repeat(letters.size % 2 === 0 ? 1 : 100)}`;
  const memo = writeMemo({ messageUUID, sender: TEST_CITIZEN, documents: [textDocument(text)] });
  const response = await deliver(url, memo);
  expect(response.status, await response.text()).toBe(200);
  const [row] = await setup.sql<{ id: string }>('SELECT id FROM messages WHERE external_id = $1', [messageUUID]);
  letters.set((row as { id: string }).id, text);
  return (row as { id: string }).id;
}

/** Sends letters until it is ended. */
function sendOn(url: string) {
  let isOver = false;
  const sendAll = async () => {
    while (!isOver) await send(url);
  };
  const sending = Promise.all([sendAll(), sendAll()]);
  return {
    async end() {
      isOver = true;
      await sending;
    },
  };
}

async function expectAllReadable({ client }: Services): Promise<void> {
  for (const [id, text] of letters) {
    const { documents } = await client.read(id);
    const file = await client.file(id, documents[0]?.files[0]?.id as string);
    expect(await file.text()).toBe(text);
  }
}

async function remove({ client }: Services, id: string): Promise<void> {
  const rejected = await client.reject({ id, version: 1 }, { reason: 'unwanted', explanation: 'Reklame.' });
  await client.deleteForGood(rejected);
  letters.delete(id);
}

/** How many keys are wrapped with which master key, in each place. */
const wrapped = async () =>
  Promise.all(
    WRAPPED.map(async ({ table, keyId }) => {
      const rows = await setup.sql<{ id: string }>(
        `SELECT DISTINCT ${keyId} AS id FROM ${table} WHERE ${keyId} IS NOT NULL`,
      );
      return [`${table}.${keyId}`, rows.map(({ id }) => id)] as const;
    }),
  );
const everywhere = (id: string) => WRAPPED.map(({ table, keyId }) => [`${table}.${keyId}`, [id]]);

/** Something in every place that holds a wrapped key. @returns what reads all of it again */
async function fillEveryPlace({ url, client }: Services) {
  const id = await send(url);
  const call = async (path: string, body: object, method = 'POST') => {
    const authorization = `Bearer ${await setup.token({ user: 'core', system: true })}`;
    const headers = { authorization, 'content-type': 'application/json' };
    const response = await fetch(`${url}/api/v1${path}`, { method, headers, body: JSON.stringify(body) });
    expect(response.status, await response.clone().text()).toBe(200);
    return (await response.json()) as { id: string; secret: string };
  };
  const webhook = await call('/webhooks', { url: 'https://core.example/' });
  const { secret } = await call(`/webhooks/${webhook.id}/secret`, {});
  const refused = await deliver(url, '<no-message/>');
  expect(refused.status).toBe(400);
  const zip = await client.createZipDownload({ items: [id] });
  const access = await client.createAccessPackage({ citizen: TEST_CITIZEN.id });
  const extract = await client.createExtract({ name: 'Alt', filter: {}, schedule: { every: 'day', at: '07:30' } });
  await setup.sql(`UPDATE extracts SET next_run_at = now() - interval '1 minute', next_enqueue_at = now()`);
  await expect.poll(async () => (await client.zipDownload(zip)).status, BACK_WITHIN).toBe('ready');
  await expect.poll(async () => (await client.accessPackage(access)).status, BACK_WITHIN).toBe('made');
  await expect.poll(async () => (await client.extract(extract)).files.length, BACK_WITHIN).toBe(1);
  const quarantined = async (at: string) => {
    const token = await setup.operatorsToken({ roles: ['Indbakke.Karantæne'] });
    const [entry] = await setup.sql<{ id: string }>('SELECT id FROM quarantine_entries');
    const response = await fetch(`${at}/api/v1/quarantine/${entry?.id}/content`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(response.status).toBe(200);
    return response.text();
  };
  const readAll = async (at: Services) => ({
    zip: (await at.client.zipDownloadContent(zip)).toString('base64'),
    access: (await at.client.accessPackageContent(access)).length,
    request: (await at.client.accessPackage(access)).citizen,
    extract: (await at.client.extract(extract)).name,
    file: (await at.client.extractFile(extract, (await at.client.extract(extract)).files[0]?.id as string)).length,
    quarantined: await quarantined(at.url),
    secrets: await secrets(),
  });
  return { readAll, before: { ...(await readAll({ url, client } as Services)), secrets: [webhook.secret, secret] } };
}

/** Both secrets of the webhook, with the key file as it is now. */
async function secrets() {
  const keys = await loadKeyRing(keyFile);
  const [row] = await setup.sql<
    Record<'id' | 'municipality' | 'oldId' | 'newId', string> & Record<'old' | 'new', Buffer>
  >(
    `SELECT id, municipality, previous_secret_key_id AS "oldId", previous_secret AS old, secret_key_id AS "newId", secret AS new FROM webhooks`,
  );
  if (!row) throw new Error('There is no webhook.');
  return [
    await openSecret(keys, row, { keyId: row.oldId, wrapped: row.old }),
    await openSecret(keys, row, { keyId: row.newId, wrapped: row.new }),
  ];
}

it('while mail comes and goes, everything is wrapped anew, and can be read without the old key; nothing deleted comes back', {
  timeout: 300_000,
}, async () => {
  const old = content().current;
  const withOldKey = join(dirname(keyFile), 'old.json');
  copyFileSync(keyFile, withOldKey);
  let services = await start();
  const { readAll, before } = await fillEveryPlace(services);
  const doomed = [await send(services.url), await send(services.url)];
  await remove(services, doomed[0] as string);
  expect(await wrapped()).toEqual(everywhere(old));

  const added = await rotate('add');
  const fresh = Object.keys(content().keys).find((id) => id !== old) as string;
  expect(added).toMatchObject({ status: 0, output: expect.stringContaining(`npm run rotate-key -- use ${fresh}`) });
  expect(content().current).toBe(old);
  const early = await rotate('use', fresh);
  expect(early).toMatchObject({
    status: 1,
    errors: expect.stringContaining(`do not have ${fresh} yet: restart them.`),
  });
  expect(content().current).toBe(old);
  services = await replace(services);
  expect(await rotate('use', fresh)).toMatchObject({ status: 0, errors: '' });
  expect(content().current).toBe(fresh);
  expect(await rotate('remove', old)).toMatchObject({
    status: 1,
    errors: expect.stringContaining(`may still wrap with ${old}: restart it. Nothing was removed.`),
  });

  // These have both keys, and wrap with the old one.
  let mail = sendOn(services.url);
  const first = await rotate();
  await mail.end();
  expect(first).toMatchObject({ status: 1, output: expect.stringContaining(`still wraps with ${old}: restart it.`) });
  services = await replace(services);
  mail = sendOn(services.url);
  const removing = remove(services, doomed[1] as string);
  const second = await rotate();
  await Promise.all([mail.end(), removing]);
  expect(second).toMatchObject({ status: 0, errors: '' });
  expect(second.output).toContain(`npm run rotate-key -- remove ${old}`);
  expect(await wrapped()).toEqual(everywhere(fresh));

  expect(await rotate('remove', old)).toMatchObject({ status: 0, errors: '' });
  expect(Object.keys(content().keys)).toEqual([fresh]);
  services = await replace(services);
  await expectAllReadable(services);
  expect(await readAll(services)).toEqual(before);
  expect(await setup.sql('SELECT FROM message_keys WHERE message_id = ANY ($1)', [doomed])).toEqual([]);
  const audited = await setup.sql<{ keys: number }>(
    `SELECT (details->>'keys')::int AS keys FROM audit_events WHERE action = 'keys-rewrapped' AND details->>'keyId' = $1`,
    [fresh],
  );
  expect(audited.length).toBeGreaterThan(0);

  // Restarted with the file from before.
  const config = readConfig(StackConfig, { ...setup.env, KEY_FILE: withOldKey });
  const late = await serve(config, 'test', allServices(config));
  running.add(late);
  const ready = await fetch(`${late.url}/readyz`);
  expect([ready.status, await ready.json()]).toEqual([503, expect.objectContaining({ database: 'key-missing' })]);
});

it('killed half way, it goes on where it was; all can be read meanwhile, and no old key is removed', {
  timeout: 200_000,
}, async () => {
  const old = content().current;
  let services = await start();
  const { readAll, before } = await fillEveryPlace(services);
  for (let n = 0; n < 20; n++) await send(services.url);

  const bytes = readFileSync(keyFile);
  expect(await rotateKilledAt('key-file-written', 'add')).toMatchObject({ signal: 'SIGKILL', output: '' });
  expect(readFileSync(keyFile)).toEqual(bytes);
  expect(await rotate('add')).toMatchObject({ status: 1, errors: expect.stringContaining(`remove ${keyFile}.lock`) });
  rmSync(`${keyFile}.lock`);
  expect(await rotate('add')).toMatchObject({ status: 0 });
  const fresh = Object.keys(content().keys).find((id) => id !== old) as string;
  services = await replace(services);
  expect(await rotate('use', fresh)).toMatchObject({ status: 0 });
  services = await replace(services);

  expect(await rotateKilledAt('keys-rewrapped')).toMatchObject({ signal: 'SIGKILL', output: '' });
  const half = new Set((await wrapped()).flatMap(([, ids]) => ids));
  expect(half).toEqual(new Set([old, fresh]));
  await expectAllReadable(services);
  expect(await readAll(services)).toEqual(before);
  expect(await rotate('remove', old)).toMatchObject({
    status: 1,
    errors: `Keys are still wrapped with ${old}: npm run rotate-key. Nothing was removed.\n`,
  });
  expect(Object.keys(content().keys)).toEqual([old, fresh]);

  expect(await rotate()).toMatchObject({ status: 0, errors: '' });
  expect(await wrapped()).toEqual(everywhere(fresh));
  expect((await rotate()).output).toMatch(/^Wrapped anew with \S+: 0 keys\./);
  expect(await rotate('remove', old)).toMatchObject({ status: 0 });
  services = await replace(services);
  await expectAllReadable(services);
  expect(await readAll(services)).toEqual(before);
});

describe('npm run rotate-key', () => {
  it.each([[['ad']], [['use']], [['remove']], [['add', 'x']], [['use', 'x', 'y']]])(
    'shows its usage for %j',
    async (args) => {
      const { status, errors } = await rotate(...args);
      expect([status, errors]).toEqual([1, expect.stringContaining('npm run rotate-key -- remove KEYID')]);
    },
  );

  it('is told of a damaged key, does the others, and says that the old one is still needed', async () => {
    const old = content().current;
    const services = await start();
    const [damaged, whole] = [await send(services.url), await send(services.url)];
    await services.close();
    await setup.sql(
      `UPDATE message_keys SET wrapped_key = set_byte(wrapped_key, 20, get_byte(wrapped_key, 20) # 1) WHERE message_id = $1`,
      [damaged],
    );
    await rotate('add');
    const fresh = Object.keys(content().keys).find((id) => id !== old) as string;
    await rotate('use', fresh);
    const { status, output, errors } = await rotate();
    expect(status).toBe(1);
    expect(output).toContain(`Wrapped anew with ${fresh}: 1 keys.\nStill wrapped with ${old}: 1.\n`);
    expect(errors).toBe(`damaged, so that nobody can read its content: message_keys ${damaged}\n`);
    const rows = await setup.sql('SELECT key_id FROM message_keys WHERE message_id = $1', [whole]);
    expect(rows).toEqual([{ key_id: fresh }]);
  });

  it('with KEYS says what to change where they come from, once that is safe, and prints no key', async () => {
    const { current, ...rest } = content();
    const KEYS = JSON.stringify({ current, ...rest, keys: { ...rest.keys, next: Object.values(rest.keys)[0] } });
    const withKeys = (...args: string[]) =>
      launchCommand('rotate-key', args, { ...env(), KEY_FILE: undefined, KEYS }).ended;
    const results = [
      await withKeys('add'),
      await withKeys('use', 'next'),
      await withKeys('remove', 'next'),
      await withKeys(),
    ];
    expect(results.map(({ status, output }) => [status, output])).toEqual([
      [0, expect.stringMatching(/^The keys come from KEYS\. Add a key to "keys" there/)],
      [0, expect.stringMatching(/^The keys come from KEYS\. Name next in "current" there/)],
      [0, expect.stringMatching(/^The keys come from KEYS\. Nothing here needs next: remove it/)],
      [0, expect.stringMatching(/^Wrapped anew with \S+: 0 keys\./)],
    ]);
    for (const key of Object.values(rest.keys)) expect(JSON.stringify(results)).not.toContain(key);
    const services = await start({ KEY_FILE: undefined, KEYS: readFileSync(keyFile, 'utf8') });
    await send(services.url);
    await expectAllReadable(services);
    expect(await withKeys('use', 'next')).toMatchObject({
      status: 1,
      errors: expect.stringContaining('do not have next yet'),
    });
  });
});
