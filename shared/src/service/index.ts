export * from './parts.js';
export * from './serve.js';
