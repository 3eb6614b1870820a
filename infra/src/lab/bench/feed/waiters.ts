import type { EventList } from '@indbakke/shared/api';
import { Connection } from '../client.js';

const WAIT_SECONDS = 30;
const LIMIT = 1_000;

export interface WaitersOptions {
  readonly count: number;
  readonly token: string;
  /** The message whose event is the last. */
  readonly last: string;
  /** Each other event that a caller gets. */
  readonly onEvent: (messageId: string) => void;
}

/** Callers that follow the feed, each on a connection of its own, and check what they get. */
export class Waiters {
  readonly #connections: Connection[];
  readonly #headers: string;
  readonly #onEvent: (messageId: string) => void;
  readonly #from: number;
  readonly #last: string;
  /** Positions that a caller did not get. */
  skipped = 0;
  /** Positions that a caller got again. */
  twice = 0;

  private constructor(connections: Connection[], headers: string, from: number, { last, onEvent }: WaitersOptions) {
    this.#connections = connections;
    this.#headers = headers;
    this.#from = from;
    this.#last = last;
    this.#onEvent = onEvent;
  }

  static async open(url: string, options: WaitersOptions): Promise<Waiters> {
    const { count, token } = options;
    const connections = await Promise.all(Array.from({ length: count }, () => Connection.open(url)));
    const headers = `Authorization: Bearer ${token}\r\n`;
    const { head } = await ask(connections[0] as Connection, headers, 'after=latest');
    return new Waiters(connections, headers, head, options);
  }

  /** Follows until every caller has the last message. */
  async follow(): Promise<void> {
    await Promise.all(this.#connections.map((connection) => this.#followOne(connection)));
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }

  async #followOne(connection: Connection): Promise<void> {
    let at = this.#from;
    for (let isOver = false; !isOver; ) {
      const query = `after=${at}&wait=${WAIT_SECONDS}&limit=${LIMIT}`;
      const { events } = await ask(connection, this.#headers, query);
      for (const { position, messageId } of events) {
        if (position > at + 1) this.skipped += position - at - 1;
        if (position <= at) this.twice += 1;
        at = Math.max(at, position);
        if (messageId === this.#last) isOver = true;
        else this.#onEvent(messageId);
      }
    }
  }
}

async function ask(connection: Connection, headers: string, query: string): Promise<EventList> {
  const { status, body } = await connection.call('GET', `/api/v1/events?${query}`, headers);
  if (status !== 200) throw new Error(`The feed answered ${status}: ${body.slice(0, 300)}`);
  return JSON.parse(body) as EventList;
}
