import type { Role } from '../access/roles.js';
import type { Status } from './statuses.js';

interface TransitionRow {
  readonly from: readonly Status[];
  /** `before` = the status that the message had when it was rejected. */
  readonly to: Status | 'before';
  readonly roles: readonly (Role | 'Serviceplatformen')[];
}

/** The life of a message: every step there is. docs/architecture.md shows it; a test holds the two equal. */
export const TRANSITIONS = {
  accepted: { from: [], to: 'pending', roles: ['Serviceplatformen'] },
  held: { from: [], to: 'held', roles: ['Serviceplatformen'] },
  released: { from: ['held'], to: 'pending', roles: ['Indbakke.Opsætning', 'Indbakke.Drift'] },
  journalized: { from: ['pending'], to: 'journalized', roles: ['IndkomneDokumenter.Journaliser'] },
  'taken-back': { from: ['journalized'], to: 'pending', roles: ['IndkomneDokumenter.Journaliser'] },
  rejected: { from: ['pending', 'held'], to: 'rejected', roles: ['IndkomneDokumenter.Afvis'] },
  reopened: { from: ['rejected'], to: 'before', roles: ['IndkomneDokumenter.Afvis'] },
  deleted: { from: ['rejected'], to: 'deleted', roles: ['DigitalPost.Slet'] },
} as const satisfies Record<string, TransitionRow>;

/** A step in the life of a message; also the type of its change event and the action in the audit log. */
export type Transition = keyof typeof TRANSITIONS;
