import { cvrNumberOf, uuidOf } from '@indbakke/shared/ids';
import type { Kind, SuggestionBasis } from '@indbakke/shared/lifecycle';
import { type Memo, newestFirst } from '@indbakke/shared/memo';
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
 * Text ids are chosen by the system that created the original, so they count only if that was the core of this municipality
 * (MeMo 1.2, ReplyData).
 */
export function referencesOf({ header }: Memo, municipality: string, ownSystemId: string): Reference[] {
  if (header.forwardData) return [];
  const all = header.replyData.map((entry) => asLink(entry, header));
  const links = newestFirst(all, normal(header.messageUUID)).slice(0, MAX_LINKS);
  const ours = oursOf(links, municipality, ownSystemId);
  const references: Reference[] = [
    ...links.flatMap((link) => [ref('message-uuid', link.replyUUID), ref('message-uuid', link.messageUUID)]).flat(),
    ...ours.flatMap((entry) => ref('message-id', entry.messageID)),
    ...ours.flatMap((entry) => ref('case-id', entry.caseID)),
  ];
  const distinct = new Map(references.map((reference) => [`${reference.kind} ${reference.value}`, reference]));
  return [...distinct.values()];
}

/**
 * The entries with text ids of our core. Other municipalities have the same system, and use the same numbers, so the system
 * alone is not enough: the entry must not be of another organisation, nor, if a citizen’s client repeats ids there, answer one.
 */
function oursOf(links: readonly Link[], municipality: string, ownSystemId: string): Link[] {
  const byUuid = new Map(links.map((link) => [link.messageUUID, link]));
  return links.filter((link) => {
    const { generatingSystemID: system } = link;
    const organisation = organisationOf(link, byUuid);
    if (organisation !== undefined && organisation !== municipality) return false;
    return system ? system === ownSystemId : isFrom(municipality, link);
  });
}

/** The CVR number of who sent this message or, of a citizen’s, the nearest one that it answers. */
function organisationOf(link: Link, byUuid: ReadonlyMap<string | undefined, Link>): string | undefined {
  const seen = new Set<Link>();
  for (let at: Link | undefined = link; at && !seen.has(at); at = byUuid.get(at.replyUUID)) {
    const organisation = cvrNumberOf(at.senderID ?? '');
    if (organisation) return organisation;
    seen.add(at);
  }
  return undefined;
}

function isFrom(municipality: string, { senderID }: { readonly senderID?: string | undefined }): boolean {
  return cvrNumberOf(senderID ?? '') === municipality;
}

/** An entry with its UUIDs in their normal form. */
interface Link extends Omit<ReplyEntry, 'messageUUID' | 'replyUUID' | 'senderID'> {
  readonly messageUUID: string | undefined;
  readonly replyUUID: string | undefined;
  readonly senderID: string | undefined;
}

function asLink(entry: ReplyEntry, header: Memo['header']): Link {
  const [messageUUID, replyUUID] = [normal(entry.messageUUID), normal(entry.replyUUID)];
  // The entry of the message itself may leave out who sent it.
  const sender = messageUUID === normal(header.messageUUID) ? header.sender?.senderID : undefined;
  return { ...entry, messageUUID, replyUUID, senderID: entry.senderID || sender };
}

/** What is not a UUID refers to nothing, but may link two entries. */
function normal(uuid: string | undefined): string | undefined {
  return uuid && (uuidOf(uuid) ?? uuid.toLowerCase());
}

function ref(kind: SuggestionBasis, value: string | undefined): Reference[] {
  if (!value || value.length > MAX_ID_LENGTH) return [];
  return [{ kind, value }];
}
