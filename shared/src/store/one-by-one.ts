import pg from 'pg';

type Query = (...args: unknown[]) => unknown;

/**
 * A connection on which one query begins when the one before has ended. Prisma reads the relations of a row side by side,
 * also on the one connection of a transaction; pg lines them up by itself, but warns of it and will not from version 9 on.
 */
export class OneByOne extends pg.Client {
  #last: Promise<unknown> = Promise.resolve();

  constructor(config?: string | pg.ClientConfig) {
    super(config);
    const query = super.query.bind(this) as Query;
    this.query = ((...args: unknown[]) => {
      // pg-pool passes a callback, and waits for it before it hands the connection on.
      if (typeof args.at(-1) === 'function') return query(...args);
      const answer = this.#last.then(() => query(...args));
      this.#last = answer.catch(() => undefined);
      return answer;
    }) as typeof this.query;
  }
}
