import { QUEUES } from './queues.js';
import type { Section } from './section.js';

/** The sections of the operations page, in their order. */
export const SECTIONS: readonly Section[] = [QUEUES];
