import { currentTime } from '@indbakke/shared/clock';
import type { Problem } from '@indbakke/shared/errors';
import { newId } from '@indbakke/shared/store';
import type { Intake } from '../intake/receive-message.js';

/**
 * The receipt of a message, in Digital Post’s model (assumed for SF1606, whose contract is not public: docs/standards.md).
 * It contains stored fields only, so that a duplicate gets the same receipt, byte for byte.
 */
export interface Receipt {
  readonly transmissionId: string;
  /** In lower case; absent on a refusal. */
  readonly messageUUID?: string;
  readonly receiptStatus: 'COMPLETED' | 'INVALID' | 'NOT_ALLOWED';
  readonly timeStamp: Date;
  readonly errorCode?: string;
  readonly errorMessage?: string;
}

export function completed({ externalId, transmissionId, receivedAt }: Intake): Receipt {
  return {
    transmissionId,
    ...(externalId.isUnique && { messageUUID: externalId.value }),
    receiptStatus: 'COMPLETED',
    timeStamp: receivedAt,
  };
}

/** Refusals are not stored: the same message delivered again is judged anew. */
export function refusal(problem: Problem): Receipt {
  const { detail, path = '' } = problem;
  return {
    transmissionId: newId(),
    receiptStatus: problem.row.receipt ?? 'INVALID',
    timeStamp: currentTime(),
    errorCode: problem.code,
    errorMessage: detail.includes(path) ? detail : `${detail} (${path})`,
  };
}
