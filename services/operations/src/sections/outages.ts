import { GONE_SECONDS, type Parts } from '@indbakke/shared/service';

/** A time in which nothing could be taken in. */
export interface Outage {
  readonly from: Date;
  /** Null: it lasts. */
  readonly until: Date | null;
}

/** From the newest on. The present one is in no row yet: the receiver that ends it writes it down. */
export function readOutages({ store }: Pick<Parts, 'store'>, limit: number): Promise<Outage[]> {
  return store.sweep<Outage>(
    `SELECT from_at AS from, until_at AS until FROM outages
     UNION ALL
     SELECT max(able_at), NULL FROM copies WHERE 'receiver' = ANY (services)
     HAVING max(able_at) < now() - interval '${GONE_SECONDS} seconds'
     ORDER BY 1 DESC LIMIT $1`,
    [limit],
  );
}
