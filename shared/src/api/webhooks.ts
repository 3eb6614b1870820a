import { z } from 'zod';
import { ChangeEvent, EVENT_EXAMPLE, EventType } from './events.js';
import {
  keyOf,
  NAMED_ANSWERS,
  NAMED_REQUESTS,
  nextCursor,
  oneOf,
  Time,
  text,
  time,
  Uuid,
  wholeNumber,
} from './values.js';

// The schemas of webhooks: https://www.standardwebhooks.com.

export const WEBHOOK_STATUSES = {
  active: 'Events are sent to it.',
  disabled: 'Nothing is sent. When it is active again, it goes on where it stopped.',
} as const;
/** Why a webhook is disabled. */
export const DISABLED_CAUSES = {
  'by-caller': 'A call disabled it.',
  failing: 'No attempt succeeded for five days.',
  gone: 'It answered 410.',
} as const;
export const DELIVERY_STATUSES = {
  waiting: 'It is yet to be sent, or will be sent again.',
  delivered: 'It was answered with a status from 200 to 299.',
  failed: 'It was tried for three days.',
} as const;
/** Why an attempt got no answer. */
export const ATTEMPT_ERRORS = {
  'address-refused': 'The host has an address that webhooks may not have, or the URL is not https.',
  'name-unknown': 'No address was found for the host.',
  'connection-refused': 'Nothing listens there.',
  'tls-failed': 'The certificate is not valid for the host, or there is no common version of TLS.',
  timeout: 'There was no answer within 10 seconds.',
  'connection-broken': 'The connection ended before the answer, or the answer is not HTTP.',
} as const;

const Status = keyOf('WebhookStatus', WEBHOOK_STATUSES);
const DeliveryStatus = keyOf('WebhookDeliveryStatus', DELIVERY_STATUSES);

const url = text(2_000)
  .refine((value) => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol), {
    error: 'must be a URL that begins with https://',
  })
  .transform((value) => new URL(value))
  .refine(({ username, password, hash }) => username === '' && password === '' && hash === '', {
    error: 'must not have a user name, a password or a fragment',
  })
  .transform(({ href }) => href)
  .meta({
    description:
      'Gets each event as a POST. https, with a host whose addresses are public, unless the installation allows more',
    examples: ['https://core.example/indbakke'],
  });
const eventTypes = z
  .array(EventType)
  .max(EventType.options.length)
  .transform((types) => [...new Set(types)])
  .describe('Only events of these types; all when it is empty');

export const WebhookBody = z
  .strictObject({ url, eventTypes: eventTypes.default([]) })
  .meta({
    examples: [
      { url: 'https://core.example/indbakke', eventTypes: ['accepted', 'deleted'] },
      { url: 'https://core.example/indbakke' },
    ],
  })
  .register(NAMED_REQUESTS, { id: 'WebhookRegistration' });
export type WebhookBody = z.infer<typeof WebhookBody>;

export const WebhookChangeBody = z
  .strictObject({
    url: url.optional(),
    eventTypes: eventTypes.optional(),
    status: Status.optional(),
  })
  .meta({ examples: [{ status: 'active' }, { eventTypes: [] }] })
  .register(NAMED_REQUESTS, { id: 'WebhookChange' });
export type WebhookChangeBody = z.infer<typeof WebhookChangeBody>;

export const RedeliveryBody = z
  .strictObject({
    deliveryId: Uuid.optional().describe('Only this one'),
    since: Time.optional().describe('The events that were made then or later, of the types of the webhook'),
    until: Time.optional().describe('The events that were made before this'),
    after: z.int().min(0).max(999_999_999_999_999).optional().describe('`next` of the answer before'),
  })
  .refine(
    ({ deliveryId, since, until, after }) =>
      deliveryId === undefined
        ? since !== undefined && until !== undefined && since < until
        : since === undefined && until === undefined && after === undefined,
    { error: 'must have deliveryId alone, or since and a later until' },
  )
  .meta({
    examples: [{ since: '2026-11-20T06:00:00Z', until: '2026-11-20T09:30:00Z' }, { deliveryId: EVENT_EXAMPLE.id }],
  })
  .register(NAMED_REQUESTS, { id: 'WebhookRedelivery' });
export type RedeliveryBody = z.infer<typeof RedeliveryBody>;

const CREATED_EXAMPLE = {
  id: '0197a3b0-0000-7000-8000-000000000006',
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYq=',
};

export const WebhookSecret = z
  .object({
    id: z.uuid().describe('Of the webhook'),
    secret: z
      .string()
      .describe('Signs what is sent (HMAC-SHA-256, signature v1). Keep it; no other call answers it again'),
  })
  .meta({ examples: [CREATED_EXAMPLE] })
  .register(NAMED_ANSWERS, { id: 'WebhookSecret' });
export type WebhookSecret = z.infer<typeof WebhookSecret>;

const WEBHOOK_EXAMPLE = {
  id: CREATED_EXAMPLE.id,
  url: 'https://core.example/indbakke',
  eventTypes: [],
  status: 'active',
  disabledCause: null,
  position: 1_042,
  failingSince: null,
  previousSecretUntil: null,
  createdAt: '2026-11-20T08:00:00.000Z',
};

