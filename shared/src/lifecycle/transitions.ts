import type { Role } from '../access/roles.js';
import type { Status } from './statuses.js';

interface ChangeRow {
  /** The statuses in which the change is allowed. */
  readonly from: readonly Status[];
  /** `before` = the status before the rejection; `same` = no change of status. */
  readonly to: Status | 'before' | 'same';
  /** Any one of these is required. The two that are not roles are systems, which have none. */
  readonly roles: readonly (Role | 'Serviceplatformen' | 'Indbakke')[];
}

/** The life of a message: all its transitions. A test keeps docs/architecture.md equal to it. */
export const TRANSITIONS = {
  accepted: { from: [], to: 'pending', roles: ['Serviceplatformen'] },
  held: { from: [], to: 'held', roles: ['Serviceplatformen'] },
  released: { from: ['held'], to: 'pending', roles: ['Indbakke.Opsætning', 'Indbakke.Drift'] },
  journalized: { from: ['pending'], to: 'journalized', roles: ['IndkomneDokumenter.Journaliser'] },
  'taken-back': { from: ['journalized'], to: 'pending', roles: ['IndkomneDokumenter.Journaliser'] },
  rejected: { from: ['pending', 'held'], to: 'rejected', roles: ['IndkomneDokumenter.Afvis'] },
  reopened: { from: ['rejected'], to: 'before', roles: ['IndkomneDokumenter.Afvis'] },
  deleted: { from: ['rejected'], to: 'deleted', roles: ['DigitalPost.Slet'] },
} as const satisfies Record<string, ChangeRow>;

/** Changes of an attribute: the status stays, but there is a new version, an event and an audit row. */
export const ATTRIBUTE_CHANGES = {
  assigned: { from: ['pending', 'held'], to: 'same', roles: ['IndkomneDokumenter.Tildel'] },
  // With Læs alone: only the assignee.
  unassigned: {
    from: ['pending', 'held'],
    to: 'same',
    roles: ['IndkomneDokumenter.Tildel', 'IndkomneDokumenter.Læs'],
  },
  suggested: { from: ['pending'], to: 'same', roles: ['Indbakke'] },
} as const satisfies Record<string, ChangeRow>;

export const CHANGES = { ...TRANSITIONS, ...ATTRIBUTE_CHANGES };

/** A change of a message; also the type of its event and the action in the audit log. */
export type Change = keyof typeof CHANGES;
