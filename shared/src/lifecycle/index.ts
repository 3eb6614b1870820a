export * from './concern.js';
export * from './held-cause.js';
export * from './message.js';
export * from './record-changes.js';
export * from './set-up-lock.js';
export * from './statuses.js';
export * from './transitions.js';
export * from './write-change.js';
