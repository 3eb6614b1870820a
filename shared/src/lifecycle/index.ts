export * from './statuses.js';
export * from './transition.js';
export * from './transitions.js';
