export * from './enqueue-due.js';
export * from './job.js';
export * from './names.js';
export { migrateQueues } from './on-postgres.js';
export * from './queues.js';
export type { QueueServers } from './redis-servers.js';
export * from './suggest-case.js';
