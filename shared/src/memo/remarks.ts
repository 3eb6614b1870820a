import { type Place, pathOf } from './paths.js';

/** A lesser fault of a message that was taken in all the same. Never holds a value of the message. */
export interface Remark {
  readonly code: RemarkCode;
  /** `Message/MessageHeader/ReplyData[2]/messageUUID`; the first of its name has no number. */
  readonly path: string;
}

/** Every remark there is, with what it means. docs and the inbox show these sentences. */
export const REMARKS = {
  'unknown-version': 'The memoVersion is neither 1.1 nor 1.2; the message was read as 1.2.',
  'missing-element': 'An element or attribute that MeMo requires is missing.',
  'unknown-element': 'MeMo has no such element or attribute here (in this version); it stands in the original only.',
  'repeated-element':
    'The element stands more often than MeMo allows. Of a single one the first was kept, of a list all.',
  'wrong-order': 'The element stands after one that must follow it.',
  'unexpected-text': 'Text stands where MeMo has only elements; it stands in the original only.',
  'misplaced-file': 'The file stands where MeMo has none; it was kept as an additional document of its own.',
  'text-too-long': 'The text is longer than MeMo allows; it was kept whole.',
  'empty-element': 'The element is empty, but must say something.',
  'wrong-uuid': 'The value is not a UUID of version 4.',
  'wrong-date': 'The value is not a date and time in UTC, or not a date, as MeMo writes it.',
  'wrong-boolean': 'The value is neither true nor false.',
  'wrong-language': 'The value is not a language code of two letters.',
  'wrong-url': 'The value is not an absolute https address.',
  'wrong-number': 'The number has not the digits it must have: a CPR number 10, a CVR number 8.',
  'unknown-value': 'The value is not one of those that MeMo knows.',
  'bad-file-name': 'The file name has a character that Digital Post does not allow.',
  'more-remarks': 'There are more faults than are listed.',
} as const;

export type RemarkCode = keyof typeof REMARKS;

/** A message with more is broken as a whole; the list stays readable and its row small. */
const MAX_REMARKS = 100;

/** Gathers remarks, each once, in the order in which they are found. */
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
