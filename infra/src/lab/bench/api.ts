import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { EXAMPLE_MUNICIPALITY } from '../../local/example-municipality.js';
import { issueToken } from '../../testkit/set-up.js';
import { atMost, type Bench, type Outcome, type Size } from './bench.js';
import type { Child } from './child.js';
import { type Answer, Connection } from './client.js';
import { alternate, percentile, rounded } from './measure.js';
import { REST_PATH, registerSentMessage, replyCopies } from './memos.js';
import type { Place } from './place.js';

const OURS = 'ours';
const BARE = '(c) bare';
const CLIENTS = [1, 8, 64];
const MAX_CPU_OF_BARE = 2;
const AT_ONCE = 500;
const MESSAGES = 256; // pending ones
const WARM_UP_SECONDS = 5;

const PATH = '/api/v1/incoming-documents';
const LIST = `${PATH}?limit=50`;

export const api: Bench = {
  name: 'api',
  measures: 'Processor time of a call of the inbox API in Node and PostgreSQL, from 1, 8 and 64 clients, against (c).',

  async run(place: Place, size: Size): Promise<Outcome> {
    const ours = await place.start('ours/journaler');
    const scene = await arrange(place);
    const servers: [string, Child][] = [
      [OURS, ours],
      [BARE, await place.start('rivals/bare-api')],
    ];
    for (const operation of OPERATIONS) await requireSame(operation, servers, scene);

    // V8 needs some thousand calls to compile what it runs; ours is more than (c).
    for (const operation of size.quick ? [] : OPERATIONS) {
      for (const [, server] of servers) await callFrom(server, operation, scene, 8, WARM_UP_SECONDS);
    }
    const seconds = size.quick ? 0.1 : 2;
    const table = new Table();
    for (const clients of CLIENTS) {
      for (const operation of OPERATIONS) {
        const contenders = servers.map(([name, server]) => ({
          name,
          async measure() {
            const before = [server.cpuMs(), place.postgresCpuMs()] as const;
            const milliseconds = await callFrom(server, operation, scene, clients, seconds);
            const cpu = [server.cpuMs() - before[0], place.postgresCpuMs() - before[1]] as const;
            table.add({ clients, operation: operation.name, name }, { milliseconds, cpu });
            return milliseconds.length / seconds;
          },
        }));
        await alternate(contenders, size.rounds);
      }
    }
    const storm = await callAtOnce(ours, scene);

    const ratios = table.ratios();
    const worst = Math.max(...Object.values(ratios));
    return {
      columns: ['clients', '', '', 'calls/s', 'p50 ms', 'p99 ms', 'CPU ms each', 'of PostgreSQL', 'CPU, of (c)'],
      rows: table.rows(),
      figures: { cpu_of_limit: worst, ...ratios, ...storm.figures },
      goals: [atMost('CPU of Node and PostgreSQL a call, of (c), the worst', worst, MAX_CPU_OF_BARE, ' ×'), storm.goal],
      notes: [
        `Rounds of ${seconds} s, ours and (c) in turn; ${MESSAGES} pending replies of 20 KB, half of them with a suggestion; file: one of 13.9 KB.`,
        'CPU each: of Node and, beside it, of PostgreSQL, over all rounds.',
        '(c): express and pg, one prepared statement a call; the same rows, JSON and audit rows. No tokens, roles, visibility, row-level security, log or metrics; it sends a file still sealed.',
        storm.note,
      ],
      profile: size.quick ? undefined : await profileOf(place, scene),
    };
  },
};

interface Message {
  readonly id: string;
  readonly fileId: string;
  version: number;
}

interface Scene {
  /** Header line. */
  readonly authorization: string;
  readonly messages: readonly Message[];
}

interface Operation {
  readonly name: string;
  readonly status: number;
  call(connection: Connection, scene: Scene, message: Message): Promise<Answer>;
}

const get = (name: string, pathOf: (message: Message) => string, status = 200): Operation => ({
  name,
  status,
  call: (connection, { authorization }, message) => connection.call('GET', pathOf(message), authorization),
});

