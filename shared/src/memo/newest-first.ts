/** An entry of ReplyData: of a message, and the one that it answers. */
interface Link {
  readonly messageUUID: string | undefined;
  readonly replyUUID: string | null | undefined;
}

/**
 * Orders the entries from the newest back by following each replyUUID to the entry that it answers, whatever the order in the
 * document (MeMo 1.2, ReplyData; the official example). Unreachable entries come last, in reverse document order.
 *
 * @param ownUuid of the message that they are of, in the same form as theirs
 */
export function newestFirst<Entry extends Link>(entries: readonly Entry[], ownUuid: string | undefined): Entry[] {
  const byUuid = new Map<string | null | undefined, Entry>(entries.map((entry) => [entry.messageUUID, entry]));
  const answered = new Set(entries.map((entry) => entry.replyUUID));
  const isNewest = (entry: Entry) => entry.replyUUID && !answered.has(entry.messageUUID);
  const latestFirst = [...entries].reverse();
  const starts = [byUuid.get(ownUuid), ...latestFirst.filter(isNewest), ...latestFirst];

  const found = new Set<Entry>();
  for (const start of starts) {
    let entry = start;
    while (entry && !found.has(entry)) {
      found.add(entry);
      entry = byUuid.get(entry.replyUUID);
    }
  }
  return [...found];
}
