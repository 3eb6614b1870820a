import type { QueueDefinition } from '@indbakke/shared/queue';

/** As SUGGEST_CASE, under another name. */
export const NO_OP: QueueDefinition<object> = { name: 'no-op', job: 'do-nothing', attempts: 5, backoffMs: 1_000 };
