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
  // A copy of a message that another municipality here has offered.
  'taken-over': { from: [], to: 'pending', roles: ['IndkomneDokumenter.Journaliser'] },
  released: { from: ['held'], to: 'pending', roles: ['Indbakke.Opsætning', 'Indbakke.Drift'] },
  journalized: { from: ['pending'], to: 'journalized', roles: ['IndkomneDokumenter.Journaliser'] },
  'taken-back': { from: ['journalized'], to: 'pending', roles: ['IndkomneDokumenter.Journaliser'] },
  rejected: { from: ['pending', 'held'], to: 'rejected', roles: ['IndkomneDokumenter.Afvis'] },
  reopened: { from: ['rejected'], to: 'before', roles: ['IndkomneDokumenter.Afvis'] },
  deleted: { from: ['rejected'], to: 'deleted', roles: ['DigitalPost.Slet'] },
} as const satisfies Record<string, ChangeRow>;

const WITH_A_FILE = ['pending', 'held', 'journalized', 'rejected'] as const;
const WITH_A_SENDER = [...WITH_A_FILE, 'deleted'] as const;

/** Who distributes messages or files them. */
const CONCERN_ROLES = ['IndkomneDokumenter.Tildel', 'IndkomneDokumenter.Journaliser'] as const;

/** Changes of an attribute: the status stays, but there is a new version, an event and an audit row. */
export const ATTRIBUTE_CHANGES = {
  assigned: { from: ['pending', 'held'], to: 'same', roles: ['IndkomneDokumenter.Tildel'] },
  // With Læs alone: only the assignee.
  unassigned: {
    from: ['pending', 'held'],
    to: 'same',
    roles: ['IndkomneDokumenter.Tildel', 'IndkomneDokumenter.Læs'],
  },
  'outcome-told': { from: ['rejected'], to: 'same', roles: ['IndkomneDokumenter.Afvis'] },
  // To another authority, through Fordelingskomponenten; what it answers may come when the message is not rejected any more.
  'distribution-asked': { from: ['rejected'], to: 'same', roles: ['IndkomneDokumenter.SendVidere'] },
  'distribution-sent': { from: WITH_A_SENDER, to: 'same', roles: ['Indbakke'] },
  'distribution-answered': { from: WITH_A_SENDER, to: 'same', roles: ['Indbakke'] },
  'distribution-failed': { from: WITH_A_SENDER, to: 'same', roles: ['Indbakke'] },
  'concern-marked': { from: ['pending', 'held', 'journalized'], to: 'same', roles: CONCERN_ROLES },
  'concern-unmarked': { from: ['pending', 'held', 'journalized'], to: 'same', roles: CONCERN_ROLES },
  'concern-assessed': { from: ['pending', 'held', 'journalized'], to: 'same', roles: CONCERN_ROLES },
  'concern-confirmed': { from: ['pending', 'held', 'journalized'], to: 'same', roles: CONCERN_ROLES },
  // To the municipality that the case moved to: who offers it has it rejected when it is taken.
  'handover-offered': { from: ['pending'], to: 'same', roles: ['IndkomneDokumenter.Afvis'] },
  'handover-withdrawn': { from: ['pending'], to: 'same', roles: ['IndkomneDokumenter.Afvis'] },
  'handover-refused': { from: ['pending'], to: 'same', roles: ['Indbakke'] },
  'handover-expired': { from: ['pending'], to: 'same', roles: ['Indbakke'] },
  // When a letter that answers it is set up, when that letter is set up again and answers it no more, and when the core tells
  // whether that letter was delivered.
  answered: { from: ['pending', 'journalized', 'rejected'], to: 'same', roles: ['Indbakke.System'] },
  'answer-withdrawn': { from: ['pending', 'journalized', 'rejected'], to: 'same', roles: ['Indbakke.System'] },
  'answer-delivery-told': { from: ['pending', 'journalized', 'rejected'], to: 'same', roles: ['Indbakke.System'] },
  suggested: { from: ['pending'], to: 'same', roles: ['Indbakke'] },
  // The file of a document comes later, or never, and is asked for again by an operator. No content of a journalized message may
  // have been removed by then: what retention gave up is not fetched.
  'file-arrived': { from: WITH_A_FILE, to: 'same', roles: ['Indbakke'] },
  'file-missing': { from: WITH_A_FILE, to: 'same', roles: ['Indbakke'] },
  // What the scan for malware found; and that files may be opened unscanned, since the scanner is away.
  'files-scanned': { from: WITH_A_FILE, to: 'same', roles: ['Indbakke'] },
  'files-let-pass': { from: WITH_A_FILE, to: 'same', roles: ['Indbakke'] },
  // By an operator, of what could not be scanned.
  'scan-asked': { from: WITH_A_FILE, to: 'same', roles: ['Indbakke'] },
  'file-asked': { from: WITH_A_FILE, to: 'same', roles: ['Indbakke'] },
  // What became of a document, to its sender; also of one that was deleted meanwhile.
  'receipt-sent': { from: WITH_A_SENDER, to: 'same', roles: ['Indbakke'] },
  'receipt-failed': { from: WITH_A_SENDER, to: 'same', roles: ['Indbakke'] },
  // By retention: key, content and what is personal of it. Not in any other status, and not under a legal hold.
  'content-removed': { from: ['journalized'], to: 'same', roles: ['Indbakke'] },
  'cause-changed': { from: ['held'], to: 'same', roles: ['Indbakke'] },
  escalated: { from: ['held'], to: 'same', roles: ['Indbakke'] },
  // What the deletion of a message becomes where another person must confirm it, or where there is a delay.
  'deletion-requested': { from: ['rejected'], to: 'same', roles: ['DigitalPost.Slet'] },
  'deletion-scheduled': { from: ['rejected'], to: 'same', roles: ['DigitalPost.Slet'] },
  'deletion-confirmed': { from: ['rejected'], to: 'same', roles: ['DigitalPost.Slet'] },
  'deletion-cancelled': { from: ['rejected'], to: 'same', roles: ['DigitalPost.Slet'] },
  'legal-hold-set': {
    from: ['pending', 'held', 'journalized', 'rejected'],
    to: 'same',
    roles: ['IndkomneDokumenter.Afvis', 'DigitalPost.Slet'],
  },
  'legal-hold-lifted': {
    from: ['pending', 'held', 'journalized', 'rejected'],
    to: 'same',
    roles: ['DigitalPost.Slet'],
  },
} as const satisfies Record<string, ChangeRow>;

