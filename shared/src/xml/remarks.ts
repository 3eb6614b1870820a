import { type Place, pathOf } from './paths.js';

/** A minor fault of an accepted message. Never contains a value from the message. */
export interface Remark {
  readonly code: RemarkCode;
  /** `Message/MessageHeader/ReplyData[2]/messageUUID`; the first of its name has no number. */
  readonly path: string;
}

/** All remarks, each with its meaning. */
export const REMARKS = {
  'unknown-version': 'The memoVersion is neither 1.1 nor 1.2; the message was read as 1.2.',
  'missing-element': 'An element or attribute that MeMo requires is missing.',
  'unknown-element': 'MeMo has no such element or attribute here (in this version); it is in the original only.',
  'repeated-element':
    'The element occurs more often than MeMo allows. Of a single element the first was kept, of a list all.',
  'wrong-order': 'The element comes after one that must follow it.',
  'unexpected-text': 'There is text where MeMo has only elements; it is in the original only.',
  'misplaced-file': 'The file is where MeMo has none; it was kept as an additional document.',
  'text-too-long': 'The text is longer than MeMo allows; all of it was kept.',
  'empty-element': 'The element must not be empty. An empty content was kept as a file of 0 bytes.',
  'nil-with-value': 'The element says that it has no value (xsi:nil), but has one; it was kept.',
  'wrong-uuid': 'The value is not a version 4 UUID.',
  'wrong-date': 'The value is not a date, or a date and time in UTC, in MeMo’s format.',
  'wrong-boolean': 'The value is neither true nor false.',
  'wrong-language': 'The value is not a two-letter language code.',
  'wrong-url': 'The value is not an absolute https URL.',
  'wrong-number': 'The number has the wrong number of digits: a CPR number has 10, a CVR number 8.',
  'unknown-value': 'The value is not one that MeMo allows.',
  'type-differs': 'The first bytes of the file do not show the type that is claimed.',
  'bad-file-name': 'The file name contains a character that Digital Post does not allow.',
  'more-remarks': 'There are more faults than those listed.',
} as const;

export type RemarkCode = keyof typeof REMARKS;

/** A message with more is broken altogether; the list stays readable and its row small. */
const MAX_REMARKS = 100;

/** Collects remarks, each once, in the order found. */
export class RemarkList {
  private readonly remarks = new Map<string, Remark>();

  add(code: RemarkCode, at: Place | string): void {
    if (this.remarks.size > MAX_REMARKS) return;
    const path = typeof at === 'string' ? at : pathOf(at);
    const remark: Remark =
      this.remarks.size === MAX_REMARKS ? { code: 'more-remarks', path: 'Message' } : { code, path };
    const key = `${code} ${path}`;
    if (!this.remarks.has(key)) this.remarks.set(key, remark);
  }

  all(): Remark[] {
    return [...this.remarks.values()];
  }
}