const ASSIGN: Operation = {
  name: 'assign',
  status: 200,
  async call(connection, { authorization }, message) {
    const headers = `${authorization}If-Match: "${message.version}"\r\n`;
    const body = '{"assignee":{"kind":"user","id":"caseworker-2"}}';
    const answer = await connection.call('PUT', `${PATH}/${message.id}/assignment`, headers, body);
    message.version = (JSON.parse(answer.body) as Message).version;
    return answer;
  },
};

const OPERATIONS: readonly Operation[] = [
  get('list 50', () => LIST),
  get('read one', ({ id }) => `${PATH}/${id}`),
  get('file', ({ id, fileId }) => `${PATH}/${id}/files/${fileId}`),
  ASSIGN,
  get('404', () => `${PATH}/${randomUUID()}`, 404),
];

/** Delivers the messages and waits for their suggestions. */
async function arrange(place: Place): Promise<Scene> {
  const client = await place.connect();
  const receiver = await place.start('ours/receiver');
  const connection = await Connection.open(receiver.url);
  const copies = [replyCopies(await registerSentMessage(client)), replyCopies()];
  for (let sent = 0; sent < MESSAGES; sent += 1) {
    await connection.post(REST_PATH, copies[sent % copies.length]?.next() ?? []);
  }
  connection.close();
  await receiver.stop();
  await client.query(`UPDATE messages SET contact_point_id = $1`, [EXAMPLE_MUNICIPALITY.contactPoints[0]?.id]);
  const messages = await suggested(client);
  await client.query('VACUUM ANALYZE');
  const token = await issueToken(place.paths);
  return { authorization: `Authorization: Bearer ${token}\r\n`, messages };
}

async function suggested(client: pg.Client): Promise<Message[]> {
  for (;;) {
    const { rows } = await client.query<Message & { done: boolean }>(
      `SELECT m.id, f.id AS "fileId", m.version, m.suggestion_run_at IS NOT NULL AS done
       FROM messages m JOIN files f ON f.message_id = m.id`,
    );
    if (rows.every(({ done }) => done)) return rows;
    await delay(100);
  }
}

// Differ with every call or on purpose: a file of (c) is still sealed, and its cursor is bound to nothing.
const withoutChanging = (body: string) =>
  body.replace(/"(correlationId|nextCursor)":"[^"]*"/g, '"$1":""').replace(/"version":\d+/g, '"version":0');

/** @throws Error unless every server answers the same */
async function requireSame(operation: Operation, servers: readonly [string, Child][], scene: Scene): Promise<void> {
  const answers: Answer[] = [];
  for (const [name, server] of servers) {
    const connection = await Connection.open(server.url);
    const answer = await operation.call(connection, scene, scene.messages[0] as Message);
    connection.close();
    if (answer.status !== operation.status) throw new Error(`${operation.name} of ${name}: ${answer.body}`);
    answers.push(answer);
  }
  const [ours = '', bare = ''] = answers.map(({ body }) => withoutChanging(body));
  const same = operation.name === 'file' ? ours.length > 0 && bare.length > 0 : ours === bare;
  if (!same) throw new Error(`${operation.name}: (c) answers\n${bare}\nnot\n${ours}`);
}

/** Calls for some seconds, each client one call after the other. @returns the time of each call */
async function callFrom(
  { url }: Child,
  operation: Operation,
  scene: Scene,
  clients: number,
  seconds: number,
): Promise<number[]> {
  const connections = await Promise.all(Array.from({ length: clients }, () => Connection.open(url)));
  const milliseconds: number[] = [];
  const end = performance.now() + seconds * 1_000;
  try {
    await Promise.all(
      connections.map(async (connection, client) => {
        // Each client has messages of its own, so that none is at another version.
        const own = scene.messages.filter((_, at) => at % clients === client);
        for (let now = performance.now(), call = 0; now < end; call += 1) {
          const { status, body } = await operation.call(connection, scene, own[call % own.length] as Message);
          if (status !== operation.status) throw new Error(`${operation.name} answered ${status}: ${body}`);
          const then = performance.now();
          milliseconds.push(then - now);
          now = then;
        }
      }),
    );
    return milliseconds;
  } finally {
    for (const connection of connections) connection.close();
  }
}

