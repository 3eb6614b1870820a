import type { Principal } from '@indbakke/shared/access';
import type { DocumentFilter, DocumentSummary, ExportBody } from '@indbakke/shared/api';
import type { Parts } from '@indbakke/shared/service';
import { listDocuments } from '../inbox/list.js';

// A page is a round trip; in memory it takes about a megabyte.
const PAGE = 500;

/** All messages of a list that the caller may see, page by page: only one page is in memory. The audit row is the caller’s. */
export async function* readPages(
  parts: Pick<Parts, 'store' | 'keys'>,
  principal: Principal,
  list: DocumentFilter & Pick<ExportBody, 'sort'>,
): AsyncGenerator<DocumentSummary[]> {
  let cursor: string | undefined;
  do {
    const { items, nextCursor } = await listDocuments(
      parts,
      principal,
      { ...list, limit: PAGE, cursor },
      { path: 'body.cursor' },
    );
    yield items;
    cursor = nextCursor ?? undefined;
  } while (cursor !== undefined);
}
