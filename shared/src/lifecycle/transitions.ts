import type { Role } from '../access/roles.js';
import type { Status } from './statuses.js';

interface ChangeRow {
  /** The statuses in which a message can be changed so. */
  readonly from: readonly Status[];
  /** `before` = the status that the message had when it was rejected; `same` = it keeps the one that it has. */
  readonly to: Status | 'before' | 'same';
  /** Any one of these is needed. The two that are no roles are systems, which hold none. */
  readonly roles: readonly (Role | 'Serviceplatformen' | 'Indbakke')[];
}

/** The life of a message: every transition there is. docs/architecture.md shows it; a test holds the two equal. */
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

/** Changes of an attribute: the message stays what it is, and gets a new version, an event and an audit row all the same. */
export const ATTRIBUTE_CHANGES = {
  assigned: { from: ['pending', 'held'], to: 'same', roles: ['IndkomneDokumenter.Tildel'] },
  // With Læs alone only by the assignee.
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
