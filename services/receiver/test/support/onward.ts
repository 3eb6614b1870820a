import { randomUUID } from 'node:crypto';
import type { FaultySftpServer } from '../../../../infra/src/testkit/sftp-server.js';
import type { CallOptions, TestStack } from '../../../../infra/src/testkit/stack.js';
import type { MemoSpec } from '../../../../infra/src/testkit/write-memo.js';
import type { OnwardBody } from '../../../../shared/src/api/index.js';
import { change, deliverMemo, read } from '../../../../shared/test/inbox/support.js';

/** To whom it is sent on. */
export const RECIPIENT = '11111111';
export const BODY: OnwardBody = { recipient: RECIPIENT, kle: '27.24.00', facet: 'G01' };

export const sftpEnv = ({ host, port, user, keyFile, hostKeys }: FaultySftpServer) => ({
  SF2900_SFTP_HOST: host,
  SF2900_SFTP_PORT: String(port),
  SF2900_SFTP_USER: user,
  SF2900_SFTP_KEY_FILE: keyFile,
  SF2900_SFTP_HOST_KEYS: hostKeys.join(','),
  SF2900_SFTP_IDLE_SECONDS: '1',
});

/** Delivers a letter and rejects it. */
export async function rejected(stack: TestStack, memo: MemoSpec = {}): Promise<string> {
  const id = await deliverMemo(stack, memo);
  const body = { reason: 'wrong-municipality', explanation: 'Hører til i nabokommunen.' };
  await change(stack, 'POST', `${id}/rejection`, { version: 1, body });
  return id;
}

export async function ask(stack: TestStack, id: string, body: object = BODY, options: CallOptions = {}) {
  const { version } = await read(stack, id);
  return stack.call('POST', `/incoming-documents/${id}/distribution`, { version, body, ...options });
}

/** The id of the last distribution of a message, which is also that of the transaction. */
export async function transactionOf(stack: TestStack, id: string): Promise<string> {
  const [row] = await stack.sql<{ id: string }>(
    'SELECT id FROM onward_distributions WHERE message_id = $1 ORDER BY at DESC LIMIT 1',
    [id],
  );
  return row?.id as string;
}

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
  const { transactionId = randomUUID(), sender = '22222222', recipient = RECIPIENT, reason } = spec;
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
