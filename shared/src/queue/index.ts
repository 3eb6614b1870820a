export * from './queues.js';
export * from './suggest-case.js';
