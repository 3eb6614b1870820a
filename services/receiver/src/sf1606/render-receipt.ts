import { Builder } from 'xml2js';
import type { Receipt } from './receipt.js';

/** The fields of Digital Post’s receipt, in its order. */
export function fieldsOf(receipt: Receipt): Record<string, string> {
  const { transmissionId, messageUUID, errorCode, errorMessage, timeStamp, receiptStatus } = receipt;
  return {
    transmissionId,
    ...(messageUUID !== undefined && { messageUUID }),
    ...(errorCode !== undefined && { errorCode }),
    ...(errorMessage !== undefined && { errorMessage }),
    timeStamp: timeStamp.toISOString(),
    receiptStatus,
  };
}

export function renderJson(receipt: Receipt): string {
  return JSON.stringify(fieldsOf(receipt));
}

const xml = new Builder({ rootName: 'Receipt', renderOpts: { pretty: true, indent: '  ', newline: '\n' } });

// assumed: the XML form of SF1606 is not public; the element names are those of the JSON form (docs/standards.md)
export function renderXml(receipt: Receipt): string {
  return `${xml.buildObject(fieldsOf(receipt))}\n`;
}
