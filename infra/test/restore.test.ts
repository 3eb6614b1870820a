import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ArchiverConfig } from '@indbakke/archiver';
import { alone, makeDueDays, openLedgerFolder } from '@indbakke/operations';
import { readConfig } from '@indbakke/shared/config';
import { openParts, type Parts, serve } from '@indbakke/shared/service';
import pg from 'pg';
import { expect, it } from 'vitest';
import { openLedger } from '../../services/archiver/src/deletion-ledger/ledger.js';
import { writeDeletions } from '../../services/archiver/src/deletion-ledger/write-ledger.js';
import { numberChanges } from '../../services/journaler/src/feed/number-changes.js';
import { clusterOf, postgresHomeOf } from '../../tools/local-state.mjs';
import { prepareDatabase } from '../src/local/database.js';
import { EXAMPLE_MUNICIPALITY } from '../src/local/example-municipality.js';
import { startPostgres } from '../src/local/postgres/postgres.js';
import { allServices, StackConfig } from '../src/local/services.js';
import { launchCommand } from '../src/testkit/command.js';
import { runSql } from '../src/testkit/database.js';
import { deliver } from '../src/testkit/deliver.js';
import { InboxClient } from '../src/testkit/inbox-client.js';
import { noonIn } from '../src/testkit/noon.js';
import { withOwnState } from '../src/testkit/own-state.js';
import { issueToken, prepareState } from '../src/testkit/set-up.js';
import { textDocument, writeMemo } from '../src/testkit/write-memo.js';

// A backup of a server that runs, with its archived log; a loss; and all that comes after it, as docs/backup.md has it. The
// embedded PostgreSQL has neither pg_basebackup nor pg_dump, so the backup is made as PostgreSQL 18, 25.3.4 says.

const { cvr } = EXAMPLE_MUNICIPALITY;
const copy = (from: string, to: string) => execFileSync('cp', ['-a', from, to]);

