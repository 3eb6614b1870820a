export * from './statuses.js';
export * from './write-change.js';
export * from './transitions.js';
