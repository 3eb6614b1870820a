import { cvrNumberOf, uuidOf } from '@indbakke/shared/ids';
import type { Kind, SuggestionBasis } from '@indbakke/shared/lifecycle';
import type { Memo } from '@indbakke/shared/memo';
import type { Reference } from '../intake/incoming-message.js';

type ReplyEntry = Memo['header']['replyData'][number];

/** Longer chains are attacks; only the newest links matter. */
const MAX_LINKS = 100;

/** MeMo 1.2, Text. The core can register no id over this length, so a longer one refers to nothing. */
const MAX_ID_LENGTH = 256;

/**
 * A reply has a ReplyData entry that answers another message, or whose sender is the receiving municipality. On a forwarded
 * message ReplyData is the forwarder’s.
 */
export function kindOf({ header }: Memo, municipality: string): Kind {
  if (header.forwardData) return 'forwarded';
  const isReply = header.replyData.some((entry) => entry.replyUUID || isFrom(municipality, entry));
  return isReply ? 'reply' : 'enquiry';
}

/**
 * What the message refers to, strongest first: message UUIDs from the newest link of the chain back, then the sender’s own
 * message ids, then case numbers. Empty for a forwarded message.
 *
 * Text ids are chosen by the system that created the original, so they count only if that was the core, or if no system is
 * named and the sender is the municipality (MeMo 1.2, ReplyData).
 */
export function referencesOf({ header }: Memo, municipality: string, ownSystemId: string): Reference[] {
  if (header.forwardData) return [];
  const links = newestFirst(header.replyData.slice(-MAX_LINKS).map(asLink), normal(header.messageUUID));
  const ours = links.filter((link) => isOurs(link, municipality, ownSystemId));
  const references: Reference[] = [
    ...links.flatMap((link) => [ref('message-uuid', link.replyUUID), ref('message-uuid', link.messageUUID)]).flat(),
    ...ours.flatMap((entry) => ref('message-id', entry.messageID)),
    ...ours.flatMap((entry) => ref('case-id', entry.caseID)),
  ];
  const distinct = new Map(references.map((reference) => [`${reference.kind} ${reference.value}`, reference]));
  return [...distinct.values()];
}

function isOurs(entry: Link, municipality: string, ownSystemId: string): boolean {
  return entry.generatingSystemID ? entry.generatingSystemID === ownSystemId : isFrom(municipality, entry);
}

function isFrom(municipality: string, { senderID = '' }: Pick<ReplyEntry, 'senderID'>): boolean {
  return cvrNumberOf(senderID) === municipality;
}

/** An entry with its UUIDs in their normal form. */
interface Link extends Omit<ReplyEntry, 'messageUUID' | 'replyUUID'> {
  readonly messageUUID: string | undefined;
  readonly replyUUID: string | undefined;
}

function asLink(entry: ReplyEntry): Link {
  return { ...entry, messageUUID: normal(entry.messageUUID), replyUUID: normal(entry.replyUUID) };
}

/** What is not a UUID refers to nothing, but may link two entries. */
function normal(uuid: string | undefined): string | undefined {
  return uuid && (uuidOf(uuid) ?? uuid.toLowerCase());
}

function ref(kind: SuggestionBasis, value: string | undefined): Reference[] {
  if (!value || value.length > MAX_ID_LENGTH) return [];
  return [{ kind, value }];
}

/**
 * Orders the entries from the newest back by following each replyUUID to the entry that it answers, whatever the order in the
 * document (MeMo 1.2, ReplyData; the official example). Unreachable entries come last, in reverse document order.
 */
function newestFirst(entries: readonly Link[], ownUuid: string | undefined): Link[] {
  const byUuid = new Map(entries.map((entry) => [entry.messageUUID, entry]));
  const answered = new Set(entries.map((entry) => entry.replyUUID));
  const isNewest = (entry: Link) => entry.replyUUID && !answered.has(entry.messageUUID);
  const latestFirst = [...entries].reverse();
  const starts = [byUuid.get(ownUuid), ...latestFirst.filter(isNewest), ...latestFirst];

  const found = new Set<Link>();
  for (const start of starts) {
    let entry = start;
    while (entry && !found.has(entry)) {
      found.add(entry);
      entry = byUuid.get(entry.replyUUID);
    }
  }
  return [...found];
}
