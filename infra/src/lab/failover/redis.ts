import { setTimeout as pause } from 'node:timers/promises';
import type { RedisProcess } from '../../testkit/redis.js';
import type { Blow } from './queue-run.js';

/** A master and its replica, of which one stands in for the other. */
export interface Pair {
  readonly servers: readonly RedisProcess[];
  /** The one whose turn it is. */
  master(): Promise<RedisProcess>;
}

const POLL_MS = 50;
const TAKEN_OVER_WITHIN_MS = 60_000;
const BEHIND_MS = 1_500;
const PAUSED_MS = 4_000;

/** SIGKILL, and a start with nothing. */
function killed(pair: Pair): Blow {
  let dead: RedisProcess;
  return {
    what: 'master killed',
    async strike() {
      dead = await pair.master();
      await dead.kill();
      await hasTakenOver(pair, dead);
    },
    mend: () => comeBack(pair, () => dead.start()),
  };
}

/** What it acknowledged last has not reached its replica, and is lost. */
function killedBehind(pair: Pair): Blow {
  let dead: RedisProcess;
  let lost = 0;
  return {
    what: 'master killed, replica behind',
    async strike() {
      dead = await pair.master();
      const replica = await replicaOf(pair, dead);
      replica.pause();
      await dead.ask('client', 'kill', 'type', 'replica');
      await pause(BEHIND_MS);
      const written = await offsetOf(dead);
      await dead.kill();
      replica.resume();
      lost = written - (await offsetOf(replica));
      await hasTakenOver(pair, dead);
    },
    mend: () => comeBack(pair, () => dead.start()),
    figures: () => ({ 'bytes acknowledged and lost': lost }),
  };
}

/** SIGSTOP: it answers nothing, and its connections stay open until they are given up. */
function stopped(pair: Pair): Blow {
  let silent: RedisProcess;
  return {
    what: 'master stopped (SIGSTOP)',
    async strike() {
      silent = await pair.master();
      silent.pause();
      await hasTakenOver(pair, silent);
    },
    mend: () => comeBack(pair, async () => silent.resume()),
  };
}

/** As an operator does before a planned change: who writes waits. */
function paused(pair: Pair): Blow {
  return {
    what: 'CLIENT PAUSE of all that write',
    async strike() {
      await (await pair.master()).ask('client', 'pause', String(PAUSED_MS), 'write');
      await pause(PAUSED_MS);
    },
    mend: () => hasReplica(pair), // it may have been taken for dead
  };
}

async function replicaOf({ servers }: Pair, master: RedisProcess): Promise<RedisProcess> {
  const port = Number(/^slave0:.*port=(\d+)/m.exec(await master.ask('info', 'replication'))?.[1]);
  const replica = servers.find((each) => each.port === port);
  if (!replica) throw new Error('The master has no replica.');
  return replica;
}

/** How far it has written, or got, the stream of changes. */
async function offsetOf(server: RedisProcess): Promise<number> {
  const info = await server.ask('info', 'replication');
  return Number(/^(?:slave_repl_offset|master_repl_offset):(\d+)/m.exec(info)?.[1] ?? 0);
}

function hasTakenOver(pair: Pair, before: RedisProcess): Promise<void> {
  return until('The replica did not take over', async () => {
    const now = await pair.master();
    return now !== before && (await now.ask('info', 'replication')).includes('role:master');
  });
}

/** Until it follows the one that took over. */
async function comeBack(pair: Pair, bring: () => Promise<void>): Promise<void> {
  await bring();
  await hasReplica(pair);
}

function hasReplica(pair: Pair): Promise<void> {
  return until('The master got no replica', async () => {
    const info = await (await pair.master()).ask('info', 'replication');
    return /^slave0:.*state=online/m.test(info);
  });
}

async function until(fault: string, isSo: () => Promise<boolean>): Promise<void> {
  for (const limit = Date.now() + TAKEN_OVER_WITHIN_MS; Date.now() < limit; await pause(POLL_MS)) {
    if (await isSo().catch(() => false)) return; // nobody answers yet
  }
  throw new Error(`${fault} in ${TAKEN_OVER_WITHIN_MS / 1_000} seconds.`);
}

/** What happens to a master under load, in turn. */
export const BLOWS: readonly ((pair: Pair) => Blow)[] = [killedBehind, killed, stopped, paused];
