import type { BlobWriter } from './blob-store.js';
import type { Markable } from './marked.js';

/** A folder, or a prefix in a bucket of S3. */
export interface ContentPlace extends Markable {
  /** Begins a blob that is moved here, under the name that it has elsewhere. */
  createAs(name: string): Promise<BlobWriter>;
}