export const WebhookAnswer = z
  .object({
    id: z.uuid().describe('For the calls that concern it'),
    url: z.string().describe('Where events are sent'),
    eventTypes: z.array(EventType).describe('All when it is empty'),
    status: Status,
    disabledCause: keyOf('WebhookDisabledCause', DISABLED_CAUSES).nullable().describe('Null unless it is disabled'),
    position: z.int().describe('Events up to this position have their deliveries'),
    failingSince: time
      .nullable()
      .describe('When the first attempt failed after the last one that succeeded; null when none has'),
    previousSecretUntil: time.nullable().describe('Until when the secret before signs too; null when it does not'),
    createdAt: time.describe('When it was registered'),
  })
  .meta({ examples: [WEBHOOK_EXAMPLE] })
  .register(NAMED_ANSWERS, { id: 'Webhook' });
export type WebhookAnswer = z.infer<typeof WebhookAnswer>;

export const WebhookList = z
  .object({ items: z.array(WebhookAnswer).describe('Oldest first') })
  .meta({ examples: [{ items: [WEBHOOK_EXAMPLE] }] })
  .register(NAMED_ANSWERS, { id: 'WebhookList' });
export type WebhookList = z.infer<typeof WebhookList>;

export const DeliveryQuery = z.strictObject({
  status: DeliveryStatus.optional(),
  cursor: z.string().min(1).max(500).optional().describe('`nextCursor` of the previous page'),
  limit: wholeNumber(1, 200).default(50).describe('50 when absent'),
});
export type DeliveryQuery = z.infer<typeof DeliveryQuery>;

// Two types tell about the webhook itself.
export const RECOVERED = 'recovered';
export const POSITION_GONE = 'position-gone';

const Recovery = z
  .object({
    since: time.describe(
      'When it began to fail, or when the oldest event was made of those that were given up since, if that is earlier',
    ),
    until: time.describe('When it succeeded again'),
  })
  .describe(
    'The webhook works again after more than 5 minutes. What still waits is sent now; a redelivery with this since and until sends what was given up too',
  )
  .register(NAMED_ANSWERS, { id: 'WebhookRecovery' });

const PositionGone = z
  .object({
    position: z.int().describe('Where the webhook stopped'),
    oldest: z.int().describe('The oldest event that is kept: what follows begins with it'),
  })
  .describe(
    'The webhook was disabled for so long that the feed has no longer the events between the two. Read the lists anew',
  )
  .register(NAMED_ANSWERS, { id: 'WebhookPositionGone' });

const Sent = z
  .object({
    type: oneOf('WebhookEventType', [RECOVERED, POSITION_GONE, ...EventType.options]).describe(
      `As in the feed; \`${RECOVERED}\` and \`${POSITION_GONE}\` tell about the webhook, and are sent whatever its types are`,
    ),
    timestamp: time.describe('When the event was made'),
    data: z.union([ChangeEvent, Recovery, PositionGone]).describe('Of a change, the event as in the feed'),
  })
  .register(NAMED_ANSWERS, { id: 'WebhookEvent' });

const Attempt = z
  .object({
    at: time.describe('When it began'),
    status: z.int().nullable().describe('Of the answer; null without one'),
    error: keyOf('WebhookAttemptError', ATTEMPT_ERRORS).nullable().describe('Why there was no answer'),
    milliseconds: z.int().describe('How long it took'),
    answerSize: z
      .int()
      .nullable()
      .describe('Bytes of the answer’s body that were read, 4096 at most. They are not kept'),
  })
  .register(NAMED_ANSWERS, { id: 'WebhookAttempt' });

const Delivery = z
  .object({
    id: z.uuid().describe('The `webhook-id` of all its attempts; of an event, its id'),
    event: Sent.describe('What is sent'),
    status: DeliveryStatus,
    createdAt: time.describe('When it was made: for a webhook that was disabled, when it was enabled again'),
    nextAttemptAt: time.nullable().describe('Null when there is none, or it is being made'),
    attempts: z.array(Attempt).describe('The newest 50, newest first'),
  })
  .register(NAMED_ANSWERS, { id: 'WebhookDelivery' });

export const DeliveryList = z
  .object({ items: z.array(Delivery).describe('Newest first'), nextCursor })
  .meta({
    examples: [
      {
        items: [
          {
            id: EVENT_EXAMPLE.id,
            event: { type: EVENT_EXAMPLE.type, timestamp: EVENT_EXAMPLE.at, data: EVENT_EXAMPLE },
            status: 'waiting',
            createdAt: '2026-11-20T08:05:00.120Z',
            nextAttemptAt: '2026-11-20T08:05:05.350Z',
            attempts: [{ at: '2026-11-20T08:05:00.150Z', status: 503, error: null, milliseconds: 41, answerSize: 19 }],
          },
        ],
        nextCursor: null,
      },
    ],
  })
  .register(NAMED_ANSWERS, { id: 'WebhookDeliveryList' });
export type DeliveryList = z.infer<typeof DeliveryList>;

export const Redelivered = z
  .object({
    deliveries: z.int().describe('How many will be sent again'),
    next: z.int().nullable().describe('For `after` in the next call; null when these were all'),
  })
  .meta({ examples: [{ deliveries: 12, next: null }] })
  .register(NAMED_ANSWERS, { id: 'WebhookRedelivered' });
export type Redelivered = z.infer<typeof Redelivered>;

export type AttemptError = keyof typeof ATTEMPT_ERRORS;
