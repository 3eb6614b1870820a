export * from './failed-sign-ins.js';
export * from './request-limits.js';
