import { recordAudit } from '@indbakke/shared/audit';
import { describeError } from '@indbakke/shared/log';
import { scrub, scrubAudit } from '@indbakke/shared/scrub';
import type { Parts, Work } from '@indbakke/shared/service';
import { withMaintenance } from '@indbakke/shared/store';

/** A scrub that an operator begins. A shutdown stops it after its step; the next one goes on. */
export interface Scrubbing {
  /** Returns at once; does nothing while one runs here. */
  begin(): void;
}

export function createScrubbing(
  { store, log }: Pick<Parts, 'store' | 'log'>,
  url: string,
): Scrubbing & Work['sweeps'][number] {
  let isStopping = false;
  let running: Promise<void> | undefined;
  const run = async () => {
    const done = await withMaintenance({ url, name: 'indbakke-scrub' }, (connection) =>
      scrub(connection, { mayGoOn: () => !isStopping }),
    );
    if (!done) return;
    await recordAudit(store, scrubAudit(done));
    log.info('scrubbed', { ...done });
  };
  return {
    begin() {
      running ??= run()
        .catch((error: unknown) => log.error('scrub-failed', describeError(error)))
        .finally(() => {
          running = undefined;
        });
    },
    start() {},
    async stop() {
      isStopping = true;
      await running;
    },
  };
}
