import { recordAudit } from '@indbakke/shared/audit';
import { currentTime } from '@indbakke/shared/clock';
import { MINUTE } from '@indbakke/shared/config';
import { isWithin } from '@indbakke/shared/danish-time';
import { type Progress, scrub, scrubAudit } from '@indbakke/shared/scrub';
import { type Parts, repeat, type Work } from '@indbakke/shared/service';
import { withMaintenance } from '@indbakke/shared/store';

interface Nightly {
  readonly DATABASE_URL: string;
  readonly SCRUB_WINDOW: string;
}

/** Scrubs once within the window of each night, when something was deleted. A shutdown stops it after its step. */
export function nightlyScrub(parts: Parts, { DATABASE_URL, SCRUB_WINDOW }: Nightly): Work['sweeps'][number] {
  let isStopping = false;
  // What is deleted after it, during the night, waits for the next one.
  let isDone = false;
  const mayGoOn = () => !isStopping && isWithin(SCRUB_WINDOW, currentTime());
  const sweep = repeat('scrub', MINUTE, parts.log, async () => {
    isDone &&= mayGoOn();
    if (isDone || !mayGoOn()) return;
    const onProgress = logProgress(parts.log);
    const done = await withMaintenance({ url: DATABASE_URL, name: 'indbakke-scrub' }, (connection) =>
      scrub(connection, { mayGoOn, onProgress }),
    );
    if (!done) return;
    isDone = done.left === 0;
    await recordAudit(parts.store, scrubAudit(done));
    parts.log[done.left > 0 || done.walSegments === undefined ? 'warn' : 'info']('scrubbed', { ...done });
  });
  return {
    start: () => sweep.start(),
    stop() {
      isStopping = true;
      return sweep.stop();
    },
  };
}

/** Each table when it is done, and every minute where one takes long. */
function logProgress(log: Parts['log']): (progress: Progress) => void {
  let toldAt = performance.now();
  return (progress) => {
    const now = performance.now();
    if (!progress.done && now < toldAt + MINUTE) return;
    toldAt = now;
    log.info(progress.done ? 'scrubbed-table' : 'scrubbing', { ...progress });
  };
}
