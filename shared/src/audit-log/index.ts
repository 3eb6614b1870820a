// The audit log as it is read: by a filter, in plain words, and as the sheet for a citizen.

export * from './danish.js';
export * from './read-log.js';
export * from './sheet-pdf.js';
