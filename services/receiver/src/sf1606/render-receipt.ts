import type { Problem } from '@indbakke/shared/errors';
import { newId } from '@indbakke/shared/store';
import { Builder } from 'xml2js';
import type { Receipt } from '../intake/receipt.js';

export type Fields = Record<string, string>;

/** The receipt as the fields of Digital Post’s own, in its order. */
export function fieldsOf(receipt: Receipt): Fields {
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

/** The receipt of a refusal. Refusals are not remembered: the same message again is judged anew. */
export function refusal(problem: Problem): Receipt {
  const { detail, path = '' } = problem;
  return {
    transmissionId: newId(),
    receiptStatus: problem.row.receipt ?? 'INVALID',
    timeStamp: new Date(),
    errorCode: problem.code,
    errorMessage: detail.includes(path) ? detail : `${detail} (${path})`,
  };
}
