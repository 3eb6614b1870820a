export * from './abort-on.js';
export { GONE_SECONDS, Heartbeat } from './heartbeat.js';
export * from './parts.js';
export type { States } from './readiness.js';
export * from './repeat.js';
export * from './serve.js';
export { type Figure, RECEIPTS, Tally } from './tally.js';
export * from './try-each.js';
