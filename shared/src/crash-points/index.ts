import { channel } from 'node:diagnostics_channel';

/**
 * Where a test harness may kill the process, in order of time: each is announced as soon as it is reached. The services know
 * nothing of the harness.
 */
export const CRASH_POINTS = {
  'content-written':
    'All bytes of a container have been written to the file system, none is known to be on disk; or they are about to go to S3.',
  'content-synced':
    'The bytes of the container are on disk, under the name of an unfinished blob; in S3, all parts of a large one.',
  'content-renamed': 'The container has its final name, which may not be on disk; not in S3.',
  'folder-synced': 'The final name is on disk, or S3 has said that it has the container: it survives a power cut.',
  'message-committed': 'All rows of a message are durable; its receipt is not sent yet.',
  'quarantine-sealed': 'A delivery that could not be read is sealed as it came; no entry has it yet.',
  'quarantine-committed': 'The entry in quarantine is durable; the refusal is not sent yet.',
  'suggestion-committed': 'A suggestion run is durable.',
  'held-released': 'A batch of held messages whose cause is gone is released.',
  'positions-written': 'A batch of events and audit rows has its positions; COMMIT is not sent.',
  'positions-committed': 'The positions are durable, and those who wait for them are told.',
  'audit-month-anchored': 'The positions of an old month of the audit log are anchored; the month is not dropped yet.',
  'due-taken': 'Rows whose jobs are due are taken, to be enqueued; no job is enqueued yet.',
  'extract-sealed': 'The file of an extract is made and sealed; no row has it yet.',
  'extract-committed': 'The file of an extract is durable, and the extract has moved on; its job is not done yet.',
  'package-sealed': 'An access package is made and sealed; its row does not have it yet.',
  'package-committed': 'The access package is durable; its job is not done yet.',
  'zip-began': 'The content of a zip download is about to be written: its row has the name of the container.',
  'zip-sealed': 'A zip download is made and sealed; its row does not say so yet.',
  'zip-committed': 'The zip download is durable; its job is not done yet.',
  'webhook-attempted': 'A webhook has answered, or failed to; that is not recorded yet.',
  'file-sealed': 'A file of Fordelingskomponenten is fetched and sealed; no row has it yet.',
  'file-committed': 'The fetched file is durable; it is not removed at the far end yet.',
  'file-removed-there': 'The fetched file is gone at the far end; its row does not say so yet.',
  'receipt-claimed': 'The row of a business receipt says that it is being sent; nothing is sent yet.',
  'receipt-answered':
    'Fordelingskomponenten has answered to a business receipt, or failed to; its row does not say so yet.',
  'distribution-uploaded': 'The file of a message that is sent on is on the SFTP server; its row does not say so yet.',
  'distribution-noted': 'Its row says that it is there; Fordelingskomponenten is not told yet.',
  'distribution-told': 'Fordelingskomponenten has answered, or failed to; its row does not say so yet.',
  'file-scanned': 'A file of a message is scanned; no row says what was found yet.',
  'deletion-decided':
    'A deletion waits for another person or for its due time, and files made of the message are gone; that is not answered yet.',
  'deletion-committed': 'A message is deleted and its key destroyed; its content is not removed yet.',
  'handover-copied':
    'The content of an offered message is sealed anew for the one who takes it; no row has the copy yet.',
  'handover-committed':
    'An offered message is taken: the copy and the rejection of the original are durable, and not answered yet.',
  'retention-committed':
    'The content of a journalized message is given up and its key destroyed; it is not removed from the store yet.',
  'quarantine-removed': 'An entry in quarantine is gone with its key; its content is not removed yet.',
  'content-removed': 'A container was removed; a power cut could still bring it back.',
  'removal-synced': 'The removal is on disk.',
  'ledger-written': 'A batch of deletions is in the deletion ledger; their rows do not say so yet.',
  'ledger-line-written': 'The lines of a day are in the ledger; the database does not know of them yet.',
  'ledger-content-read': 'Content of a day was compared with its hashes; the rest of the day is not.',
  'scrub-begun': 'A table that is written anew has its empty successor; no row is copied yet.',
  'scrub-copied': 'A batch of rows is copied to the successor of their table.',
  'scrub-swapped': 'The successor has taken the place of its table; the foreign keys are not verified yet.',
  'scrub-rewritten': 'A table is written anew; the write-ahead log still has what was deleted.',
  'key-file-written': 'A changed key file is on disk under another name; the old one is still in its place.',
  'move-locked': 'Content that is moved is copied but for its last part, and its row is locked.',
  'move-copied': 'Content that is moved is in both places; the copy is not read back yet.',
  'move-verified': 'The copy is the same; the old one is not removed yet.',
  'keys-rewrapped': 'A batch of wrapped keys is wrapped anew under the current master key; others are not.',
} as const;

export type CrashPoint = keyof typeof CRASH_POINTS;

/** What is published on {@link CRASH_POINT_CHANNEL}. Nothing personal, so no ids or names. */
export interface CrashPointMessage {
  readonly point: CrashPoint;
}

/** Name of the node:diagnostics_channel that carries a {@link CrashPointMessage} per crash point. */
export const CRASH_POINT_CHANNEL = 'indbakke:crash-point';

const crashPoints = channel(CRASH_POINT_CHANNEL);

/** Publishes that `point` has just been reached. Listeners run before this returns; without one it costs nothing. */
export function announce(point: CrashPoint): void {
  if (crashPoints.hasSubscribers) crashPoints.publish({ point } satisfies CrashPointMessage);
}
