import type { DocumentAnswer } from '@indbakke/shared/api';

/** A change that a person makes on this page. */
export type Change = Exclude<DocumentAnswer['allowed'][number], 'taken-over'>;

/** How the API is asked for each: method, and path after that of the letter. */
export const CALLS: Readonly<Record<Change, readonly [method: string, path: string]>> = {
  assigned: ['PUT', 'assignment'],
  unassigned: ['DELETE', 'assignment'],
  released: ['POST', 'release'],
  journalized: ['POST', 'journalization'],
  'taken-back': ['DELETE', 'journalization'],
  rejected: ['POST', 'rejection'],
  'outcome-told': ['PUT', 'rejection/outcome'],
  'distribution-asked': ['POST', 'distribution'],
  reopened: ['DELETE', 'rejection'],
  deleted: ['POST', 'deletion'],
  'deletion-confirmed': ['POST', 'deletion/confirmation'],
  'deletion-cancelled': ['DELETE', 'deletion'],
  'legal-hold-set': ['PUT', 'legal-hold'],
  'legal-hold-lifted': ['DELETE', 'legal-hold'],
  'concern-marked': ['PUT', 'concern'],
  'concern-unmarked': ['DELETE', 'concern'],
  'concern-assessed': ['POST', 'concern/assessment'],
  'concern-confirmed': ['POST', 'concern/confirmation'],
  'handover-offered': ['POST', 'handover'],
  'handover-withdrawn': ['DELETE', 'handover'],
};

/** In the order of the buttons. */
export const CHANGES: readonly Change[] = [
  'journalized',
  'assigned',
  'unassigned',
  'rejected',
  'released',
  'reopened',
  'outcome-told',
  'distribution-asked',
  'taken-back',
  'handover-offered',
  'handover-withdrawn',
  'concern-assessed',
  'concern-confirmed',
  'concern-marked',
  'concern-unmarked',
  'deleted',
  'deletion-confirmed',
  'deletion-cancelled',
  'legal-hold-set',
  'legal-hold-lifted',
];

/** The keys of those that are done all day. */
export const KEYS: Readonly<Partial<Record<Change, string>>> = {
  journalized: 'j',
  assigned: 't',
  rejected: 'a',
  reopened: 'g',
};

/** Those that are done at once; the others have a form, or a question. */
export const AT_ONCE: ReadonlySet<Change> = new Set<Change>([
  'unassigned',
  'reopened',
  'deletion-cancelled',
  'concern-marked',
  'concern-unmarked',
  'concern-assessed',
  'handover-withdrawn',
]);

export interface Step {
  readonly change: Change;
  readonly body?: unknown;
}

/** What leads back to how the letter was before; undefined where the API has no way. */
export function undoOf(change: Change, before: DocumentAnswer): Step | undefined {
  const formerAssignee = before.assignee && {
    change: 'assigned' as const,
    body: { assignee: { kind: before.assignee.kind, id: before.assignee.id } },
  };
  switch (change) {
    case 'assigned':
      return formerAssignee ?? { change: 'unassigned' };
    case 'unassigned':
      return formerAssignee ?? undefined;
    case 'journalized':
      return { change: 'taken-back', body: { reason: 'other' } };
    case 'rejected':
      return { change: 'reopened' };
    case 'deleted':
    case 'deletion-confirmed':
      return { change: 'deletion-cancelled' };
    case 'concern-marked':
      return { change: 'concern-unmarked' };
    case 'concern-unmarked':
      return { change: 'concern-marked' };
    case 'handover-offered':
      return { change: 'handover-withdrawn' };
    default:
      return undefined;
  }
}
