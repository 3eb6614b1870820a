import { v7 } from 'uuid';

/** A new id: UUID version 7, so that rows of the same time are adjacent in an index. */
export function newId(): string {
  return v7();
}
