export * from './bind.js';
export * from './credentials.js';
export { EXACT_PATHS, notFound, refuseOtherMethods } from './no-such-call.js';
export * from './problem-handler.js';
export * from './security-headers.js';
export * from './send-stream.js';
export * from './server.js';
