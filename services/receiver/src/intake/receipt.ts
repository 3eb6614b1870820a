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
