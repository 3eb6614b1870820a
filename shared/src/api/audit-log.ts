import { z } from 'zod';
import { ACTIONS } from '../audit/actions.js';
import { ERRORS } from '../errors/index.js';
import { AUDIT_EXAMPLE, MESSAGE_ID } from './examples.js';
import {
  CaseId,
  keyOf,
  NAMED_ANSWERS,
  NAMED_REQUESTS,
  nextCursor,
  oneOf,
  Party,
  Time,
  text,
  time,
  Uuid,
  wholeNumber,
} from './values.js';

// The schemas of the audit log.

const Action = keyOf('AuditAction', ACTIONS);
const Result = oneOf('AuditResult', ['done', ...(Object.keys(ERRORS) as (keyof typeof ERRORS)[])]);

const FILTERS = {
  message: Uuid.optional().describe('Its id'),
  user: text(256)
    .optional()
    .describe('The user who did it, or for whom it was done: the id in the token. Not a system, but for whom it acted'),
  case: CaseId.optional().describe('The messages that were suggested for it or journalized on it'),
  action: Action.optional().describe('What was done'),
  result: Result.optional().describe('`done`, or the code of the error'),
  from: Time.optional().describe('The first time that is wanted'),
  to: Time.optional().describe('The end of the time that is wanted; not included'),
};
const PERSONAL_FILTERS = {
  citizen: Party.optional().describe(
    'The messages from or about this citizen, or of a case with this party, deleted ones too; and what was searched for by this number. 10 or 8 digits, with spaces, hyphens or the prefix DK too',
  ),
};
const PAGE = {
  cursor: z.string().min(1).max(500).optional().describe('`nextCursor` of the previous page'),
  limit: wholeNumber(1, 200).default(50).describe('50 when absent'),
};

/** Else a sheet would tell a citizen that nobody did anything. */
function checkPeriod({ from, to }: { from?: string | undefined; to?: string | undefined }, context: z.RefinementCtx) {
  if (from !== undefined && to !== undefined && from >= to)
    context.addIssue({ code: 'custom', path: ['to'], message: 'must be later than from' });
}

export const AuditQuery = z.strictObject({ ...FILTERS, ...PAGE }).superRefine(checkPeriod);
export const AuditSearchBody = z
  .strictObject({ ...FILTERS, ...PERSONAL_FILTERS, ...PAGE })
  .superRefine(checkPeriod)
  .meta({ examples: [{ citizen: '4101019999', from: '2026-11-01T00:00:00Z' }] })
  .register(NAMED_REQUESTS, { id: 'AuditSearch' });
export type AuditSearchBody = z.infer<typeof AuditSearchBody>;

export const AuditFilter = z
  .strictObject({ ...FILTERS, ...PERSONAL_FILTERS })
  .superRefine(checkPeriod)
  .meta({ examples: [{ message: MESSAGE_ID }] })
  .register(NAMED_REQUESTS, { id: 'AuditFilter' });
/** Which rows of the log. */
export type AuditFilter = z.infer<typeof AuditFilter>;

export const AuditSheetBody = z
  .strictObject({
    citizen: Party.describe('The number of the citizen: 10 or 8 digits, with spaces, hyphens or the prefix DK too'),
    from: FILTERS.from,
    to: FILTERS.to,
    as: oneOf('AuditSheetForm', ['pdf', 'xlsx']).default('pdf').describe('pdf when absent'),
  })
  .superRefine(checkPeriod)
  .meta({ examples: [{ citizen: '4101019999', as: 'xlsx' }] })
  .register(NAMED_REQUESTS, { id: 'AuditSheet' });
export type AuditSheetBody = z.infer<typeof AuditSheetBody>;

const AuditEvent = z
  .object({
    id: z.uuid().describe('Of the row'),
    at: time.describe('When it was done'),
    actor: z
      .object({
        kind: keyOf('ActorKind', { user: 'A person.', system: 'The core, Serviceplatformen or Indbakke itself.' }),
        id: z.string().describe('As the token has it'),
        onBehalfOf: z.string().nullable().describe('For whom it was done, if for another'),
      })
      .describe('Who did it')
      .register(NAMED_ANSWERS, { id: 'Actor' }),
    role: z.string().nullable().describe('The role that allowed it; null for what no role allowed'),
    origin: z.string().nullable().describe('The address that the call came from; null for what was not called'),
    action: Action.describe('What was done'),
    result: Result.describe('`done`, or the code of the error'),
    messageId: z.uuid().nullable().describe('With which message; null when it was with none, or with several'),
    details: z.record(z.string(), z.unknown()).describe('Codes, ids and times only'),
    position: z
      .int()
      .nullable()
      .describe('Place in the chain of the municipality’s log; null for some moments, until it has one'),
  })
  .register(NAMED_ANSWERS, { id: 'AuditEvent' });
export type AuditEvent = z.infer<typeof AuditEvent>;

export const AuditList = z
  .object({ items: z.array(AuditEvent).describe('Newest first'), nextCursor })
  .meta({ examples: [{ items: [AUDIT_EXAMPLE], nextCursor: null }] })
  .register(NAMED_ANSWERS, { id: 'AuditEventList' });
