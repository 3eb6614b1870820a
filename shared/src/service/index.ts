export * from './abort-on.js';
export * from './parts.js';
export type { States } from './readiness.js';
export * from './repeat.js';
export * from './serve.js';
export * from './try-each.js';
