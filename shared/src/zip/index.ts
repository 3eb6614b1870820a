export * from './name-files.js';
export * from './stored-files.js';
export * from './unique-names.js';
export * from './zip.js';
