/** Every queue there is: a job is defined for one of them, and operations sees them all. */
export const QUEUE_NAMES = [
  'suggest-case',
  'deliver-webhook',
  'make-extract',
  'scan-message',
  'make-access-package',
  'make-zip',
  'fetch-file',
  'send-business-receipt',
  'distribute-message',
] as const;

export type QueueName = (typeof QUEUE_NAMES)[number];
