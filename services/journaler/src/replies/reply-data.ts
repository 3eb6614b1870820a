import type { ReplyDataEntry } from '@indbakke/shared/api';
import { cprNumberOf, uuidOf } from '@indbakke/shared/ids';
import { isMemoUuid, type Memo, newestFirst } from '@indbakke/shared/memo';

type Header = Pick<Memo['header'], 'messageUUID' | 'replyData'>;

/** As many as are read of a reply. */
const MAX_ENTRIES = 100;
// MeMo 1.2, Text and AdditionalReplyData
const MAX_TEXT = 256;
const MAX_PAIRS = 4;

/**
 * The ReplyData of a letter: an entry for each message that came before, oldest first, and its own.
 *
 * @param own of the letter itself
 * @param recipientId CPR or CVR number of its recipient, who is told the number of no other person
 * @param answered header of the message that it answers, as it came. A message without an entry gets one, which answers the
 *   newest of the others. Entries without a UUID that MeMo takes are left out, since it requires one
 */
export function replyDataOf(own: ReplyDataEntry, recipientId: string, answered: Header | undefined): ReplyDataEntry[] {
  const answeredUuid = answered && memoUuidOf(answered.messageUUID);
  if (!answered || !answeredUuid) return [own];
  const others = answered.replyData
    .flatMap((entry) => entriesOf(entry, recipientId))
    .filter(({ messageUUID }) => messageUUID !== own.messageUUID);
  // Whatever their order there: of what comes back only the last may be left, without the links to the others.
  const before = newestFirst(others, answeredUuid).reverse();
  const hasEntry = before.some(({ messageUUID }) => messageUUID === answeredUuid);
  const missing = { ...NOTHING, messageUUID: answeredUuid, replyUUID: before.at(-1)?.messageUUID ?? null };
  const chain = hasEntry ? before : [...before, missing];
  return [...chain, { ...own, replyUUID: answeredUuid }].slice(-MAX_ENTRIES);
}

const NOTHING = {
  messageID: null,
  messageUUID: '',
  replyUUID: null,
  senderID: null,
  recipientID: null,
  caseID: null,
  contactPointID: null,
  generatingSystemID: null,
  additionalReplyData: [],
} satisfies ReplyDataEntry;

/** As it came, but for its comment, which was for the recipient of that message, and the CPR numbers of others. */
function entriesOf(entry: Header['replyData'][number], recipientId: string): ReplyDataEntry[] {
  const messageUUID = memoUuidOf(entry.messageUUID);
  if (!messageUUID) return [];
  const pairs = entry.additionalReplyData.flatMap((pair) => {
    const [label, value] = [textOf(pair.label), textOf(pair.value)];
    return label && value ? [{ label, value }] : [];
  });
  return [
    {
      messageID: textOf(entry.messageID),
      messageUUID,
      replyUUID: memoUuidOf(entry.replyUUID) ?? null,
      senderID: partyFor(recipientId, entry.senderID),
      recipientID: partyFor(recipientId, entry.recipientID),
      caseID: textOf(entry.caseID),
      contactPointID: textOf(entry.contactPointID),
      generatingSystemID: textOf(entry.generatingSystemID),
      additionalReplyData: pairs.slice(0, MAX_PAIRS),
    },
  ];
}

function memoUuidOf(text = ''): string | undefined {
  const uuid = uuidOf(text);
  return uuid !== undefined && isMemoUuid(uuid) ? uuid : undefined;
}

/** A letter about a message need not go to its sender: the mother’s number is not for the father. */
function partyFor(recipientId: string, id = ''): string | null {
  const cpr = cprNumberOf(id);
  return cpr === undefined || cpr === cprNumberOf(recipientId) ? textOf(id) : null;
}

/** MeMo has no empty text. One that is too long is left out, since half an id is another id. */
function textOf(text: string | undefined): string | null {
  return text && text.length <= MAX_TEXT ? text : null;
}
