import { sweepOrphans } from '@indbakke/receiver';
import { DAY, type Env } from '@indbakke/shared/config';
import { openBlobStore } from '@indbakke/shared/content';
import { openStore } from '@indbakke/shared/store';

// Content without a row is kept for a month.
const ORPHAN_AGE_MS = 31 * DAY;

/** Sweeps orphans as if a month had passed. */
export async function sweepOrphansOf({ DATABASE_URL: url = '', BLOB_URL = '' }: Env): Promise<void> {
  const store = openStore({ url, connections: 1, name: 'copies' });
  try {
    await sweepOrphans({ store, blobs: await openBlobStore(BLOB_URL) }, new Date(Date.now() + ORPHAN_AGE_MS));
  } finally {
    await store.close();
  }
}
