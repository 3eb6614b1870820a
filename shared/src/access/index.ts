export * from './allowed.js';
export * from './owner.js';
export * from './roles.js';
export * from './tokens.js';
export * from './visibility.js';
