export * from './access-packages.js';
export * from './audit-log.js';
export * from './events.js';
export * from './openapi.js';
export * from './operations.js';
export * from './quarantine.js';
export * from './schemas.js';
export * from './webhooks.js';
