import { observe } from '@indbakke/shared/metrics';
import type { Parts } from '@indbakke/shared/service';

/** What is to be sent through Fordelingskomponenten and is not, of all municipalities, asked for at each scrape. */
export function observeUnsent({ store, metrics }: Pick<Parts, 'store' | 'metrics'>): void {
  const observeOutbox = (name: { readonly one: string; readonly all: string }, what: string, unsent: string) => {
    observe(metrics, `${name.all}_waiting`, `${what} that are to be sent, or are being sent`, [], async () => {
      const [row] = await store.sweep<{ count: number }>(`SELECT count(*)::int AS count FROM ${unsent}`);
      return row?.count ?? 0;
    });
    observe(
      metrics,
      `${name.one}_waiting_seconds`,
      'Age of the oldest of them, since it was decided; 0 without any',
      [],
      async () => {
        const [row] = await store.sweep<{ seconds: number | null }>(
          `SELECT extract(epoch FROM now() - min(at))::float8 AS seconds FROM ${unsent}`,
        );
        return row?.seconds ?? 0;
      },
    );
  };
  observeOutbox(
    { one: 'business_receipt', all: 'business_receipts' },
    'Business receipts',
    `business_receipts WHERE status IN ('waiting', 'sending')`,
  );
  observeOutbox(
    { one: 'onward_distribution', all: 'onward_distributions' },
    'Messages for other authorities',
    `onward_distributions WHERE status IN ('waiting', 'uploaded')`,
  );
}
