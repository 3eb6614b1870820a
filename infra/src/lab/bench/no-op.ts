import { type JobDefinition, SUGGEST_CASE, type SuggestCaseData } from '@indbakke/shared/queue';

/** SUGGEST_CASE with another name. */
export const NO_OP: JobDefinition<SuggestCaseData, 'no-op'> = { ...SUGGEST_CASE, name: 'no-op' };
