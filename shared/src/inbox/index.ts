export * from './assign.js';
export * from './change-message.js';
export * from './file-names.js';
export * from './find-message.js';
export * from './journalize.js';
export * from './message-columns.js';
export * from './read-content.js';
export * from './reject.js';
