export * from './file-names.js';
export * from './find-message.js';
export * from './read-content.js';
export * from './change-message.js';
