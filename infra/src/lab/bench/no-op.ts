import { type JobDefinition, SUGGEST_CASE, type SuggestCaseData } from '@indbakke/shared/queue';

/** As SUGGEST_CASE, under another name. */
export const NO_OP: JobDefinition<SuggestCaseData> = { ...SUGGEST_CASE, name: 'no-op' };
