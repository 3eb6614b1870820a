import { CERTIFICATES } from './certificates.js';
import { COPIES } from './copies.js';
import { MAIL } from './mail.js';
import { OUTAGES } from './outages.js';
import { QUEUES } from './queues.js';
import { REFUSALS } from './refusals.js';
import { ROOM } from './room.js';
import type { Section } from './section.js';
import { SILENCE } from './silence.js';

/** The sections of the operations page, in their order. */
export const SECTIONS: readonly Section[] = [MAIL, OUTAGES, SILENCE, REFUSALS, QUEUES, ROOM, CERTIFICATES, COPIES];
