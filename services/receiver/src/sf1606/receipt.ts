import type { Problem } from '@indbakke/shared/errors';
import { newId } from '@indbakke/shared/store';
import type { Intake } from '../intake/take-in.js';

/**
 * The receipt of a message, in Digital Post’s own model (assumed for SF1606, whose contract is not public: docs/standards.md).
 * It holds stored fields only, so that the same message again gets it again, byte for byte.
 */
export interface Receipt {
  readonly transmissionId: string;
  /** In lower case; absent on a refusal, of which nothing is kept. */
  readonly messageUUID?: string;
  readonly receiptStatus: 'COMPLETED' | 'INVALID' | 'NOT_ALLOWED';
  readonly timeStamp: Date;
  readonly errorCode?: string;
  readonly errorMessage?: string;
}

export function completed({ externalId, transmissionId, receivedAt }: Intake): Receipt {
  return {
    transmissionId,
    ...(externalId.isUuid && { messageUUID: externalId.value }),
    receiptStatus: 'COMPLETED',
    timeStamp: receivedAt,
  };
}

/** The receipt of a refusal. Refusals are not remembered: the same message again is judged anew. */
export function refusal(problem: Problem): Receipt {
  const { detail, path = '' } = problem;
  return {
    transmissionId: newId(),
    receiptStatus: problem.row.receipt ?? 'INVALID',
    timeStamp: new Date(),
    errorCode: problem.code,
    errorMessage: detail.includes(path) ? detail : `${detail} (${path})`,
  };
}
