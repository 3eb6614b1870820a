import type { DocumentAnswer } from '@indbakke/shared/api';
import {
  DISTRIBUTION,
  DOCUMENTS,
  type DocumentsRow,
  SEALED,
  SEALED_TABLES,
  type SealedRow,
  SUMMARY,
  SUMMARY_TABLES,
  type SummaryRow,
} from '@indbakke/shared/inbox';
import { Prisma } from '@indbakke/shared/store';

export interface MessageToZip extends SummaryRow, DocumentsRow, Omit<SealedRow, 'id'> {
  /** The XML as it arrived, with a token for each content. */
  readonly original: Buffer | null;
  /** Null for Digital Post. */
  readonly distribution: Pick<
    NonNullable<DocumentAnswer['distribution']>,
    'objectType' | 'objectId' | 'kle' | 'parties' | 'exemption'
  > | null;
}

export const TO_ZIP = {
  columns: Prisma.sql`${SUMMARY}, ${DOCUMENTS}, ${DISTRIBUTION}, ${SEALED}, d.original`,
  tables: Prisma.sql`${SUMMARY_TABLES} ${SEALED_TABLES}`,
};
