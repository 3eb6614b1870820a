import { INDBAKKE, INSTALLATION, recordAudit } from '@indbakke/shared/audit';
import { currentTime } from '@indbakke/shared/clock';
import type { Parts } from '@indbakke/shared/service';
import type { CallerFault } from './callers.js';

/** More than so many at once are of one who tries addresses: of the others only the fault is recorded. */
const MOST = 100;

/** Callers who may not deliver: a row in the audit log for each fault and address, at most once a minute, with how often. */
export class RefusedCallers {
  readonly #counts = new Map<
    string,
    { readonly fault: CallerFault; readonly origin: string | undefined; count: number }
  >();

  add(fault: CallerFault, origin: string | undefined): void {
    const key = `${fault} ${origin}`;
    const known = this.#counts.get(key);
    if (known) known.count += 1;
    else if (this.#counts.size < MOST || origin === undefined) this.#counts.set(key, { fault, origin, count: 1 });
    else this.add(fault, undefined);
  }

  /** Writes what came since the last time; what the database does not take is written the next time. */
  async record({ store }: Pick<Parts, 'store'>): Promise<void> {
    for (const [key, refused] of [...this.#counts]) {
      const { fault, origin, count } = refused;
      await recordAudit(store, {
        by: { municipality: INSTALLATION, actor: INDBAKKE, origin },
        at: currentTime(),
        action: 'caller-refused',
        result: 'refused',
        details: { fault, count },
      });
      refused.count -= count;
      if (refused.count === 0) this.#counts.delete(key);
    }
  }
}
