export * from './allowed.js';
export * from './data-constraints.js';
export * from './municipality.js';
export * from './owner.js';
export * from './role-sheet.js';
export * from './roles.js';
export * from './tokens.js';
export * from './visibility.js';
