import type { DistributionContext } from '@indbakke/shared/lifecycle';
import type { DistributionClient } from './client.js';
import { fieldsOfContext } from './context.js';
import { fieldsOfDocument, type SentDocument } from './document.js';
import type { AnsweredReceipt, SendOutcome } from './outcome.js';
import { type Caller, envelopeOf } from './write-xml.js';

export interface SentObject extends Caller {
  /** Without an id of Fordelingskomponenten, which it gives itself. */
  readonly context: DistributionContext;
  /** Of the file, which is on the SFTP server by now. */
  readonly fileName: string;
  readonly document: SentDocument;
}

/** What Serviceplatformen answers: its technical receipt. The recipient’s comes later, by itself. */
export interface ObjectSent {
  readonly receipt: AnsweredReceipt;
}

/** Sends a document of one file on to another system. Never fails. */
export async function sendObject(
  client: DistributionClient,
  { context, fileName, document, ...caller }: SentObject,
): Promise<SendOutcome<ObjectSent>> {
  const envelope = envelopeOf('FordelingsobjektAfsend', caller, {
    anmodning: {
      DistributionContext: fieldsOfContext(context, fileName),
      DistributionObject: {
        ObjektType: 'DOKUMENT',
        ObjektIndhold: { DistributionDokument: fieldsOfDocument(document) },
      },
    },
  });
  const outcome = await client.call('FordelingsobjektAfsend', envelope);
  if (outcome.code !== 'sent') return outcome;
  const { status, receipt } = outcome;
  // Without it, it is not known what was done.
  if (!receipt) return { code: 'not-soap', status, faultCodes: [] };
  return { code: 'sent', receipt };
}
