import type * as api from '@indbakke/shared/api';
import type { z } from 'zod';

// What the API takes for a change: of one letter as its body, of many in each item of a bulk.

export type Assignment = z.input<typeof api.AssignmentBody>;
export type Rejection = z.input<typeof api.RejectionBody>;
export type Outcome = z.input<typeof api.OutcomeBody>;
export type Deletion = z.input<typeof api.DeletionBody>;
export type TakingBack = z.input<typeof api.TakeBackBody>;
export type Journalization = z.input<typeof api.JournalizationBody>;
export type LegalHold = z.input<typeof api.LegalHoldBody>;
