import { type Principal, refusalOf } from '../access/index.js';
import { recordAudit } from '../audit/index.js';
import { HOUR } from '../config/index.js';
import { Problem } from '../errors/index.js';
import { Prisma, type Store } from '../store/index.js';

/** Lets an identified caller in. @throws Problem when the caller may do nothing here, whatever the roles */
export type Admit = (principal: Principal) => Promise<void>;

const MAX_REMEMBERED = 10_000;

/** Also writes to the audit log when rights of a caller count for nothing: of each caller once an hour. */
export function createAdmission(store: Store): Admit {
  const told = new Map<string, number>();
  return async (principal) => {
    const { municipality, actor, voided = [], home } = principal;
    if (voided.length > 0) {
      const reasons = [...new Set(voided)].sort().join(' ');
      const key = JSON.stringify([municipality, actor.id, actor.onBehalfOf, reasons]);
      if ((told.get(key) ?? 0) + HOUR < Date.now()) {
        const details = { reasons };
        await recordAudit(store, { by: principal, at: new Date(), action: 'rights-void', details });
        told.delete(key);
        told.set(key, Date.now());
        const [oldest] = told.keys();
        if (told.size > MAX_REMEMBERED) told.delete(oldest as string);
      }
    }
    const refusal = refusalOf(principal);
    if (refusal) throw refusal;
    if (home !== undefined && !(await acceptsDelegation(store, municipality))) {
      const detail =
        'The municipality does not let people of other authorities use roles here. It can: acceptsDelegation.';
      throw new Problem('delegation-not-accepted', detail);
    }
  };
}

async function acceptsDelegation(store: Store, municipality: string): Promise<boolean> {
  const accepting = Prisma.sql`SELECT FROM municipalities WHERE cvr = ${municipality} AND accepts_delegation`;
  return (await store.query(municipality, accepting, 'kept')).length > 0;
}
