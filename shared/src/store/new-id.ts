import { v7 } from 'uuid';

/** A new id: UUID version 7, so that rows of one time stand together in an index. */
export function newId(): string {
  return v7();
}
