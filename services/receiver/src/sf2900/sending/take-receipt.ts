import { Problem } from '@indbakke/shared/errors';
import { type OnwardCode, onwardCodeOf } from '@indbakke/shared/lifecycle';
import type { Store } from '@indbakke/shared/store';
import { pathOf, type XmlElement } from '@indbakke/shared/xml';
import { readTransaction } from '../object/context.js';
import { at, needed, neededValue, type Place, rootPlace, textAt } from '../object/elements.js';
import { type OnwardReceipt, recordReceipt } from './rows.js';

/** The request was a receipt of something that was sent on, and no document. */
export class ReceiptInstead extends Error {
  readonly request: XmlElement;

  constructor(request: XmlElement) {
    super('The request is a receipt.');
    this.request = request;
  }
}

/**
 * Records the receipt of something that was sent on from here.
 *
 * @throws Problem not-sf2900, unknown-transaction
 */
export async function takeReceipt(store: Store, request: XmlElement): Promise<void> {
  const root = rootPlace(request);
  const receipt = readReceipt(root);
  const { transactionId, sender, municipality } = readTransaction(needed(root, 'DistributionContext'));
  const of = { municipality: sender, distributionId: transactionId, recipient: municipality };
  if (await recordReceipt(store, of, receipt)) return;
  throw new Problem('unknown-transaction', 'Nothing was sent on from here in this transaction.');
}

function readReceipt(request: Place): OnwardReceipt {
  // Both spellings are in the schemas.
  const receipt = at(request, 'ForretningsKvittering') ?? needed(request, 'Forretningskvittering');
  const code = neededValue(receipt, 'ForretningsValideringsKode', onwardCodeOf, 'code of a receipt');
  // “Digital post” tells whether Digital Post has taken it, and not what the recipient says.
  const kind = neededValue(receipt, 'Kvitteringstype', kindOf, 'kind of a receipt');
  const path = pathOf(receipt);
  const reason = textAt(receipt, 'Begrundelse') ?? textAt(receipt, 'FejlListe', 'Fejl', 'FejlTekst');
  if (reason !== undefined && reason.length > MAX_REASON)
    throw new Problem('not-sf2900', 'The reason is too long.', { path });
  return { kind: kind === 'forretning' ? 'business' : 'technical', code: code as OnwardCode, reason };
}

const MAX_REASON = 10_000;

const KINDS: readonly string[] = ['teknisk', 'forretning', 'digital post'];
const kindOf = (text: string) => KINDS.find((kind) => kind === text.toLowerCase());
