import { readFileSync, rmSync, statSync } from 'node:fs';
import { appendFile, chown, copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { serverOf, stopServer } from '../../../tools/local-state.mjs';
import { freePort } from '../local/free-port.js';
import { runPgCtl } from '../local/postgres/server.js';
import type { StatePaths } from '../local/state.js';
import { type Address, openAddress } from './address.js';
import { runSql } from './database.js';
import { killPostgres } from './kill-postgres.js';
import { type OwnPostgres, startOwnPostgres } from './own-state.js';

/** One server of several. */
export interface Replica {
  /** Its application_name as a standby. */
  readonly name: string;
  readonly dataDir: string;
  /** As superuser, past the address. */
  readonly url: string;
}

export interface ReplicasOptions {
  /** Default 2, so that one may be away. */
  readonly standbys?: number;
  /** Whether COMMIT waits until one of the standbys has it; default true. */
  readonly isSynchronous?: boolean;
  readonly settings?: Readonly<Record<string, string>>;
}

// Standbys look for the new primary at once, and what they lack is still there.
const SETTINGS = { wal_retrieve_retry_interval: '100ms', wal_keep_size: '256MB' };
const STREAMS_WITHIN_MS = 30_000;
const POLL_MS = 20;
const PROMOTED_WITHIN_S = 30;

/** A PostgreSQL with hot standbys by streaming replication, behind an address that leads to the primary. */
export class Replicas {
  readonly paths: StatePaths;
  readonly #first: OwnPostgres;
  readonly #address: Address;
  /** Of the standbys, which an isolated primary loses while others still reach it. */
  readonly #replication: Address;
  readonly #isSynchronous: boolean;
  #primary: Replica;
  #standbys: Replica[] = [];
  /** Primaries of before, dead or not. */
  #former: Replica[] = [];
  #number = 1;

  private constructor(first: OwnPostgres, isSynchronous: boolean, address: Address, replication: Address) {
    this.paths = first.paths;
    this.#first = first;
    this.#isSynchronous = isSynchronous;
    this.#address = address;
    this.#replication = replication;
    this.#primary = { name: 'replica_1', dataDir: first.dataDir, url: first.url };
  }

  static async start({ standbys = 2, isSynchronous = true, settings = {} }: ReplicasOptions = {}): Promise<Replicas> {
    const first = await startOwnPostgres({ ...SETTINGS, ...settings });
    const port = Number(new URL(first.url).port);
    const replicas = new Replicas(first, isSynchronous, await openAddress(port), await openAddress(port));
    try {
      for (let n = 0; n < standbys; n += 1) await replicas.addStandby();
      if (isSynchronous) {
        await runSql(first.url, `ALTER SYSTEM SET synchronous_standby_names = '${ANY_ONE}'`);
        await runSql(first.url, 'SELECT pg_reload_conf()');
        await replicas.#untilStreaming(replicas.#standbys);
      }
      return replicas;
    } catch (error) {
      await replicas.stop();
      throw error;
    }
  }

  /** As superuser, of the server that the address leads to. */
  get url(): string {
    return this.#at(this.#address.port);
  }

  /** Of the primary. */
  get dataDir(): string {
    return this.#primary.dataDir;
  }

  get primary(): Replica {
    return this.#primary;
  }

  get standbys(): readonly Replica[] {
    return this.#standbys;
  }

  /** A URL of the address, as one of this server. */
  at({ url }: Replica, addressUrl: string): string {
    return Object.assign(new URL(addressUrl), { port: new URL(url).port }).href;
  }

  /** Makes a new standby from a base backup of the primary. Resolves when it follows. */
  async addStandby(): Promise<Replica> {
    this.#number += 1;
    const name = `replica_${this.#number}`;
    const dataDir = await this.#copyPrimary(name);
    const port = await this.#start(name, dataDir);
    const standby = { name, dataDir, url: this.#at(port) };
    this.#standbys.push(standby);
    await this.#untilStreaming([standby]);
    return standby;
  }

  /** The primary dies (SIGKILL). */
  async killPrimary(): Promise<void> {
    await killPostgres(this.#primary.dataDir);
  }

  /** A standby dies (SIGKILL), and does not come back. */
  async killStandby(standby: Replica): Promise<void> {
    this.#standbys = this.#standbys.filter((each) => each !== standby);
    await killPostgres(standby.dataDir);
  }

  /** Standbys do not reach the primary any more, while who has a connection to it still does. */
  isolatePrimary(): void {
    this.#replication.moveTo(0);
  }

  /**
   * Promotes a standby, and moves the address there; the others follow it. The primary of before is left as it is.
   *
   * @param opts `keepsOpen`: connections to the primary of before stay open; `to`: default is the standby that has most
   */
  async promote({
    keepsOpen = false,
    to,
  }: {
    readonly keepsOpen?: boolean;
    readonly to?: Replica;
  } = {}): Promise<void> {
    const best = to ?? (await this.#mostAdvanced());
    await runSql(best.url, `SELECT pg_promote(true, ${PROMOTED_WITHIN_S})`);
    this.#former.push(this.#primary);
    this.#primary = best;
    this.#standbys = this.#standbys.filter((each) => each !== best);
    const port = Number(new URL(best.url).port);
    this.#replication.moveTo(port);
    this.#address.moveTo(port, { keepsOpen });
  }

  /** Moves the address, to a primary or by mistake. */
  leadTo({ url }: Replica): void {
    this.#address.moveTo(Number(new URL(url).port));
  }

  /** Resolves when the standbys have replayed everything that is committed now. */
  async untilReplayed(): Promise<void> {
    const [now] = await runSql<{ at: string }>(this.#primary.url, 'SELECT pg_current_wal_flush_lsn() AS at');
    for (const { url } of this.#standbys)
      await until(async () => {
        const [row] = await runSql<{ has: boolean }>(url, 'SELECT pg_last_wal_replay_lsn() >= $1 AS has', [now?.at]);
        return row?.has ?? false;
      }, 'A standby does not follow.');
  }

  async stop(): Promise<void> {
    await Promise.all([this.#address.close(), this.#replication.close()]);
    for (const { dataDir } of [...this.#standbys, this.#primary, ...this.#former]) {
      await stopServer(dataDir);
      if (dataDir !== this.#first.dataDir) rmSync(dirname(dataDir), { recursive: true, force: true });
    }
    await this.#first.stop();
  }

  /** @returns the data of a new standby, which finds the primary where the others do */
  async #copyPrimary(name: string): Promise<string> {
    const folder = join(dirname(dirname(this.#first.dataDir)), `cluster-${name}`);
    const dataDir = join(folder, 'data');
    const owner = statSync(this.#primary.dataDir);
    await mkdir(folder, { mode: 0o700 });
    await chown(folder, owner.uid, owner.gid);
    await backUp(this.#primary, dataDir, owner);
    const { username, password } = new URL(this.#primary.url);
    const conninfo = `host=127.0.0.1 port=${this.#replication.port} user=${username} password=${password} application_name=${name}`;
    const waitsFor = this.#isSynchronous ? `synchronous_standby_names = '${ANY_ONE}'\n` : '';
    await appendFile(join(dataDir, 'postgresql.auto.conf'), `primary_conninfo = '${conninfo}'\n${waitsFor}`);
    await write(join(dataDir, 'standby.signal'), '', owner);
    return dataDir;
  }

  /** Starts a standby with the options of the first server. @returns its port */
  async #start(name: string, dataDir: string): Promise<number> {
    const port = await freePort();
    const { binaries, settings } = optionsOf(this.#first.dataDir);
    const options = [...settings, `port=${port}`].map((setting) => `-c ${setting.replace('=', "='")}'`).join(' ');
    const { uid, gid } = statSync(dataDir);
    const account = process.getuid?.() === 0 ? { uid, gid } : undefined;
    const logFile = join(this.paths.root, `${name}.log`);
    const logged = await runPgCtl({ account, binaries, dataDir, logFile }, ['start', '--options', options]);
    if (!serverOf(dataDir)) throw new Error(`The standby did not start: ${logged}`);
    return port;
  }

  async #mostAdvanced(): Promise<Replica> {
    const found = await Promise.all(
      this.#standbys.map(async (standby) => ({ standby, at: await receivedBy(standby) })),
    );
    const [best] = found.sort((one, other) => other.at - one.at);
    if (!best) throw new Error('There is no standby.');
    return best.standby;
  }

  #at(port: number): string {
    return Object.assign(new URL(this.#first.url), { port: String(port) }).href;
  }

  async #untilStreaming(standbys: readonly Replica[]): Promise<void> {
    const names = standbys.map(({ name }) => name);
    const streaming = `SELECT FROM pg_stat_replication WHERE application_name = ANY ($1) AND state = 'streaming'`;
    const { url } = this.#primary;
    await until(
      async () => (await runSql(url, streaming, [names])).length === names.length,
      'A standby does not stream.',
    );
  }
}

const ANY_ONE = 'ANY 1 (*)';

async function until(isDone: () => Promise<boolean>, timeoutMessage: string): Promise<void> {
  for (const limit = performance.now() + STREAMS_WITHIN_MS; !(await isDone()); await pause(POLL_MS)) {
    if (performance.now() > limit) throw new Error(timeoutMessage);
  }
}

async function receivedBy({ url }: Replica): Promise<number> {
  const [row] = await runSql<{ at: number }>(
    url,
    `SELECT pg_wal_lsn_diff(greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()), '0/0')::float8 AS at`,
  );
  return row?.at ?? 0;
}

/** PostgreSQL 18, postmaster.opts: the program, then each argument between double quotes. */
function optionsOf(dataDir: string): { readonly binaries: string; readonly settings: readonly string[] } {
  const text = readFileSync(join(dataDir, 'postmaster.opts'), 'utf8');
  const [program = ''] = text.split(' "');
  const settings = [...text.matchAll(/"([^"]*)"/g)].map(([, argument = '']) => argument);
  const isOwn = (setting: string) => /^\w+=/.test(setting) && !setting.startsWith('port=');
  return { binaries: dirname(program), settings: settings.filter(isOwn) };
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

// PostgreSQL 18, 25.3.4.2: what a backup of the data directory leaves out.
const LEFT_OUT = /^(postmaster\.(pid|opts)|backup_label(\.old)?|tablespace_map(\.old)?|standby\.signal|pgsql_tmp.*)$/;
const EMPTY = /^(pg_wal|pg_replslot|pg_dynshmem|pg_notify|pg_serial|pg_snapshots|pg_stat_tmp|pg_subtrans)$/;

/** A base backup over a connection: the embedded binaries lack pg_basebackup. */
async function backUp({ url, dataDir }: Replica, target: string, owner: Owner): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`SELECT pg_backup_start('standby', true)`);
    await copyFolder(dataDir, target, owner);
    const { rows } = await client.query<{ labelfile: string }>('SELECT labelfile FROM pg_backup_stop(false)');
    await write(join(target, 'backup_label'), rows[0]?.labelfile ?? '', owner);
  } finally {
    await client.end();
  }
}

async function copyFolder(from: string, to: string, owner: Owner): Promise<void> {
  await mkdir(to, { mode: 0o700 });
  await chown(to, owner.uid, owner.gid);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    if (LEFT_OUT.test(entry.name)) continue;
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) {
      if (!EMPTY.test(entry.name)) await copyFolder(source, target, owner);
      else {
        await mkdir(target, { mode: 0o700 });
        await chown(target, owner.uid, owner.gid);
      }
      continue;
    }
    try {
      await copyFile(source, target);
      await chown(target, owner.uid, owner.gid);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error; // dropped meanwhile: the log has it
    }
  }
}

async function write(path: string, content: string, { uid, gid }: Owner): Promise<void> {
  await writeFile(path, content, { mode: 0o600 });
  await chown(path, uid, gid);
}
