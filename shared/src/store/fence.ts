import pg from 'pg';
import { isUnanswered } from '../postgres/reasons.js';
import { CommitInDoubt, isInDoubt, isStoreUnavailable, StatementRefused, StoreUnavailable } from './failures.js';

interface Statement {
  readonly text?: string;
  readonly query_timeout: number;
}

interface Answer {
  readonly command?: string;
}

/**
 * The function of PostgreSQL 18 that waits for synchronous standbys. When that is cancelled, by an operator, the transaction is committed
 * here alone, and is answered as done, with a warning.
 */
const WAITS_FOR_STANDBYS = 'SyncRepWaitForLSN';

type Query = (statement: Statement, ...values: unknown[]) => Promise<Answer>;

/**
 * A pool that lends each connection for one transaction. Prisma sends statements after ROLLBACK when a transaction times
 * out (prisma/orm#29762), and a pool accepts any connection back: without this fence the statements of one municipality
 * would run in the transaction of another, whose COMMIT would commit what was never answered.
 */
export class FencedPool extends pg.Pool {
  readonly #limitMs: number;

  /** @param config with `query_timeout`, the limit for a transaction and for each query() */
  constructor(config: pg.PoolConfig & { query_timeout: number }) {
    super(config);
    this.#limitMs = config.query_timeout;
  }

  override connect(): Promise<pg.PoolClient>;
  override connect(callback: Parameters<pg.Pool['connect']>[0]): void;
  override connect(callback?: Parameters<pg.Pool['connect']>[0]): unknown {
    // A callback comes from the pool's own query(): one statement, and a failure closes its connection.
    if (callback) return super.connect(callback);
    // A Loan has the part of a connection that Prisma and we use.
    return super.connect().then((client) => new Loan(client, this.#limitMs) as unknown as pg.PoolClient, fail);
  }
}

/** The statements that each connection has prepared by SQL, as long as it lives. */
const prepared = new WeakMap<pg.PoolClient, Set<string>>();

/** Names of statements that the connection of this loan has prepared by SQL; who prepares one adds it. */
export function preparedOn(connection: pg.PoolClient): Set<string> {
  return (connection as unknown as Loan).prepared;
}

/**
 * A connection for the duration of one transaction.
 *
 * - A statement is sent only once the previous one is answered: Prisma reads the relations of a row concurrently, and pg 9
 *   will not queue them.
 * - Statements after the end, after one that was not answered, or after the limit are refused.
 * - COMMIT succeeds only if PostgreSQL says that it has committed. Without an answer it is in doubt, and so is what no synchronous
 *   standby has: the next primary would lack it.
 * - It returns to the pool only if every statement was answered and PostgreSQL is not in a transaction; else it is closed.
 */
class Loan {
  readonly #client: pg.PoolClient;
  readonly #endsAt: number;
  #last: Promise<unknown> = Promise.resolve();
  #isWaiting = false;
  #isOver = false;
  #isReleased = false;
  #isHereAlone = false;
  readonly #notice = ({ routine }: { readonly routine?: string | undefined }) => {
    this.#isHereAlone ||= routine === WAITS_FOR_STANDBYS;
  };

  constructor(client: pg.PoolClient, limitMs: number) {
    this.#client = client;
    this.#endsAt = performance.now() + limitMs;
    client.on('notice', this.#notice);
  }

  /** @throws CommitInDoubt or StatementRefused, besides what pg throws */
  query(statement: string | object, ...values: unknown[]): Promise<unknown> {
    const answer = this.#last.then(() => this.#send(statement, values));
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  async #send(statement: string | object, values: unknown[]): Promise<unknown> {
    const timeLeft = this.#endsAt - performance.now();
    if (this.#isOver || this.#isReleased) throw new StatementRefused('The transaction of this statement is over.');
    if (timeLeft <= 0) throw new StatementRefused('The transaction of this statement took too long.');
    const config = typeof statement === 'string' ? { text: statement } : statement;
    const limited: Statement = { ...config, query_timeout: timeLeft };
    const isCommit = limited.text === 'COMMIT';
    const answer = await this.#ask(limited, values).catch((cause: unknown) => {
      this.#isOver ||= isCommit; // a COMMIT that fails ends the transaction too
      if (isCommit && isInDoubt(cause)) throw new CommitInDoubt('COMMIT was not answered.', { cause });
      return fail(cause);
    });
    if (this.#isHereAlone) throw new CommitInDoubt('COMMIT was not replicated.');
    // PostgreSQL 18, COMMIT: of a transaction in which a statement has failed it is a ROLLBACK, and no error.
    if (isCommit && answer.command !== 'COMMIT')
      throw new Error('Rolled back: the failure of a statement was ignored.');
    return answer;
  }

  async #ask(statement: Statement, values: unknown[]): Promise<Answer> {
    this.#isWaiting = true;
    try {
      const answer = await (this.#client.query as unknown as Query).call(this.#client, statement, ...values);
      this.#isWaiting = false;
      this.#isOver = this.#isIdle();
      return answer;
    } catch (error) {
      this.#isWaiting = isUnanswered(error);
      this.#isOver = this.#isWaiting;
      throw error;
    }
  }

  get prepared(): Set<string> {
    const names = prepared.get(this.#client) ?? new Set();
    prepared.set(this.#client, names);
    return names;
  }

  /** A second call does nothing: the connection may have been lent again. */
  release(error?: Error | boolean): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#client.removeListener('notice', this.#notice);
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

/** As an error of our own, which Prisma leaves as it is: of pg’s it keeps neither class nor code in raw queries. */
function fail(cause: unknown): never {
  throw isStoreUnavailable(cause) ? new StoreUnavailable('The database did not answer.', { cause }) : cause;
}
