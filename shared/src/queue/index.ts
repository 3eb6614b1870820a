export { migrateQueues } from './backends.js';
export * from './job.js';
export * from './queues.js';
export * from './suggest-case.js';