/** Lists at once, each on a connection of its own. */
async function callAtOnce({ url }: Child, { authorization }: Scene) {
  const connections = await Promise.all(Array.from({ length: AT_ONCE }, () => Connection.open(url)));
  const milliseconds: number[] = [];
  const began = performance.now();
  const statuses = await Promise.all(
    connections.map(async (connection) => {
      const { status } = await connection.call('GET', LIST, authorization);
      milliseconds.push(performance.now() - began);
      return status;
    }),
  );
  for (const connection of connections) connection.close();
  const refused = statuses.filter((status) => status !== 200).length;
  const [p50, p99] = [percentile(milliseconds, 50), percentile(milliseconds, 99)].map((ms) => rounded(ms, 0));
  return {
    figures: { at_once_refused: refused, at_once_p99_ms: p99 ?? Number.NaN },
    goal: atMost(`of ${AT_ONCE} lists at once, refused`, refused, 0),
    note: `${AT_ONCE} lists at once: p50 ${p50} ms, p99 ${p99} ms.`,
  };
}

interface Measured {
  /** Per call. */
  readonly milliseconds: readonly number[];
  /** Processor time in ms. */
  readonly cpu: readonly [node: number, postgres: number];
}

interface Entry {
  readonly clients: number;
  readonly operation: string;
  readonly name: string;
}

/** The rounds of every contender. */
class Table {
  readonly #entries = new Map<string, Entry & { rounds: Measured[] }>();

  add(entry: Entry, round: Measured): void {
    const key = Object.values(entry).join(' ');
    const known = this.#entries.get(key);
    if (known) known.rounds.push(round);
    else this.#entries.set(key, { ...entry, rounds: [] }); // the first one warms up
  }

  rows(): string[][] {
    return [...this.#entries.values()].map(({ clients, operation, name, rounds }) => {
      const all = rounds.flatMap(({ milliseconds }) => milliseconds);
      const [node = 0, postgres = 0] = cpuEach(rounds);
      const perSecond = all.length / (all.reduce((sum, ms) => sum + ms, 0) / 1_000 / clients);
      const ratio = name === OURS ? String(this.#ratio(clients, operation)) : '';
      return [
        String(clients),
        operation,
        name,
        perSecond.toFixed(0),
        percentile(all, 50).toFixed(1),
        percentile(all, 99).toFixed(1),
        node.toFixed(2),
        postgres.toFixed(2),
        ratio,
      ];
    });
  }

  /** Processor time of ours, of (c), by operation and clients. */
  ratios(): Record<string, number> {
    const ours = [...this.#entries.values()].filter(({ name }) => name === OURS);
    return Object.fromEntries(
      ours.map(({ clients, operation }) => [
        `${operation.replaceAll(' ', '_')}_${clients}`,
        this.#ratio(clients, operation),
      ]),
    );
  }

  #ratio(clients: number, operation: string): number {
    const both = (name: string) => {
      const [node = 0, postgres = 0] = cpuEach(this.#entries.get(`${clients} ${operation} ${name}`)?.rounds ?? []);
      return node + postgres;
    };
    return rounded(both(OURS) / both(BARE));
  }
}

/** Of Node and of PostgreSQL, in ms a call. */
function cpuEach(rounds: readonly Measured[]): number[] {
  const calls = rounds.reduce((sum, { milliseconds }) => sum + milliseconds.length, 0);
  return [0, 1].map((at) => rounds.reduce((sum, { cpu }) => sum + (cpu[at] ?? 0), 0) / calls);
}

/** Every operation again, under the profiler. */
async function profileOf(place: Place, scene: Scene): Promise<string[]> {
  const server = await place.start('ours/journaler', { profiled: true });
  for (const operation of OPERATIONS) await callFrom(server, operation, scene, 8, 2);
  return place.stopProfiled(server);
}
