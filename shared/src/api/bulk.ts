import { z } from 'zod';
import { AssignmentBody, ChangeAnswer, JournalizationBody, TakeBackBody } from './documents.js';
import { CHANGED_EXAMPLE, FILE_ID, MESSAGE_ID, PROBLEM_EXAMPLE } from './examples.js';
import { DeletionBody, OutcomeBody, RejectionBody } from './rejection.js';
import { idOf, NAMED_ANSWERS, NAMED_REQUESTS, ProblemAnswer } from './values.js';

/** As many digits as If-Match takes; PostgreSQL has no larger integer. */
const MAX_VERSION = 999_999_999;

const ITEM = { id: idOf('message'), version: z.int().min(1).max(MAX_VERSION).describe('The version that was read') };

function bulkOf<const Action extends string, Item extends z.ZodType<{ id: string }>>(
  id: string,
  action: Action,
  item: Item,
) {
  NAMED_REQUESTS.add(item, { id: `${id}Item` });
  const items = z
    .array(item)
    .min(1)
    .max(500)
    .refine((list) => new Set(list.map((each) => each.id)).size === list.length, { error: 'must have each id once' })
    .describe('The messages, each once');
  return z
    .strictObject({ action: z.literal(action).describe('What is done to each'), items })
    .register(NAMED_REQUESTS, { id });
}

const ITEM_EXAMPLE = { id: MESSAGE_ID, version: 1 };

/** The same change of many messages, each with its version and the fields that the change of one takes in its body. */
export const BulkBody = z
  .discriminatedUnion('action', [
    bulkOf('BulkAssignment', 'assign', AssignmentBody.safeExtend(ITEM)),
    bulkOf('BulkUnassignment', 'unassign', z.strictObject(ITEM)),
    bulkOf('BulkJournalization', 'journalize', JournalizationBody.safeExtend(ITEM)),
    bulkOf('BulkTakingBack', 'take-back', TakeBackBody.safeExtend(ITEM)),
    bulkOf('BulkRejection', 'reject', RejectionBody.safeExtend(ITEM)),
    bulkOf('BulkTellingOutcome', 'tell-outcome', OutcomeBody.safeExtend(ITEM)), // which keeps what an outcome must say
    bulkOf('BulkReopening', 'reopen', z.strictObject(ITEM)),
    bulkOf('BulkDeletion', 'delete', DeletionBody.safeExtend(ITEM)),
    bulkOf('BulkDeletionConfirmation', 'confirm-deletion', z.strictObject(ITEM)),
    bulkOf('BulkDeletionCancellation', 'cancel-deletion', z.strictObject(ITEM)),
  ])
  .meta({
    examples: [
      { action: 'assign', items: [{ ...ITEM_EXAMPLE, assignee: { kind: 'team', id: 'team-1' } }] },
      { action: 'unassign', items: [ITEM_EXAMPLE] },
      { action: 'journalize', items: [{ ...ITEM_EXAMPLE, caseIds: ['BF-1'] }] },
      { action: 'take-back', items: [{ ...ITEM_EXAMPLE, reason: 'wrong-case' }] },
      { action: 'reject', items: [{ ...ITEM_EXAMPLE, reason: 'duplicate', explanation: 'Modtaget i går.' }] },
      { action: 'tell-outcome', items: [{ ...ITEM_EXAMPLE, senderInformed: true }] },
      { action: 'reopen', items: [ITEM_EXAMPLE] },
      { action: 'delete', items: [{ ...ITEM_EXAMPLE, sentOn: true, senderInformed: false }] },
      { action: 'confirm-deletion', items: [ITEM_EXAMPLE] },
      { action: 'cancel-deletion', items: [ITEM_EXAMPLE] },
    ],
  })
  .register(NAMED_REQUESTS, { id: 'Bulk' });

export type BulkBody = z.infer<typeof BulkBody>;

const BulkOutcome = z
  .object({
    id: z.uuid().describe('Of the message'),
    done: ChangeAnswer.nullable().describe('What it is after the change; null: it was not made'),
    problem: ProblemAnswer.nullable().describe('Why it was not done; nothing of this item is changed then'),
  })
  .register(NAMED_ANSWERS, { id: 'BulkOutcome' });

export const BulkAnswer = z
  .object({ items: z.array(BulkOutcome).describe('In the order of the items of the call') })
  .meta({
    examples: [
      {
        items: [
          { id: MESSAGE_ID, done: CHANGED_EXAMPLE, problem: null },
          { id: FILE_ID, done: null, problem: PROBLEM_EXAMPLE },
        ],
      },
    ],
  })
  .register(NAMED_ANSWERS, { id: 'BulkOutcomes' });

export type BulkAnswer = z.infer<typeof BulkAnswer>;
