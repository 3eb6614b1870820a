import type { DistributionContext, ReceiptCode } from '@indbakke/shared/lifecycle';
import type { DistributionClient } from './client.js';
import { fieldsOfContext } from './context.js';
import type { ReceiptFault, SendOutcome } from './outcome.js';
import { type Caller, envelopeOf } from './write-xml.js';

export interface BusinessReceipt extends Caller {
  readonly code: ReceiptCode;
  readonly reason?: string | undefined;
  readonly faults?: readonly ReceiptFault[];
  /** As it was received. */
  readonly context: DistributionContext;
}

/** Sends the business receipt of a received object, which Serviceplatformen passes to its sender. Never fails. */
export async function sendBusinessReceipt(client: DistributionClient, receipt: BusinessReceipt): Promise<SendOutcome> {
  const outcome = await client.call('FordelingskvitteringModtag', renderBusinessReceipt(receipt));
  return outcome.code === 'sent' ? { code: 'sent' } : outcome;
}

/** The envelope, FordelingskvitteringModtagRequest. */
function renderBusinessReceipt({ code, reason, faults = [], context, ...caller }: BusinessReceipt): string {
  return envelopeOf('FordelingskvitteringModtag', caller, {
    Forretningskvittering: {
      ForretningsValideringsKode: code,
      Kvitteringstype: 'Forretning',
      Begrundelse: reason,
      FejlListe:
        faults.length === 0
          ? undefined
          : { Fejl: faults.map((fault) => ({ FejlKode: fault.code, FejlTekst: fault.text })) },
    },
    DistributionContext: fieldsOfContext(context),
  });
}
