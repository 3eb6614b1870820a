export * from './bind.js';
export * from './entity-tags.js';
export * from './problem-handler.js';
export * from './ranges.js';
export * from './send-stream.js';
export * from './server.js';
