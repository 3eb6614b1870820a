import { z } from 'zod';
import {
  FETCH_STATUSES,
  OBJECT_TYPES,
  PARTY_ROLES,
  PARTY_TYPES,
  RECEIPT_CODES,
  RECEIPT_STATUSES,
} from '../lifecycle/index.js';
import { keyOf, NAMED_ANSWERS, time } from './values.js';

const fault = z.string().nullable().describe('Why the last attempt failed, as a code; null: none has failed');

const PartyOfDocument = z
  .object({
    role: keyOf('PartyRole', PARTY_ROLES),
    type: keyOf('PartyType', PARTY_TYPES),
    id: z.string().nullable().describe('A CPR or CVR number, or another id; null: none was given'),
    name: z.string().nullable().describe('null: none was given'),
  })
  .register(NAMED_ANSWERS, { id: 'PartyOfDocument' });

const FileFetch = z
  .object({
    status: keyOf('FileFetchStatus', FETCH_STATUSES),
    since: time.describe('When the file was promised, or asked for again'),
    attempts: z.int().describe('That were made since'),
    fault,
  })
  .register(NAMED_ANSWERS, { id: 'FileFetch' });

const BusinessReceipt = z
  .object({
    code: keyOf('BusinessReceiptCode', RECEIPT_CODES),
    status: keyOf('BusinessReceiptStatus', RECEIPT_STATUSES),
    at: time.describe('When what it tells was decided'),
    sentAt: time.nullable().describe('null: it is not sent'),
    attempts: z.int().describe('To send it'),
    fault,
  })
  .register(NAMED_ANSWERS, { id: 'BusinessReceipt' });

const ExemptionOfDocument = z
  .object({
    title: z.string().describe('What it is to be called where its title may not be seen'),
    law: z.string().describe('By which law'),
  })
  .register(NAMED_ANSWERS, { id: 'ExemptionOfDocument' });

/** Of a document that came through Fordelingskomponenten. */
export const DistributionOfMessage = z
  .object({
    objectType: keyOf('ObjectType', OBJECT_TYPES),
    objectId: z.uuid().describe('Of the document, in the sending system'),
    transactionId: z.uuid().describe('Of the sending system'),
    kle: z
      .string()
      .nullable()
      .describe('What the document says that it is about, as 27.24.00.G01; null: it does not say'),
    parties: z.array(PartyOfDocument).describe('Whom it is about, and who has a copy'),
    exemption: ExemptionOfDocument.nullable().describe(
      'Not null: the sender says that it is exempt from access to documents',
    ),
    fileFetch: FileFetch.nullable().describe('Of its file, which comes separately; null: none is to come'),
    receipts: z.array(BusinessReceipt).describe('What its sender is told of what became of it, oldest first'),
  })
  .register(NAMED_ANSWERS, { id: 'DistributionOfMessage' });

export type DistributionOfMessage = z.infer<typeof DistributionOfMessage>;
