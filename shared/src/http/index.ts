export * from './bind.js';
export * from './credentials.js';
export * from './problem-handler.js';
export * from './security-headers.js';
export * from './send-stream.js';
export * from './server.js';
