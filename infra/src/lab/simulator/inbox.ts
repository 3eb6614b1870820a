import type { DocumentList } from '@indbakke/shared/api';
import type { LetterRecord } from './letters.js';

/** How to ask the inbox API. */
export interface SimulatorInbox {
  readonly url: string;
  /** A bearer token that may list the messages of a municipality. */
  token(municipality: string): string | Promise<string>;
}

/** What the inbox has of what was sent. Ids are messageUUIDs. */
export interface InboxCheck {
  readonly found: number;
  /** Acknowledged, and not there. */
  readonly missing: readonly string[];
  /** There more than once. */
  readonly twice: readonly string[];
  /** Refused, and there all the same. */
  readonly unexpected: readonly string[];
}

/** Asks for all messages of each municipality. Held ones are not among them. @throws Error with a sentence when the inbox does not answer */
export async function checkInbox(inbox: SimulatorInbox, letters: Iterable<LetterRecord>): Promise<InboxCheck> {
  const sent = [...letters];
  const counts = new Map<string, number>();
  for (const municipality of new Set(sent.map((letter) => letter.municipality))) {
    for await (const id of idsOf(inbox, municipality)) counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  const countOf = ({ messageUUID }: LetterRecord) => counts.get(messageUUID.toLowerCase()) ?? 0;
  const idsWhere = (isSo: (letter: LetterRecord) => boolean) => sent.filter(isSo).map(({ messageUUID }) => messageUUID);
  return {
    found: sent.filter((letter) => countOf(letter) > 0).length,
    missing: idsWhere((letter) => letter.status === 'acknowledged' && countOf(letter) === 0),
    twice: idsWhere((letter) => countOf(letter) > 1),
    unexpected: idsWhere((letter) => letter.status === 'refused' && countOf(letter) > 0),
  };
}

/** Whether it answers for each municipality. @throws Error with a sentence when it does not */
export async function tryInbox(inbox: SimulatorInbox, municipalities: readonly string[]): Promise<void> {
  for (const municipality of municipalities) await idsOf(inbox, municipality).next();
}

/** `fetch failed` has the cause behind it. */
function codeOf({ message, cause }: Error): string {
  const { code, message: why } = (cause ?? {}) as Partial<NodeJS.ErrnoException>;
  return code ?? why ?? message;
}

async function* idsOf({ url, token }: SimulatorInbox, municipality: string): AsyncGenerator<string> {
  const authorization = `Bearer ${await token(municipality)}`;
  let cursor: string | null = null;
  do {
    const query = new URLSearchParams({
      status: 'pending,journalized,rejected',
      limit: '200',
      ...(cursor && { cursor }),
    });
    const answer = await fetch(`${url}/api/v1/incoming-documents?${query}`, { headers: { authorization } }).catch(
      (error: Error) => {
        throw new Error(`The inbox ${url} does not answer: ${codeOf(error)}.`);
      },
    );
    if (!answer.ok) throw new Error(`The inbox ${url} answers ${answer.status} for municipality ${municipality}.`);
    const page = (await answer.json()) as DocumentList;
    for (const { externalId } of page.items) yield externalId;
    cursor = page.nextCursor;
  } while (cursor !== null);
}
