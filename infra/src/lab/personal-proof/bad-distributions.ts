import { randomUUID } from 'node:crypto';
import { type DistributionSpec, writeDistribution } from '../../local/distribution/write-distribution.js';
import { type ReceiptSpec, writeReceipt } from '../../testkit/write-receipt.js';
import type { BadDelivery } from './bad-deliveries.js';
import { plantedDocuments } from './distributions.js';
import type { Plants } from './plants.js';

/** Any XML in the place of a document from Fordelingskomponenten. */
export const asRequest = (xml: Buffer): Buffer => {
  const inside = xml.toString('latin1').replace(/^<\?xml[^>]*\?>\s*/, '');
  return Buffer.from(
    writeDistribution().replace(/(<d:anmodning>).*(<\/d:anmodning>)/, (_, start, end) => start + inside + end),
    'latin1',
  );
};

/** Documents and receipts that are refused, or taken although they have faults; planted in the place at fault. */
export function badDistributions(plants: Plants): BadDelivery[] {
  const word = (what: string) => plants.word(`document: ${what}`);
  const number = (what: string) => plants.number(`document: ${what}`);
  const bad = (what: string, spec: DistributionSpec, change: (xml: string) => string = (xml) => xml): BadDelivery => {
    const [document] = plantedDocuments(plants, `document: ${what}`);
    return { what, xml: Buffer.from(change(writeDistribution({ ...document, ...spec }))) };
  };
  const receipt = (what: string, spec: ReceiptSpec): BadDelivery => ({
    what,
    xml: Buffer.from(writeReceipt({ reason: word(`${what}, reason`), ...spec })),
  });
  const object = '</d:DistributionDokument>';
  return [
    bad('transaction', { transactionId: word('transaction') }),
    bad('distribution', { distributionId: word('distribution') }),
    bad('sender', { sender: number('sender') }),
    bad('recipient', { recipient: number('recipient') }),
    bad('unknown recipient', { recipient: '99999999' }),
    bad('KLE number', { routing: { kle: word('KLE number'), facet: word('facet') } }),
    bad('actor', { routing: { actor: word('actor') } }),
    bad('file name', { fileName: `../${word('file name')}` }),
    bad('type', { claimedType: word('type') }),
    bad('object', { objectId: number('object') }),
    bad('KLE number of its own', { kle: word('KLE number of its own'), facet: word('facet of its own') }),
    bad('suggested case', { suggestedCase: word('suggested case') }),
    bad('two file names', {}, (xml) =>
      xml.replace('</d:DistributionContext>', `<d:RoutingMyndighed>${word('twice')}</d:RoutingMyndighed>$&`),
    ),
    bad('another object', {}, (xml) => xml.replaceAll('DistributionDokument', `x${word('another object')}`)),
    bad('two objects', {}, (xml) =>
      xml.replace(object, `${object}<d:DistributionFormular>${word('second')}</d:DistributionFormular>`),
    ),
    bad('no object', {}, (xml) =>
      xml.replace(/(<d:ObjektIndhold>).*(<\/d:ObjektIndhold>)/, `$1${word('no object')}$2`),
    ),
    bad('content outside of a form', {}, (xml) =>
      xml.replace(
        object,
        `<d:FormularIndhold>${Buffer.from(word('outside')).toString('base64')}</d:FormularIndhold>${object}`,
      ),
    ),
    bad('content that is not base64', { object: { type: 'FORMULAR', content: Buffer.alloc(0) } }, (xml) =>
      xml.replace(/<d:FormularIndhold\/>/, `<d:FormularIndhold>${word('not base64')}!</d:FormularIndhold>`),
    ),
    bad('dates', {
      object: {
        type: 'DOKUMENT',
        letterDate: word('letter date'),
        deadline: word('deadline'),
        mimeType: word('MIME type'),
      },
    }),
    receipt('unknown transaction', { transactionId: randomUUID() }),
    receipt('transaction of a receipt', { transactionId: word('transaction of a receipt') }),
    receipt('authorities of a receipt', {
      sender: number('sender of a receipt'),
      recipient: word('recipient of a receipt'),
    }),
    receipt('code of a receipt', { code: word('code of a receipt') }),
    receipt('kind of a receipt', { kind: word('kind of a receipt') }),
    receipt('long reason', { reason: word('long reason').padEnd(20_000) + word('end of a long reason') }),
  ];
}
