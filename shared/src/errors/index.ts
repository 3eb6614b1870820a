import { ERRORS, type ErrorCode, type ErrorRow } from './table.js';

export { DELIVERY_ERRORS, ERRORS, type ErrorCode, type ErrorRow } from './table.js';

/**
 * The only error that callers see. `detail` says in a sentence what is wrong, where and what to do. It contains nothing
 * personal (names, numbers, titles, file names, content): only element paths, limits and counts.
 */
export class Problem extends Error {
  readonly code: ErrorCode;
  readonly detail: string;
  /** Path of the element or field at fault, such as `Message/MessageHeader/messageUUID`. */
  readonly path: string | undefined;
  /** Of position-gone: the oldest position there is. */
  readonly oldest: number | undefined;
  /** In how many seconds a retry may succeed. */
  readonly retryAfter: number | undefined;
  /** Of municipality-required: CVR numbers, one of which the call must name. */
  readonly choices: readonly string[] | undefined;
  readonly #logged: Pick<Problem, 'detail' | 'path'> | undefined;
  /** Whether a delivery for a municipality to practise in is refused: it is counted nowhere. */
  readonly isTraining: boolean;

  constructor(
    code: ErrorCode,
    detail: string,
    options: {
      path?: string;
      oldest?: number;
      retryAfter?: number;
      choices?: readonly string[];
      isTraining?: boolean;
      cause?: unknown;
      logged?: Problem['logged'];
    } = {},
  ) {
    super(`${code}: ${detail}`, { cause: options.cause });
    this.name = 'Problem';
    this.code = code;
    this.detail = detail;
    this.path = options.path;
    this.#logged = options.logged;
    this.oldest = options.oldest;
    this.retryAfter = options.retryAfter;
    this.choices = options.choices;
    this.isTraining = options.isTraining ?? false;
  }

  /** What the log has as detail and path: others, where these have a name that the caller chose, which may be anybody’s. */
  get logged(): Pick<Problem, 'detail' | 'path'> {
    return this.#logged ?? this;
  }

  get row(): ErrorRow {
    return ERRORS[this.code];
  }
}
