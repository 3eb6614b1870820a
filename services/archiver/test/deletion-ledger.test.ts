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
import { ODENSKOV, startTestStack, type TestStack, VESTERSUND } from '../../../infra/src/testkit/stack.js';
import { textDocument, writeMemo } from '../../../infra/src/testkit/write-memo.js';
import { clusterOf, postgresHomeOf } from '../../../tools/local-state.mjs';
import { ArchiverConfig } from '../src/config.js';
import { appendToLedger, type Deletion, openLedger, readLedger } from '../src/deletion-ledger/ledger.js';
import { reapplyDeletions } from '../src/deletion-ledger/reapply.js';
import { ledgerWriter, writeDeletions } from '../src/deletion-ledger/write-ledger.js';
import { removeDueContent } from '../src/retention/content.js';
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
    const left = `SELECT FROM messages WHERE (status = 'deleted' OR content_removed_at IS NOT NULL) AND NOT in_deletion_ledger`;
    if ((await stack.sql(left)).length === 0) return;
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
        change: 'deleted',
        kind: 'enquiry',
        receivedAt: expect.any(String),
        letterAt: expect.any(String),
        transmissionId: expect.any(String),
        handledAt: expect.any(String),
        copy: null,
        deletedAt: expect.any(String),
        deletedBy: 'caseworker-1',
      },
    });
  });

  it('is written by the archiver soon after', { tags: 'long' }, async () => {
    const written = crashPointPassed('ledger-written');
    await deliverAndDelete(stack);
    await written;
  });

  it('loses no deletion when the process is killed while it is written', async () => {
    await untilWritten();
    const id = await deliverAndDelete(stack);
    // The sweep of the stack may be first.
    await stack.sql('UPDATE messages SET in_deletion_ledger = false WHERE id = $1', [id]);
    await killedAt(stack, 'ledger', 'ledger-written');
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

describe('a message that was handed over and then deleted', () => {
  const COPY = '019cf000-0000-7000-8000-000000000001';
  const lineOf = async (id: string) => {
    const lines = (await linesOf()).flatMap((line) => ('deletion' in line ? [line.deletion] : []));
    return lines.findLast((line) => line.id === id && line.copy) as Deletion;
  };

  it('stays until the copy is in the restored database, or is deleted there', async () => {
    const id = await deliverAndDelete(stack);
    await stack.sql(
      `INSERT INTO handovers (id, from_municipality, to_municipality, message_id, taken_message_id, case_id, kind, received_at,
         letter_at, is_concern, file_count, attachment_count, content_size, status, offered_at, offered_by, expires_at, ended_at, ended_by)
       VALUES (gen_random_uuid(), $1, $2, $3, $4, 'K-1', 'reply', now(), now(), false, 1, 0, 0, 'taken', now(), 'bo', now(), now(), 'bo')`,
      [ODENSKOV, VESTERSUND, id, COPY],
    );
    await stack.sql('UPDATE messages SET in_deletion_ledger = false WHERE id = $1', [id]);
    await untilWritten();
    await stack.sql('DELETE FROM handovers WHERE message_id = $1', [id]);
    const own = await openLedger({ BLOB_URL: `${stack.env.BLOB_URL}-handed-over` });
    await appendToLedger(own, parts.keys, [await lineOf(id)]);
    expect((await lineOf(id)).copy).toEqual({ id: COPY, municipality: VESTERSUND });

    await stack.sql(`UPDATE messages SET status = 'pending' WHERE id = $1`, [id]);
    const reapply = async () => reapplyDeletions(parts, own, { isDryRun: false });
    expect(await reapply()).toMatchObject({ 'handed-over': 1, deleted: 0 });
    expect(await stack.sql('SELECT status FROM messages WHERE id = $1', [id])).toEqual([{ status: 'pending' }]);

    const copyDeleted = { ...(await lineOf(id)), id: COPY, municipality: VESTERSUND, copy: null };
    await appendToLedger(own, parts.keys, [copyDeleted]);
    expect(await reapply()).toMatchObject({ 'handed-over': 0, tombstone: 1, deleted: 1 });
  });
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

describe('after a restore of the whole database from before the deletions', { tags: 'long' }, () => {
  it(
    'what was deleted or removed is so again, what the backup did not have does not come back, and nothing kept goes',
    () =>
      withOwnState(async (paths) => {
        const { cluster } = clusterOf(postgresHomeOf(paths.root));
        const backup = `${cluster}-backup`;
        const memo = (word: string) => writeMemo({ documents: [textDocument(`${word} er indholdet`)], subject: word });
        const [before, journalized, kept, shortened, waiting, regretted] = [
          'foer',
          'journaliseret',
          'beholdt',
          'forkortet',
          'ventende',
          'fortrudt',
        ].map(memo) as [Buffer, Buffer, Buffer, Buffer, Buffer, Buffer];
        const [after, shortenedAfter] = [memo('efter'), memo('forkortet-efter')];

        let postgres = await startPostgres({ stateDir: paths.root, settings: NOT_DURABLE });
        const { url, ownerUrl } = await prepareDatabase(postgres.url, 'indbakke');
        const env = {
          ...(await prepareState(paths, { url, ownerUrl })),
          LOG_LEVEL: 'silent',
          SMALL_CONTENT_BYTES: '0',
        };
        /** The database, on the PostgreSQL that runs now. */
        const database = () => {
          const { port } = new URL(postgres.url);
          const at = (given: string) => Object.assign(new URL(given), { port }).href;
          const config = readConfig(StackConfig, { ...env, DATABASE_URL: at(url) });
          const sql = (text: string) => runSql<{ id: string; status: string }>(at(ownerUrl), text);
          const withParts = async <T>(work: (parts: Parts) => Promise<T>) => {
            const opened = await openParts(config, 'by-hand');
            const result = await work(opened);
            await opened.queues.close();
            await opened.store.close();
            return result;
          };
          return { config, sql, withParts };
        };
        const running = async () => {
          const { config, sql, withParts } = database();
          const stopped = await serve(config, 'test', allServices(config));
          const client = new InboxClient(stopped.url, await issueToken(paths), AbortSignal.timeout(120_000));
          const send = async (xml: Buffer) =>
            ((await (await deliver(stopped.url, xml)).json()) as { transmissionId: string }).transmissionId;
          const idOf = async (transmission: string) =>
            (await sql(`SELECT id FROM messages WHERE transmission_id = '${transmission}'`))[0]?.id as string;
          return { config, client, sql, withParts, send, idOf, close: () => stopped.close() };
        };

        let services = await running();
        const receipts: string[] = [];
        for (const xml of [before, journalized, kept, shortened, waiting, regretted])
          receipts.push(await services.send(xml));
        const ids = await Promise.all(receipts.map((receipt) => services.idOf(receipt)));
        const [beforeId, journalizedId, keptId, shortenedId, waitingId, regrettedId] = ids as [
          string,
          string,
          string,
          string,
          string,
          string,
        ];
        await services.sql(
          `INSERT INTO cases (municipality, case_id) SELECT municipality, 'K-1' FROM messages LIMIT 1`,
        );
        await services.client.journalize({ id: journalizedId, version: 1 }, { caseIds: ['K-1'] });
        await services.client.journalize({ id: shortenedId, version: 1 }, { caseIds: ['K-1'] });
        await services.sql('UPDATE municipalities SET deletion_delay_days = 1');
        await deleteNow(services.client, { id: regrettedId, version: 1 });
        await services.sql('UPDATE municipalities SET deletion_delay_days = 0');
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
        const shortenedReceipt = await services.send(shortenedAfter);
        const shortenedAfterId = await services.idOf(shortenedReceipt);
        for (const id of [waitingId, shortenedAfterId])
          await services.client.journalize({ id, version: 1 }, { caseIds: ['K-1'] });
        await services.sql(`UPDATE municipalities SET remove_content_after_days = 1`);
        await services.sql(`UPDATE messages SET handled_at = now() - interval '2 days' WHERE status = 'journalized'`);
        await services.withParts(async (opened) => {
          expect(await removeDueContent(opened, new Date())).toBe(3);
          await ledgerWriter(opened, services.config)();
        });
        await services.sql(
          `UPDATE messages SET deletion_requested_at = NULL, deletion_requested_by = NULL, deletion_sent_on = NULL,
             deletion_sender_informed = NULL, deletion_due_at = NULL WHERE id = '${regrettedId}'`,
        );
        await services.close();
        await postgres.stop();

        rmSync(cluster, { recursive: true });
        copy(backup, cluster);
        postgres = await startPostgres({ stateDir: paths.root, settings: NOT_DURABLE });
        const restored = database();
        // Its delay is over meanwhile, and somebody had cancelled it.
        await restored.sql(
          `UPDATE messages SET deletion_due_at = now() - interval '1 day' WHERE id = '${regrettedId}'`,
        );
        const statuses = async () =>
          Object.fromEntries(
            (await restored.sql('SELECT id, status FROM messages')).map(({ id, status }) => [id, status]),
          );
        const reapply = (isDryRun: boolean) =>
          restored.withParts(async (opened) =>
            reapplyDeletions(opened, await openLedger(restored.config), { isDryRun }),
          );
        const wouldBe = {
          deleted: 2,
          'content-removed': 1,
          tombstone: 2,
          unhandled: 1,
          'delay-cancelled': 1,
          'deleted-before': 0,
          forged: 0,
        };
        const inBackup = {
          [beforeId]: 'pending',
          [journalizedId]: 'journalized',
          [keptId]: 'pending',
          [shortenedId]: 'journalized',
          [waitingId]: 'pending',
          [regrettedId]: 'rejected',
        };
        expect(await statuses()).toEqual(inBackup);
        expect(await reapply(true)).toMatchObject(wouldBe);
        expect(await statuses()).toEqual(inBackup);
        expect(await reapply(false)).toMatchObject(wouldBe);
        const now = {
          ...inBackup,
          [beforeId]: 'deleted',
          [journalizedId]: 'deleted',
          [afterId]: 'deleted',
          [shortenedAfterId]: 'journalized',
        };
        expect(await statuses()).toEqual(now);
        const removed = await restored.sql(
          `SELECT id FROM messages m WHERE content_removed_at IS NOT NULL AND blob_name IS NULL
             AND NOT EXISTS (SELECT FROM message_keys k WHERE k.message_id = m.id)
             AND NOT EXISTS (SELECT FROM message_details d WHERE d.message_id = m.id)`,
        );
        expect(removed.map(({ id }) => id).sort()).toEqual([shortenedId, shortenedAfterId].sort());
        const audit = await restored.sql(
          `SELECT message_id AS id, action || ' ' || (details->>'deletedBy') AS status FROM audit_events
           WHERE (details->>'reapplied')::boolean`,
        );
        const audited = Object.fromEntries(audit.map(({ id, status }) => [id, status]));
        expect(audited).toEqual({
          [beforeId]: 'deleted caseworker-1',
          [journalizedId]: 'deleted caseworker-1',
          [afterId]: 'deleted caseworker-1',
          [shortenedId]: 'content-removed indbakke',
          [shortenedAfterId]: 'content-removed indbakke',
        });
        // A repeat changes nothing, and a letter that comes again gets its first receipt.
        expect(await reapply(false)).toMatchObject({
          deleted: 0,
          'content-removed': 0,
          tombstone: 0,
          'delay-cancelled': 0,
          unhandled: 1,
          'deleted-before': 5,
        });
        services = await running();
        try {
          expect(await refusalOf(services.client.read(beforeId))).toBe('404 not-found');
          expect(await services.client.read(regrettedId)).toMatchObject({ status: 'rejected', deletion: null });
          for (const id of [shortenedId, shortenedAfterId])
            expect(await services.client.read(id)).toMatchObject({
              status: 'journalized',
              contentRemovedAt: expect.any(String),
            });
          expect(await services.send(after)).toBe(afterReceipt);
          expect(await services.send(shortenedAfter)).toBe(shortenedReceipt);
          expect(await services.send(before)).toBe(receipts[0]);
          expect(await statuses()).toEqual(now);
        } finally {
          await services.close();
          await postgres.stop();
        }
      }),
    120_000,
  ); // PostgreSQL starts three times
});
