import { ERRORS, type ErrorCode, type ErrorRow } from './table.js';

export { ERRORS, type ErrorCode, type ErrorRow } from './table.js';

/**
 * The one error that callers get to see. `detail` is one clear sentence: what is wrong, where, what to do. It never holds
 * anything personal (no names, numbers, titles, file names, content): only element paths, limits and counts.
 */
export class Problem extends Error {
  readonly code: ErrorCode;
  readonly detail: string;
  /** Path of the element or field at fault, such as `Message/MessageHeader/messageUUID`. */
  readonly path: string | undefined;

  constructor(code: ErrorCode, detail: string, options: { path?: string; cause?: unknown } = {}) {
    super(`${code}: ${detail}`, { cause: options.cause });
    this.name = 'Problem';
    this.code = code;
    this.detail = detail;
    this.path = options.path;
  }

  get row(): ErrorRow {
    return ERRORS[this.code];
  }
}
