import pg from 'pg';
import { isUnanswered } from './failures.js';

/** The statement was not sent: its transaction is over, or its connection has stopped answering. */
export class StatementRefused extends Error {}

type Query = (...request: unknown[]) => Promise<unknown>;

/**
 * A pool that lends each connection for one transaction. Prisma sends statements after ROLLBACK when a transaction times
 * out (prisma/orm#29762), and a pool accepts any connection back: without this fence the statements of one municipality
 * would run in the transaction of another, whose COMMIT would commit what was never answered.
 */
export class FencedPool extends pg.Pool {
  override connect(): Promise<pg.PoolClient>;
  override connect(callback: Parameters<pg.Pool['connect']>[0]): void;
  override connect(callback?: Parameters<pg.Pool['connect']>[0]): unknown {
    // A callback comes from the pool's own query(): one statement, and a failure closes its connection.
    if (callback) return super.connect(callback);
    // A Loan has the part of a connection that Prisma and we use.
    return super.connect().then((client) => new Loan(client) as unknown as pg.PoolClient);
  }
}

/**
 * A connection for the duration of one transaction.
 *
 * - A statement is sent only once the previous one is answered: Prisma reads the relations of a row concurrently, and pg 9
 *   will not queue them.
 * - Statements after the end, or after one that was not answered in time, are refused.
 * - It returns to the pool only if every statement was answered and PostgreSQL is not in a transaction; else it is closed.
 */
class Loan {
  readonly #client: pg.PoolClient;
  #last: Promise<unknown> = Promise.resolve();
  #isWaiting = false;
  #isOver = false;
  #isReleased = false;

  constructor(client: pg.PoolClient) {
    this.#client = client;
  }

  query(...request: unknown[]): Promise<unknown> {
    const answer = this.#last.then(() => this.#send(request));
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  async #send(request: unknown[]): Promise<unknown> {
    if (this.#isOver || this.#isReleased) throw new StatementRefused('The transaction of this statement is over.');
    this.#isWaiting = true;
    try {
      const answer = await (this.#client.query as unknown as Query).apply(this.#client, request);
      this.#isWaiting = false;
      this.#isOver = this.#isIdle();
      return answer;
    } catch (error) {
      this.#isWaiting = isUnanswered(error);
      this.#isOver = this.#isWaiting || isCommit(request[0]); // a COMMIT that fails ends the transaction too
      throw error;
    }
  }

  /** A second call does nothing: the connection may have been lent again. */
  release(error?: Error | boolean): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#client.release(error || this.#isWaiting || !this.#isIdle());
  }

  escapeLiteral(text: string): string {
    return this.#client.escapeLiteral(text);
  }

  on(event: string, listener: (...args: unknown[]) => void): void {
    this.#client.on(event as 'error', listener);
  }

  removeListener(event: string, listener: (...args: unknown[]) => void): void {
    this.#client.removeListener(event, listener);
  }

  /** With each answer PostgreSQL reports whether a transaction is open (protocol 3.0, ReadyForQuery). */
  #isIdle(): boolean {
    return this.#client.getTransactionStatus() === 'I';
  }
}

function isCommit(statement: unknown): boolean {
  return statement === 'COMMIT' || (statement as { text?: unknown }).text === 'COMMIT';
}
