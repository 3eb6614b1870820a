import { randomUUID } from 'node:crypto';

/** What writeReceipt writes; what is left out has a default. */
export interface ReceiptSpec {
  readonly transactionId?: string;
  readonly sender?: string;
  readonly recipient?: string;
  readonly code?: string;
  readonly kind?: string;
  readonly reason?: string;
}

const V2 = 'http://serviceplatformen.dk/xml/wsdl/soap11/DistributionService/2/types';

/** A receipt, as Serviceplatformen passes it to the sender. */
export function writeReceipt(spec: ReceiptSpec): string {
  const { transactionId = randomUUID(), sender = '22222222', recipient = '11111111', reason } = spec;
  const { code = 'ACCEPTERET', kind = 'Forretning' } = spec;
  return `<?xml version="1.0" encoding="UTF-8"?>
<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>
  <d:FordelingskvitteringModtagAnvenderRequest xmlns:d="${V2}">
    <d:Forretningskvittering>
      <d:ForretningsValideringsKode>${code}</d:ForretningsValideringsKode>
      <d:Kvitteringstype>${kind}</d:Kvitteringstype>${reason === undefined ? '' : `<d:Begrundelse>${reason}</d:Begrundelse>`}
    </d:Forretningskvittering>
    <d:DistributionContext>
      <d:AnvenderTransaktionsID>${transactionId}</d:AnvenderTransaktionsID>
      <d:DistributionTransktionsID>${randomUUID()}</d:DistributionTransktionsID>
      <d:AfsendendeMyndighed>${sender}</d:AfsendendeMyndighed>
      <d:RoutingMyndighed>${recipient}</d:RoutingMyndighed>
      <d:RoutingValg><d:RoutingKLEEmneHandling><d:RoutingKLEEmne>27.24.00</d:RoutingKLEEmne></d:RoutingKLEEmneHandling></d:RoutingValg>
    </d:DistributionContext>
  </d:FordelingskvitteringModtagAnvenderRequest>
</s:Body></s:Envelope>`;
}
