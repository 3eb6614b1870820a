import { type Principal, seeingRole } from '@indbakke/shared/access';
import type { DocumentFilter } from '@indbakke/shared/api';
import type { AuditEntry } from '@indbakke/shared/audit';
import { numberOf } from '@indbakke/shared/ids';
import { digestOfParty, type KeyRing } from '@indbakke/shared/keys';

/** What was done with the messages of a filter. */
export interface Listing {
  readonly action: 'list' | 'search' | 'list-ids' | 'export-began' | 'exported' | 'extract-made';
  readonly at: Date;
}

/**
 * The audit row of a list, but for how many it showed: the names of its filters, and the one number that it was searched by as
 * a keyed hash (docs/decisions/0024).
 */
export function auditOfList(
  keys: KeyRing,
  principal: Principal,
  { action, at }: Listing,
  filter: DocumentFilter & { readonly sort?: string },
): AuditEntry & Required<Pick<AuditEntry, 'details'>> {
  const { status, concerning, sender, q, sort: _, ...others } = filter;
  const given = Object.entries({ concerning, sender, q, ...others }).filter(([, value]) => value !== undefined);
  const number = [concerning, sender, q, numberIn(q)].flatMap((text) => numberOf(text ?? '') ?? [])[0];
  return {
    by: { ...principal, role: seeingRole(principal, status) },
    at,
    action,
    citizen: number === undefined ? undefined : digestOfParty(keys, number),
    details: {
      status: status.join(' '),
      filters: given
        .map(([name]) => name)
        .sort()
        .join(' '),
    },
  };
}

/** A CPR number among other words. */
function numberIn(q = ''): string | undefined {
  return /(?<!\d)\d{6}[\s\p{Pd}]?\d{4}(?!\d)/u.exec(q)?.[0];
}
