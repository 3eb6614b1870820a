/**
 * Paths of elements, as they stand in problems and remarks: `Message/MessageBody/MainDocument/File[2]/content`. The first
 * of its name among its siblings carries no number, the second is `[2]`.
 */

// No name in MeMo or SOAP has a digit or is longer. Other names are the sender's own words and could hold anything, a
// CPR number too, so they are not repeated.
const HARMLESS_NAME = /^[A-Za-z][A-Za-z-]{0,39}$/;

/** The name as a path may show it: a harmless one as it is, any other as `*`. */
export function shownName(local: string): string {
  return HARMLESS_NAME.test(local) ? local : '*';
}

/** Gives the children of one element their steps, in the order in which they come. */
export class SiblingSteps {
  private readonly seen = new Map<string, number>();

  next(local: string): string {
    const name = shownName(local);
    const count = (this.seen.get(name) ?? 0) + 1;
    this.seen.set(name, count);
    return count === 1 ? name : `${name}[${count}]`;
  }
}
