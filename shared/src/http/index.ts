export * from './bind.js';
export * from './problem-handler.js';
export * from './send-stream.js';
export * from './server.js';
