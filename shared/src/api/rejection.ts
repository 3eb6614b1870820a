import { z } from 'zod';
import { DELETION_STATES, REJECTION_REASONS } from '../lifecycle/index.js';
import { DepartmentId, keyOf, NAMED_ANSWERS, NAMED_REQUESTS, text, textFrom, time } from './values.js';

export const DeletionState = keyOf('DeletionState', DELETION_STATES);

const RejectionReason = keyOf('RejectionReason', REJECTION_REASONS);

const { 'handed-over': _handedOver, ...givenReasons } = REJECTION_REASONS;

/** All but that of a handover, which is not for callers to say. */
const GivenRejectionReason = keyOf('GivenRejectionReason', givenReasons);

const ForwardedTo = z
  .strictObject({
    departmentId: DepartmentId.optional(),
    name: text(256).optional().describe('Of another place. Removed when the message is deleted'),
  })
  .refine(({ departmentId, name }) => (departmentId === undefined) !== (name === undefined), {
    error: 'must have either departmentId or name',
  })
  .register(NAMED_REQUESTS, { id: 'ForwardedTo' });

interface GivenOutcome {
  readonly forwardedTo?: object | undefined;
  readonly senderInformed?: boolean | undefined;
  readonly nothingToDo?: true | undefined;
}

function checkOutcome({ forwardedTo, senderInformed, nothingToDo }: GivenOutcome, context: z.RefinementCtx): void {
  const isDone = forwardedTo !== undefined || senderInformed === true;
  const error = 'must say that it was sent on, that the sender was informed, or else that there is nothing to do';
  if (isDone === (nothingToDo === true)) context.addIssue({ code: 'custom', message: error });
}

/** What became of a rejected message. */
export const OutcomeBody = z
  .strictObject({
    forwardedTo: ForwardedTo.optional().describe('Where it was sent on to'),
    senderInformed: z.boolean().optional().describe('Whether the sender was told; false when absent'),
    nothingToDo: z.literal(true).optional().describe('There was nothing to do; without the others'),
  })
  .superRefine(checkOutcome)
  .meta({
    examples: [
      { forwardedTo: { departmentId: 'teknik-og-miljoe' }, senderInformed: true },
      { forwardedTo: { name: 'Odenskov Kommune' } },
      { nothingToDo: true },
    ],
  })
  .register(NAMED_REQUESTS, { id: 'Outcome' });

export type OutcomeBody = z.infer<typeof OutcomeBody>;

export const RejectionBody = z
  .strictObject({
    reason: GivenRejectionReason,
    explanation: textFrom(3, 1_000).describe('In words, in 3 to 1000 characters. Removed when the message is deleted'),
    reasonForSender: textFrom(1, 1_000)
      .optional()
      .describe(
        'What the sender of a document from Fordelingskomponenten is told, in up to 1000 characters; of Digital Post it must be absent. Removed when the message is reopened or deleted',
      ),
    outcome: OutcomeBody.optional().describe('What became of it, if that is known; it can be told later'),
  })
  .meta({
    examples: [
      {
        reason: 'wrong-department',
        explanation: 'Brevet handler om vejarbejde.',
        outcome: { forwardedTo: { departmentId: 'teknik-og-miljoe' } },
      },
    ],
  })
  .register(NAMED_REQUESTS, { id: 'Rejection' });

/** Asked again before a message is deleted, whatever was told when it was rejected. */
export const DeletionBody = z
  .strictObject({
    sentOn: z.boolean().describe('Whether the message has been sent on to whom it is for'),
    senderInformed: z.boolean().describe('Whether the sender has been told'),
  })
  .meta({ examples: [{ sentOn: true, senderInformed: false }] })
  .register(NAMED_REQUESTS, { id: 'Deletion' });

const Reason = textFrom(3, 1_000).describe('Why, in words; may be personal. Removed when the message is deleted');

export const LegalHoldBody = z
  .strictObject({ reason: Reason })
  .meta({ examples: [{ reason: 'Retssag om anbringelsen' }] })
  .register(NAMED_REQUESTS, { id: 'LegalHold' });

const Outcome = z
  .object({
    forwardedTo: z
      .object({
        departmentId: z.string().nullable().describe('In the address book; null: another place'),
        name: z.string().describe('Of the department, also of one that was removed since, or of another place'),
      })
      .register(NAMED_ANSWERS, { id: 'ForwardedToPlace' })
      .nullable()
      .describe('Where it was sent on to; null: it was not'),
    senderInformed: z.boolean().describe('Whether the sender was told'),
    nothingToDo: z.boolean().describe('Neither of both, since there was nothing to do'),
    at: time.describe('When it was told'),
    by: z.string().describe('Who told it'),
  })
  .register(NAMED_ANSWERS, { id: 'OutcomeOfRejection' });

export const Rejection = z
  .object({
    reason: RejectionReason,
    explanation: z
      .string()
      .nullable()
      .describe('In the words of the caseworker; null: it was rejected before they were required'),
    reasonForSender: z.string().nullable().describe('What the sender of a document is told; null: no words'),
    outcome: Outcome.nullable().describe('What became of it; null: nobody has told yet'),
    at: time.describe('When it was rejected'),
    by: z.string().describe('Who rejected it'),
  })
  .register(NAMED_ANSWERS, { id: 'RejectionOfMessage' });

export const Deletion = z
  .object({
    state: DeletionState,
    requestedAt: time.describe('When it was asked for'),
    requestedBy: z.string().describe('Who asked for it: a person, or a system that did so by itself'),
    confirmedBy: z.string().nullable().describe('Who confirmed it; null: nobody, or nobody needs to'),
    dueAt: time.nullable().describe('When the message is destroyed; null: it waits for another person'),
    sentOn: z.boolean().describe('Whether the message has been sent on to whom it is for'),
    senderInformed: z.boolean().describe('Whether the sender has been told'),
  })
  .register(NAMED_ANSWERS, { id: 'DeletionOfMessage' });

export const LegalHold = z
  .object({
    reason: z.string().describe('Why it was set'),
    setAt: time.describe('When it was set'),
    setBy: z.string().describe('Who set it'),
    liftedAt: time.nullable().describe('When it was lifted; null: it holds'),
    liftedBy: z.string().nullable().describe('Who lifted it'),
    liftedReason: z.string().nullable().describe('Why it was lifted'),
  })
  .register(NAMED_ANSWERS, { id: 'LegalHoldOfMessage' });
