import { type Principal, refusalOf } from '../access/index.js';
import { recordAudit } from '../audit/index.js';
import { currentTime } from '../clock/index.js';
import { HOUR } from '../config/index.js';
import { Problem } from '../errors/index.js';
import { Prisma, type Store } from '../store/index.js';

/** Lets an identified caller in. @throws Problem when the caller may do nothing here, whatever the roles */
export type Admit = (principal: Principal) => Promise<void>;

/** Also writes to the audit log when rights of a caller count for nothing: of each caller once an hour, in each service. */
export function createAdmission(store: Store): Admit {
  const auditVoided = createVoidedAudit(store);
  return async (principal) => {
    await auditVoided(principal);
    const refusal = refusalOf(principal);
    if (refusal) throw refusal;
    if (principal.home === undefined || (await acceptsDelegation(store, principal.municipality))) return;
    const detail =
      'The municipality does not let people of other authorities use roles here. It can: acceptsDelegation.';
    throw new Problem('delegation-not-accepted', detail);
  };
}

const MAX_REMEMBERED = 10_000;

function createVoidedAudit(store: Store): (principal: Principal) => Promise<void> {
  const told = new Map<string, number>();
  return async (principal) => {
    const { municipality, actor, voided = [] } = principal;
    if (voided.length === 0) return;
    const reasons = [...new Set(voided)].sort().join(' ');
    const key = JSON.stringify([municipality, actor.id, actor.onBehalfOf, reasons]);
    if ((told.get(key) ?? 0) + HOUR >= Date.now()) return;
    await recordAudit(store, { by: principal, at: currentTime(), action: 'rights-void', details: { reasons } });
    told.delete(key); // a Map keeps the order in which keys came
    told.set(key, Date.now());
    const [oldest] = told.keys();
    if (told.size > MAX_REMEMBERED) told.delete(oldest as string);
  };
}

async function acceptsDelegation(store: Store, municipality: string): Promise<boolean> {
  const accepting = Prisma.sql`SELECT FROM municipalities WHERE cvr = ${municipality} AND accepts_delegation`;
  return (await store.query(municipality, accepting, 'kept')).length > 0;
}