it(
  'after a restore nothing that was received is lost unseen, nothing deleted comes back, and no position is given again',
  { tags: 'lab', timeout: 300_000 },
  () =>
    withOwnState(async (paths) => {
      const home = postgresHomeOf(paths.root);
      const { cluster, dataDir } = clusterOf(home);
      let postgres = await startPostgres({ stateDir: paths.root });
      const archive = `${cluster}-archived`;
      mkdirSync(archive);
      chmodSync(archive, 0o777);
      await postgres.stop();
      const archiving = { archive_mode: 'on', archive_command: `cp %p ${archive}/%f`, autovacuum: 'off' };
      postgres = await startPostgres({ stateDir: paths.root, settings: archiving });
      const { url, ownerUrl } = await prepareDatabase(postgres.url, 'indbakke');
      const env = {
        ...(await prepareState(paths, { url, ownerUrl })),
        LOG_LEVEL: 'silent',
        SMALL_CONTENT_BYTES: '0',
      };
      const at = (given: string) => Object.assign(new URL(given), { port: new URL(postgres.url).port }).href;
      const config = () => readConfig(StackConfig, { ...env, DATABASE_URL: at(url) });
      const sql = <Row extends pg.QueryResultRow>(text: string) => runSql<Row>(at(ownerUrl), text);
      const run = (command: string, ...args: string[]) =>
        launchCommand(command, args, { ...env, DATABASE_URL: at(url), DATABASE_OWNER_URL: undefined }).ended;
      const runAudit = () => launchCommand('audit', ['verify'], { ...env, DATABASE_OWNER_URL: at(ownerUrl) }).ended;
      const withParts = async (work: (parts: Parts) => Promise<unknown>) => {
        const parts = await openParts(config(), 'by-hand');
        await work(parts);
        await parts.queues.close();
        await parts.store.close();
      };
      /** As if it had come on a day whose line is not made yet. */
      const receivedDaysLater = (id: string, days: number) =>
        sql(`UPDATE messages SET received_at = received_at + make_interval(days => ${days}) WHERE id = '${id}'`);
      /** The night after, and all sweeps that write outside the database. */
      const night = (days: number) =>
        withParts(async (parts) => {
          await writeDeletions(parts, await openLedger(readConfig(ArchiverConfig, { ...env, DATABASE_URL: at(url) })));
          while (await numberChanges(parts));
          const folder = await openLedgerFolder(config());
          await alone(at(url), true, () => makeDueDays(parts, folder, noonIn(days)));
        });
      const services = async () => {
        const running = await serve(config(), 'test', allServices(config()));
        const client = new InboxClient(running.url, await issueToken(paths), AbortSignal.timeout(240_000));
        const core = await issueToken(paths, { user: 'core', system: true });
        return {
          ...running,
          client,
          async send(messageUUID = randomUUID()) {
            const documents = [textDocument(`Indhold af ${messageUUID}`)];
            expect((await deliver(running.url, writeMemo({ messageUUID, documents }))).status).toBe(200);
            const [row] = await sql<{ id: string }>(`SELECT id FROM messages WHERE external_id = '${messageUUID}'`);
            return { messageUUID, id: row?.id as string };
          },
          async feed(after: number | 'latest') {
            const answer = await fetch(`${running.url}/api/v1/events?after=${after}&wait=0`, {
              headers: { authorization: `Bearer ${core}` },
            });
            return {
              status: answer.status,
              ...((await answer.json()) as { head: number; oldest: number; next: number }),
            };
          },
          async remove(id: string) {
            const rejected = await client.reject({ id, version: 1 }, { reason: 'unwanted', explanation: 'Reklame.' });
            await client.deleteForGood(rejected);
          },
        };
      };

      // Before the backup.
      let stack = await services();
      const [kept, deletedAfter] = [await stack.send(), await stack.send()];
      await stack.close();
      await night(1);

      // The backup: of the database while it runs, then of the content.
      const backup = `${cluster}-backup`;
      const client = new pg.Client({ connectionString: postgres.url });
      await client.connect();
      await client.query(`SELECT pg_backup_start('test', true)`);
      copy(dataDir, backup);
      const { rows } = await client.query<{ labelfile: string }>('SELECT labelfile FROM pg_backup_stop()');
      await client.end();
      const { uid, gid } = statSync(dataDir);
      writeFileSync(join(backup, 'backup_label'), rows[0]?.labelfile ?? '');
      execFileSync('chown', [`${uid}:${gid}`, join(backup, 'backup_label')]);
      rmSync(join(backup, 'postmaster.pid'), { force: true });
      copy(paths.content, `${paths.content}-old`);
      for (const name of readdirSync(join(backup, 'pg_wal'))) rmSync(join(backup, 'pg_wal', name), { recursive: true });

      // After it: what the archived log brings back, up to a time; and what is lost.
      stack = await services();
      const replayed = await stack.send();
      await stack.close();
      await receivedDaysLater(replayed.id, 1);
      await night(2);
      copy(paths.content, `${paths.content}-new`);
      const [{ target } = { target: '' }] = await sql<{ target: string }>('SELECT clock_timestamp()::text AS target');
      stack = await services();
      const lost = await stack.send();
      await stack.remove(deletedAfter.id);
      await stack.close();
      await receivedDaysLater(lost.id, 2);
      await night(3);
      const [given] = await sql<{ head: string }>(`SELECT event_position AS head FROM feed_heads`);
      const headBefore = Number(given?.head);
      await sql('SELECT pg_switch_wal()');
      await sql('CHECKPOINT');
      await postgres.stop();
      rmSync(dataDir, { recursive: true });
      rmSync(paths.content, { recursive: true });

      // The restore, to that time, into an empty folder of another server.
      copy(backup, dataDir);
      writeFileSync(join(dataDir, 'recovery.signal'), '');
      execFileSync('chown', [`${uid}:${gid}`, join(dataDir, 'recovery.signal')]);
      postgres = await startPostgres({
        stateDir: paths.root,
        settings: {
          restore_command: `cp ${archive}/%f %p`,
          recovery_target_time: target,
          recovery_target_action: 'promote',
          archive_mode: 'off',
        },
      });
      while ((await sql<{ is: boolean }>('SELECT pg_is_in_recovery() AS is'))[0]?.is) await pause(50);
      const statuses = async () =>
        Object.fromEntries(
          (await sql<{ id: string; status: string }>('SELECT id, status FROM messages')).map((row) => [
            row.id,
            row.status,
          ]),
        );
      expect(await statuses()).toEqual({
        [kept.id]: 'pending',
        [deletedAfter.id]: 'pending',
        [replayed.id]: 'pending',
      });

      copy(`${paths.content}-old`, paths.content);
      const first = await run('restore-check');
      expect(first.errors).toBe('');
      expect(first.output).toContain(`${lost.id} (${lost.messageUUID}) was received and is not here`);
      expect(first.output).toContain('1 deletions or removals of content are not in this database.');
      expect(first.output).toContain('The change feeds of 1 municipalities go on above all positions');
      expect(first.output).toContain(`the message ${replayed.id} has no content where its row says.`);
      expect(first.output).not.toContain(kept.id);
      expect(first.output).toMatch(/1\. Delete again what was deleted: npm run reapply-deletions\./);
      expect(first.status).toBe(1);

      // As it says: a newer backup of the content; delete again; the lost message is sent again.
      rmSync(paths.content, { recursive: true });
      copy(`${paths.content}-new`, paths.content);
      expect((await run('reapply-deletions')).status).toBe(0);
      expect(await statuses()).toMatchObject({ [deletedAfter.id]: 'deleted' });
      const second = await run('restore-check');
      expect(second.output).toContain('positions of the change feed are not given again');
      expect(second.output).toContain('The content of 2 messages was read, and is what was received.');
      expect(second.status).toBe(1);
      const list = join(paths.root, 'list.csv');
      writeFileSync(
        list,
        ['Meddelelse', ...[kept, deletedAfter, replayed, lost].map((each) => each.messageUUID)].join('\r\n'),
      );
      const compared = await run('ledger', 'compare', list);
      expect(compared.output).toContain(`1 are deleted:\n${deletedAfter.messageUUID}`);
      expect(compared.output).toContain(`1 are not here:\n${lost.messageUUID}`);
      expect(compared.status).toBe(1);

      stack = await services();
      try {
        const again = await stack.send(lost.messageUUID);
        expect(again.id).not.toBe(lost.id);
        await receivedDaysLater(again.id, 3);
        // Who had read events that are lost, or any from before, begins anew; positions are above all that were given.
        for (const position of [0, 1, headBefore, headBefore + 1])
          expect(await stack.feed(position)).toMatchObject({ status: 410, oldest: headBefore + 100_000_001 });
        await withParts(async (parts) => {
          while (await numberChanges(parts));
        });
        const { head } = await stack.feed('latest');
        expect(head).toBeGreaterThan(headBefore + 100_000_000);
        expect(await stack.feed(headBefore + 100_000_000)).toMatchObject({ status: 200, next: head });
      } finally {
        await stack.close();
      }
      expect(await run('restore-check')).toMatchObject({ status: 0, errors: '' });
      expect(await runAudit()).toMatchObject({ status: 0, errors: 'The audit log is whole.\n' });
      await night(4);
      const verified = await run('ledger', '--municipality', cvr, '--verify', '--content');
      expect(verified.output).toBe('4 days of municipalities were compared, with all files: 0 differences.\n');
      await postgres.stop();
    }),
);
