// What pages that people sign in to have in common.

export * from './inbox-sessions.js';
export * from './oidc.js';
export * from './one-time-link.js';
export * from './routes.js';
export * from './same-origin.js';
export * from './sealed-cookie.js';