export const CHANGES = { ...TRANSITIONS, ...ATTRIBUTE_CHANGES };

/** A change of a message; also the type of its event and the action in the audit log. */
export type Change = keyof typeof CHANGES;

/** The changes that people ask for: those with a role of theirs, but what a deletion becomes by the settings. */
export type CallersChange = Exclude<
  {
    [C in Change]: (typeof CHANGES)[C]['roles'][number] extends Exclude<Role, 'Indbakke.System'> ? C : never;
  }[Change],
  'deletion-requested' | 'deletion-scheduled'
>;

const {
  accepted: _,
  held: __,
  answered: ___,
  'answer-withdrawn': ____,
  'answer-delivery-told': _____,
  suggested: ______,
  'file-arrived': ______________,
  'file-missing': _______________,
  'file-asked': ________________,
  'files-scanned': ______________________,
  'files-let-pass': _______________________,
  'scan-asked': ________________________,
  'receipt-sent': _________________,
  'receipt-failed': __________________,
  'distribution-sent': ___________________,
  'distribution-answered': ____________________,
  'distribution-failed': _____________________,
  'content-removed': _______,
  'handover-refused': ________,
  'handover-expired': _________,
  'cause-changed': __________,
  escalated: ___________,
  'deletion-requested': ____________,
  'deletion-scheduled': _____________,
  ...callersChanges
} = CHANGES;
export const CALLERS_CHANGES = callersChanges satisfies Pick<typeof CHANGES, CallersChange>;
