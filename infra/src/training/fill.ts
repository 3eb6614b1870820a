import { deliver } from '../testkit/deliver.js';
import { writeMemo } from '../testkit/write-memo.js';
import { CASES, sentLetters } from './cases.js';
import { type Addressee, lettersFor } from './letters.js';

/** The Indbakke that is filled. */
export interface Target {
  readonly url: string;
  /** A token of the core of the municipality. */
  readonly token: string;
}

/** Registers the cases, and the letters sent from them, as the core does. @throws Error when that is refused */
export async function registerCases({ url, token }: Target, cvr: string): Promise<void> {
  const put = async (path: string, body: object) => {
    const response = await fetch(`${url}/api/v1${path}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${url} answered ${response.status} to the core: ${await response.text()}`);
  };
  for (const { caseId, ...body } of Object.values(CASES)) await put(`/cases/${encodeURIComponent(caseId)}`, body);
  for (const { messageUUID, ...body } of Object.values(sentLetters(cvr)))
    await put(`/sent-messages/${messageUUID}`, body);
}

/**
 * Delivers the letters one by one, as Serviceplatformen does. Those that were delivered before are not stored again.
 *
 * @returns how many there are
 * @throws Error when one is not received
 */
export async function deliverLetters(
  { url }: Target,
  addressee: Addressee,
  onLetter: (done: number, of: number) => void,
): Promise<number> {
  const letters = await lettersFor(addressee);
  for (const [at, letter] of letters.entries()) {
    const response = await deliver(url, writeMemo(letter));
    if (!response.ok) throw new Error(`"${letter.subject}" was not received: ${await response.text()}`);
    await response.arrayBuffer();
    onLetter(at + 1, letters.length);
  }
  return letters.length;
}
