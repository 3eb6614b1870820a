import { CHANGES, type Change } from '../lifecycle/transitions.js';

/** What the log has rows of besides the changes of messages, each with its meaning. */
const OTHER_ACTIONS = {
  read: 'A message was read.',
  'read-file': 'A file of a message was read.',
  'read-text': 'The text of a main document was read.',
  'read-zip': 'A message was downloaded as a zip, alone or with others.',
  'zip-created': 'A zip of many messages was asked for.',
  'zip-downloaded': 'A zip of many messages was downloaded.',
  'zip-cancelled': 'The making of a zip of many messages was cancelled.',
  'zip-deleted': 'A zip of many messages was removed.',
  list: 'Messages were listed.',
  search: 'Messages were searched for.',
  'list-ids': 'The ids of the messages of a filter were listed.',
  'export-began': 'An Excel file of a list was begun.',
  exported: 'An Excel file of a list ended.',
  'extract-created': 'An extract was created.',
  'extract-deleted': 'An extract was deleted.',
  'extract-made': 'A file of an extract was made.',
  'read-extract': 'A file of an extract was downloaded.',
  'sent-message-registered': 'A sent message was registered.',
  'reply-set-up': 'A letter that is about to be sent was set up.',
  'case-registered': 'A case was registered.',
  'municipality-changed': 'The settings of the municipality were changed.',
  'contact-point-added': 'A contact point was set up.',
  'contact-point-changed': 'A contact point was set up otherwise.',
  'contact-point-removed': 'A contact point was removed.',
  'department-added': 'A department was set up.',
  'department-changed': 'A department was set up otherwise.',
  'department-removed': 'A department was removed.',
  'training-reset': 'All mail of a training municipality is to be removed and made anew.',
  'contact-point-check-started': 'A check of a contact point was begun.',
  'absence-set': 'A user got a substitute for a period.',
  'absence-removed': 'The substitute of a user was removed.',
  'webhook-created': 'A webhook was created.',
  'webhook-changed': 'A webhook was changed.',
  'webhook-deleted': 'A webhook was deleted.',
  'webhook-secret-made': 'A webhook got a new secret.',
  'webhook-redelivered': 'Events were sent to a webhook again.',
  'webhook-disabled': 'A webhook that fails was disabled.',
  'log-searched': 'The audit log was searched.',
  'log-exported': 'An Excel file of the audit log was made.',
  'log-sheet-made': 'The sheet of the audit log for a citizen was made.',
  'package-created': 'An access package was asked for.',
  'package-made': 'An access package was made, with the sheet of the audit log.',
  'read-package': 'A message was put into an access package.',
  'package-downloaded': 'An access package was downloaded.',
  'package-deleted': 'An access package was deleted.',
  'handover-received': 'Another municipality offered a message.',
  'offer-refused': 'An offered message was refused.',
  'handover-lapsed': 'The offer of a message was withdrawn, has expired, or became void.',
  'handovers-listed': 'Offers of messages were listed.',
  'quarantine-listed': 'The deliveries in quarantine were listed.',
  'quarantine-downloaded': 'A delivery in quarantine was downloaded.',
  'quarantine-accepted': 'The bytes of a delivery in quarantine get a receipt from then on.',
  'quarantine-refused': 'The bytes of a delivery in quarantine are refused again.',
  'quarantine-removed': 'A delivery was removed from quarantine.',
  scrubbed: 'The database was scrubbed of what deleted rows had left in it.',
  refused: 'A call was refused.',
} as const;

/** What was done. */
export type Action = Change | keyof typeof OTHER_ACTIONS;

/** All actions of the log. That of a change is its name. */
export const ACTIONS = {
  ...(Object.fromEntries(Object.keys(CHANGES).map((change) => [change, `A message was ${change}.`])) as Record<
    Change,
    string
  >),
  ...OTHER_ACTIONS,
} satisfies Record<Action, string>;
