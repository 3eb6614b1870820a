import type { Principal } from '../access/index.js';
import type { Role } from '../access/roles.js';
import { Problem } from '../errors/index.js';
import { FILE_SCANS, type FileScan, type KeptScan } from '../lifecycle/index.js';
import { type Connection, Prisma, run } from '../store/index.js';

const { sql } = Prisma;

// The one rule of whether a file may be opened, given what the scan for malware found. What reads content takes only an Openable, so
// no way out can forget it.

/** How the installation scans. */
export interface Scanning {
  /** CLAMD_URL is set. */
  readonly isOn: boolean;
  /** SCAN_DOWN is let-pass. */
  readonly letsPass: boolean;
}

/** `open`: to everybody; `held`: to nobody yet; `unsafe`: to OPENS_UNSAFE, by the download of that file. */
export type Opening = 'open' | 'held' | 'unsafe';

const OPENINGS = {
  'not-scanned': 'open',
  waiting: 'held',
  clean: 'open',
  infected: 'unsafe',
  unscannable: 'unsafe',
} as const satisfies Record<FileScan, Opening>;

/** The role that opens unsafe files. */
export const OPENS_UNSAFE: Role = 'Indbakke.UsikreFiler';

/** What of a file decides. */
export interface ScannedFile {
  readonly scan: KeptScan;
}

/**
 * What a file counts as here and now. What came while scanning was off stays open, also when it is switched on; what was found stays
 * found when it is switched off; and only what waits depends on the settings of today.
 */
export function scanOf({ isOn, letsPass }: Scanning, { scan }: ScannedFile): FileScan {
  if (scan === null) return 'not-scanned';
  if (scan === 'waiting') return isOn ? 'waiting' : 'not-scanned';
  if (scan === 'let-pass') return isOn && !letsPass ? 'waiting' : 'not-scanned';
  return scan;
}

export function openingOf(scanning: Scanning, file: ScannedFile): Opening {
  return OPENINGS[scanOf(scanning, file)];
}

/** Whether this caller may download the file. */
export function mayOpen(scanning: Scanning, file: ScannedFile, { roles }: Pick<Principal, 'roles'>): boolean {
  const opening = openingOf(scanning, file);
  return opening === 'open' || (opening === 'unsafe' && roles.has(OPENS_UNSAFE));
}

declare const openable: unique symbol;
/** A file that the rule lets be opened, or that is opened by one of NOT_RULED. */
export type Openable<File = unknown> = File & { readonly [openable]: true };

/**
 * The file, if it may be opened; an unsafe one only by a caller with the role for it.
 *
 * @throws Problem file-held, file-unsafe
 */
export function requireOpen<File extends ScannedFile>(
  scanning: Scanning,
  file: File,
  by?: Pick<Principal, 'roles'>,
): Openable<File> {
  const opening = openingOf(scanning, file);
  if (opening === 'held') throw fileHeld();
  if (opening === 'unsafe' && !by?.roles.has(OPENS_UNSAFE)) {
    const why = FILE_SCANS[scanOf(scanning, file)];
    throw new Problem('file-unsafe', by ? why : `${why} It goes out in no other way.`);
  }
  return file as Openable<File>;
}

/** What opens files whatever the scan says: none of it shows a file to anybody. */
export const NOT_RULED = {
  scan: 'It is opened to be scanned.',
  reseal: 'It is sealed anew for its message, or for the copy that another municipality takes; its scan goes with it.',
  verify: 'It is compared with its hash.',
  made: 'It was made here of messages, when the rule let their files into it; an unsafe file removes it, a held one holds it. Or it is a delivery in quarantine, which is no file.',
} as const;

export function openAnyway<File>(file: File, _why: keyof typeof NOT_RULED): Openable<File> {
  return file as Openable<File>;
}

export const fileHeld = () =>
  new Problem('file-held', 'A file is being scanned for malware, or waits for that. Try again when it is done.');

const KEPT: readonly KeptScan[] = [null, 'waiting', 'let-pass', 'clean', 'infected', 'unscannable'];

/** A condition on `files AS f`: that the rule says so. */
export function isFile(scanning: Scanning, ...openings: readonly Opening[]): Prisma.Sql {
  const kept = keptOf(scanning, openings).map((scan) => scan ?? 'none');
  return sql`coalesce(f.scan, 'none') = ANY (${kept}::text[])`;
}

const keptOf = (scanning: Scanning, openings: readonly Opening[]): readonly KeptScan[] =>
  KEPT.filter((scan) => openings.includes(openingOf(scanning, { scan })));

/** Which documents of a message go out of it: technical ones only where they are asked for. */
export interface Outgoing {
  readonly technical: boolean;
}

/** Of the core and of access packages. */
export const WHOLE: Outgoing = { technical: true };
/** Of what is sent on. */
export const WITHOUT_TECHNICAL: Outgoing = { technical: false };

export const goesOut = ({ technical }: Outgoing, { role }: { readonly role: string }): boolean =>
  technical || role !== 'technical';

/** The same as a condition on `documents AS t`. */
export const documentGoesOut = ({ technical }: Outgoing): Prisma.Sql =>
  technical ? sql`true` : sql`t.role <> 'technical'`;

/** A condition on `messages AS m`: that a document of it which goes out has such a file. While scanning is off, no file is looked at for held ones. */
export function hasFile(scanning: Scanning, outgoing: Outgoing, ...openings: readonly Opening[]): Prisma.Sql {
  if (keptOf(scanning, openings).length === 0) return sql`false`;
  return sql`EXISTS (
    SELECT FROM files f JOIN documents t ON t.message_id = f.message_id AND t.position = f.document_position
    WHERE f.message_id = m.id AND f.status = 'stored' AND ${isFile(scanning, ...openings)} AND ${documentGoesOut(outgoing)})`;
}

/** Whether a file of the message is held. Asks nothing while scanning is off. */
export async function isAnyHeld(connection: Connection, scanning: Scanning, messageId: string): Promise<boolean> {
  if (!scanning.isOn) return false;
  const held = await run(
    connection,
    sql`SELECT FROM messages m WHERE m.id = ${messageId}::uuid AND ${hasFile(scanning, WHOLE, 'held')}`,
  );
  return held.length > 0;
}

/**
 * That none of the messages has a held file which goes out, for what was made of them while it was open: let pass, or while scanning
 * was off. Unsafe files need no such look: what has one is removed when it is found. Asks nothing while scanning is off.
 *
 * @throws Problem file-held
 */
export async function requireNoneHeld(
  connection: Connection,
  scanning: Scanning,
  { messageIds, outgoing }: { readonly messageIds: readonly string[]; readonly outgoing: Outgoing },
): Promise<void> {
  if (!scanning.isOn) return;
  const held = await run(
    connection,
    sql`SELECT FROM messages m WHERE m.id = ANY (${[...messageIds]}::uuid[]) AND ${hasFile(scanning, outgoing, 'held')} LIMIT 1`,
  );
  if (held.length > 0) throw fileHeld();
}
