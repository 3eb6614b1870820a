/** What the page of a letter gives to the frame that shows a file: bytes and words, and nothing else. */
export interface Shown {
  readonly kind: 'pdf' | 'image';
  /** MIME type that the first bytes show. */
  readonly type: string;
  readonly bytes: ArrayBuffer;
  readonly language: string;
  readonly words: {
    readonly page: string;
    readonly of: string;
    readonly larger: string;
    readonly smaller: string;
    readonly file: string;
    readonly failed: string;
    readonly tooLarge: string;
  };
}
