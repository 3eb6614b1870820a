import { z } from 'zod';
import { CHANGES } from '../lifecycle/index.js';
import { MESSAGE_ID } from './examples.js';
import { keysOf, NAMED_ANSWERS, oneOf, Status, time, wholeNumber } from './values.js';

/** The schemas of the change feed. */

/** What an event tells: the change of one message. */
export const EventType = oneOf('EventType', keysOf(CHANGES)).describe('The change that was made');

const position = z.int().min(0);

export const EventQuery = z.strictObject({
  after: z
    .string()
    .regex(/^(latest|0|[1-9]\d{0,14})$/, { error: 'must be a position, in digits, or latest' })
    .default('latest')
    .describe(
      '`next` of the previous answer; 0 to begin with the first event there was; `latest` to learn the newest position, without events',
    )
    .meta({ examples: ['1041'] }),
  wait: wholeNumber(0, 60)
    .default(0)
    .describe(
      'Seconds to wait for the next event when there is none yet. Must be less than proxies and the caller allow',
    ),
  limit: wholeNumber(1, 1_000)
    .default(100)
    .describe('100 when absent. There may be fewer although `head` is newer than `next`'),
});
export type EventQuery = z.infer<typeof EventQuery>;

export const ChangeEvent = z
  .object({
    position: position.describe('1, 2, 3, … in the municipality, without gaps; after a restore they go on far above'),
    id: z.uuid().describe('Of the event: the same whenever it is answered'),
    type: EventType,
    messageId: z.uuid().describe('The id of the incoming document'),
    status: Status,
    version: z.int().describe('Of the message after the change'),
    at: time.describe('When the change was made; not the order of the feed'),
    details: z.record(z.string(), z.unknown()).describe('Codes, ids and times, as in the history of the message'),
  })
  .register(NAMED_ANSWERS, { id: 'ChangeEvent' });
export type ChangeEvent = z.infer<typeof ChangeEvent>;

export const EVENT_EXAMPLE = {
  position: 1_042,
  id: '0197a3b0-0000-7000-8000-000000000005',
  type: 'assigned',
  messageId: MESSAGE_ID,
  status: 'pending',
  version: 2,
  at: '2026-11-20T08:05:00.000Z',
  details: { assigneeKind: 'user', assigneeId: 'sagsbehandler-1' },
};

export const EventList = z
  .object({
    events: z.array(ChangeEvent).describe('In the order of their positions: those that the caller may see'),
    next: position.describe('For `after` in the next call'),
    head: position.describe('The newest position there is'),
  })
  .meta({ examples: [{ events: [EVENT_EXAMPLE], next: 1_042, head: 1_042 }] })
  .register(NAMED_ANSWERS, { id: 'EventList' });
export type EventList = z.infer<typeof EventList>;
