import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readConfig } from '@indbakke/shared/config';
import { openParts, type Parts, serve } from '@indbakke/shared/service';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prepareDatabase } from '../../../infra/src/local/database.js';
import { startPostgres } from '../../../infra/src/local/postgres/postgres.js';
import { allServices, StackConfig } from '../../../infra/src/local/services.js';
import { crashPointPassed } from '../../../infra/src/testkit/crash-points.js';
import { runSql } from '../../../infra/src/testkit/database.js';
import { deliver } from '../../../infra/src/testkit/deliver.js';
import { InboxClient, refusalOf } from '../../../infra/src/testkit/inbox-client.js';
import { NOT_DURABLE, withOwnState } from '../../../infra/src/testkit/own-state.js';
import { issueToken, prepareState } from '../../../infra/src/testkit/set-up.js';
import { startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { textDocument, writeMemo } from '../../../infra/src/testkit/write-memo.js';
import { clusterOf, postgresHomeOf } from '../../../tools/local-state.mjs';
import { ArchiverConfig } from '../src/config.js';
import { appendToLedger, type Deletion, openLedger, readLedger } from '../src/deletion-ledger/ledger.js';
import { reapplyDeletions } from '../src/deletion-ledger/reapply.js';
import { ledgerWriter, writeDeletions } from '../src/deletion-ledger/write-ledger.js';
import { deleteNow, deliverAndDelete, killedAt } from './support/deletion.js';

let stack: TestStack;
let parts: Parts;
let ledger: Awaited<ReturnType<typeof openLedger>>;

beforeAll(async () => {
  stack = await startTestStack();
  const config = readConfig(ArchiverConfig, stack.env);
  parts = await openParts(config, 'by-hand');
  ledger = await openLedger(config);
});

afterAll(async () => {
  await parts.queues.close();
  await parts.store.close();
  await stack.close();
});

const linesOf = async () => {
  const lines = [];
  for await (const line of readLedger(ledger, parts.keys)) lines.push(line);
  return lines;
};
const idsIn = async () => (await linesOf()).map((line) => ('deletion' in line ? line.deletion.id : line.forged));

/** When the sweep of the stack, or the call here, has written all. */
async function untilWritten(): Promise<void> {
  for (;;) {
    await writeDeletions(parts, ledger);
    if ((await stack.sql(`SELECT FROM messages WHERE status = 'deleted' AND NOT in_deletion_ledger`)).length === 0)
      return;
  }
}

describe('the deletion ledger', () => {
  it('has every deletion, with ids, codes and times only', async () => {
    const messageUUID = 'b04d8a9e-1c8b-4f0e-9a53-0d2f6f0a1b11';
    const id = await deliverAndDelete(stack, {
      messageUUID,
      subject: 'Emneordet',
      documents: [textDocument('Indholdet')],
    });
    await untilWritten();
    const line = (await linesOf()).find((each) => 'deletion' in each && each.deletion.id === id);
    expect(line).toEqual({
      deletion: {
        id,
        municipality: '22222222',
        channel: 'sf1606',
        externalId: messageUUID,
        fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
        kind: 'enquiry',
        receivedAt: expect.any(String),
        letterAt: expect.any(String),
        transmissionId: expect.any(String),
        deletedAt: expect.any(String),
        deletedBy: 'caseworker-1',
      },
    });
  });

  it('is written by the archiver soon after', async () => {
    const written = crashPointPassed('ledger-written');
    await deliverAndDelete(stack);
    await written;
  });

  it('loses no deletion when the process is killed while it is written', async () => {
    await untilWritten();
    const setup = { ...stack, env: { ...stack.env, SCRUB_WINDOW: 'off' } };
    const id = await deliverAndDelete(stack);
    // The sweep of the stack may be first.
    await stack.sql('UPDATE messages SET in_deletion_ledger = false WHERE id = $1', [id]);
    await killedAt(setup, 'ledger', 'ledger-written');
    await untilWritten();
    expect((await idsIn()).filter((each) => each === id).length).toBeGreaterThanOrEqual(1);
  }, 60_000);

  it('that cannot be written leaves the deletion for the next time', async () => {
    await untilWritten();
    const broken = { ...ledger, create: () => Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' })) };
    const id = await deliverAndDelete(stack);
    await stack.sql('UPDATE messages SET in_deletion_ledger = false WHERE id = $1', [id]);
    await writeDeletions(parts, broken as typeof ledger).catch(() => {});
    await untilWritten();
    expect(await idsIn()).toContain(id);
  });
});

describe('a forged line', () => {
  it('is refused, named by its place, and nothing is done about it', async () => {
    const id = await deliverAndDelete(stack);
    const pending = await deliverOne();
    await untilWritten();
    const root = `${stack.contentFolder}-deletions`;
    const files = () =>
      readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => /[0-9a-f]{32}$/.test(name));
    const file = files().find((name) => readFileSync(join(root, name), 'utf8').includes(id)) as string;
    const text = readFileSync(join(root, file), 'utf8');
    writeFileSync(join(root, file), text.replaceAll(id, pending));
    try {
      const forged: string[] = [];
      const counts = await reapplyDeletions(parts, ledger, {
        isDryRun: false,
        onForged: (where) => forged.push(where),
      });
      expect(counts).toMatchObject({ deleted: 0, tombstone: 0, forged: 1 });
      expect(forged[0]).toContain(file.split('/').at(-1));
      expect(await stack.sql('SELECT status FROM messages WHERE id = $1', [pending])).toEqual([{ status: 'pending' }]);
    } finally {
      writeFileSync(join(root, file), text);
    }
  });

  async function deliverOne(): Promise<string> {
    const receipt = (await (await stack.deliver(writeMemo())).json()) as { messageUUID: string };
    const [row] = await stack.sql<{ id: string }>('SELECT id FROM messages WHERE external_id = $1', [
      receipt.messageUUID,
    ]);
    return row?.id as string;
  }
});

it('a message under a legal hold in the restored database stays, and is counted', async () => {
  const id = await deliverAndDelete(stack);
  await untilWritten();
  await stack.sql(`UPDATE messages SET status = 'pending', legal_hold = true WHERE id = $1`, [id]);
  expect(await reapplyDeletions(parts, ledger, { isDryRun: false })).toMatchObject({ 'legal-hold': 1, deleted: 0 });
  await stack.sql('UPDATE messages SET legal_hold = false WHERE id = $1', [id]);
  expect(await reapplyDeletions(parts, ledger, { isDryRun: false })).toMatchObject({ 'legal-hold': 0, deleted: 1 });
});

it('a message that came again after the restore, under another id, is deleted again', async () => {
  const id = await deliverAndDelete(stack);
  await untilWritten();
  const deletion = (await linesOf())
    .flatMap((line) => ('deletion' in line ? [line.deletion] : []))
    .find((line) => line.id === id);
  const folder = pathToFileURL(`${stack.contentFolder}-of-another-id`).href;
  const other = await openLedger({ BLOB_URL: folder, DELETION_LEDGER_URL: folder });
  await appendToLedger(other, parts.keys, [{ ...(deletion as Deletion), id: randomUUID() }]);
  await stack.sql(`UPDATE messages SET status = 'pending' WHERE id = $1`, [id]);
  expect(await reapplyDeletions(parts, other, { isDryRun: false })).toMatchObject({ deleted: 1, tombstone: 0 });
  expect(await stack.sql('SELECT status FROM messages WHERE id = $1', [id])).toEqual([{ status: 'deleted' }]);
});

/** With owners and modes, as a backup of the files of a stopped server. */
const copy = (from: string, to: string) => execFileSync('cp', ['-a', from, to]);

describe('after a restore of the whole database from before the deletions', () => {
  it(
    'what was deleted is deleted again, and what the backup did not have does not come back',
    () =>
      withOwnState(async (paths) => {
        const { cluster } = clusterOf(postgresHomeOf(paths.root));
        const backup = `${cluster}-backup`;
        const memo = (word: string) => writeMemo({ documents: [textDocument(`${word} er indholdet`)], subject: word });
        const [before, journalized, after, kept] = ['foer', 'journaliseret', 'efter', 'beholdt'].map(memo) as [
          Buffer,
          Buffer,
          Buffer,
          Buffer,
        ];

        let postgres = await startPostgres({ stateDir: paths.root, settings: NOT_DURABLE });
        const { url, ownerUrl } = await prepareDatabase(postgres.url, 'indbakke');
        const env = {
          ...(await prepareState(paths, { url, ownerUrl })),
          LOG_LEVEL: 'silent',
          SMALL_CONTENT_BYTES: '0',
        };
        /** The services, on the PostgreSQL that runs now. */
        const running = async () => {
          const { port } = new URL(postgres.url);
          const at = (given: string) => Object.assign(new URL(given), { port }).href;
          const config = readConfig(StackConfig, { ...env, DATABASE_URL: at(url) });
          const stopped = await serve(config, 'test', allServices(config));
          const client = new InboxClient(stopped.url, await issueToken(paths), AbortSignal.timeout(60_000));
          const sql = (text: string) => runSql<{ id: string; status: string }>(at(ownerUrl), text);
          const send = async (xml: Buffer) =>
            ((await (await deliver(stopped.url, xml)).json()) as { transmissionId: string }).transmissionId;
          const idOf = async (transmission: string) =>
            (await sql(`SELECT id FROM messages WHERE transmission_id = '${transmission}'`))[0]?.id as string;
          return { config, client, sql, send, idOf, close: () => stopped.close() };
        };

        let services = await running();
        const firstReceipts = [
          await services.send(before),
          await services.send(journalized),
          await services.send(kept),
        ];
        const ids = await Promise.all(firstReceipts.map((receipt) => services.idOf(receipt)));
        const [beforeId, journalizedId, keptId] = ids as [string, string, string];
        await services.sql(
          `INSERT INTO cases (municipality, case_id) SELECT municipality, 'K-1' FROM messages LIMIT 1`,
        );
        await services.client.journalize({ id: journalizedId, version: 1 }, { caseIds: ['K-1'] });
        await services.close();
        await postgres.stop();
        copy(cluster, backup);

        postgres = await startPostgres({ stateDir: paths.root, settings: NOT_DURABLE });
        services = await running();
        const afterReceipt = await services.send(after);
        const afterId = await services.idOf(afterReceipt);
        await deleteNow(services.client, { id: beforeId, version: 1 });
        const takenBack = await services.client.takeBack({ id: journalizedId, version: 2 }, { reason: 'other' });
        await deleteNow(services.client, takenBack);
        await deleteNow(services.client, { id: afterId, version: 1 });
        const written = await openParts(services.config, 'by-hand');
        await ledgerWriter(written, services.config)();
        await written.queues.close();
        await written.store.close();
        await services.close();
        await postgres.stop();

        rmSync(cluster, { recursive: true });
        copy(backup, cluster);
        postgres = await startPostgres({ stateDir: paths.root, settings: NOT_DURABLE });
        services = await running();
        try {
          const statuses = async () =>
            Object.fromEntries(
              (await services.sql('SELECT id, status FROM messages')).map(({ id, status }) => [id, status]),
            );
          expect(await statuses()).toEqual({
            [beforeId]: 'pending',
            [journalizedId]: 'journalized',
            [keptId]: 'pending',
          });
          const reapply = async (isDryRun: boolean) => {
            const again = await openParts(services.config, 'by-hand');
            const counts = await reapplyDeletions(again, await openLedger(services.config), { isDryRun });
            await again.queues.close();
            await again.store.close();
            return counts;
          };
          expect(await reapply(true)).toMatchObject({ deleted: 2, tombstone: 1, forged: 0 });
          expect((await statuses())[beforeId]).toBe('pending');
          expect(await reapply(false)).toMatchObject({ deleted: 2, tombstone: 1, forged: 0 });
          expect(await statuses()).toEqual({
            [beforeId]: 'deleted',
            [journalizedId]: 'deleted',
            [afterId]: 'deleted',
            [keptId]: 'pending',
          });
          expect(await refusalOf(services.client.read(beforeId))).toBe('404 not-found');
          const audit = await services.sql(
            `SELECT message_id AS id, details->>'deletedBy' AS status FROM audit_events
           WHERE action = 'deleted' AND (details->>'reapplied')::boolean ORDER BY 1`,
          );
          expect(audit).toEqual(
            [beforeId, journalizedId, afterId].sort().map((id) => ({ id, status: 'caseworker-1' })),
          );
          // A repeat changes nothing, and a letter that comes again gets its first receipt.
          expect(await reapply(false)).toMatchObject({ deleted: 0, tombstone: 0, 'deleted-before': 3 });
          expect(await services.send(after)).toBe(afterReceipt);
          expect(await services.send(before)).toBe(firstReceipts[0]);
          expect(Object.keys(await statuses())).toHaveLength(4);
        } finally {
          await services.close();
          await postgres.stop();
        }
      }),
    120_000,
  ); // PostgreSQL starts three times
});
