import { goToSignIn, PREFIX } from './session.js';

/** A refusal of the API (RFC 9457), or that it could not be reached. */
export class ApiError extends Error {
  /** Of docs/errors.md; `unreachable` when there was no answer. */
  readonly code: string;
  readonly fields: readonly { readonly field: string; readonly message: string }[];
  readonly correlationId: string | undefined;

  constructor(problem: Problem) {
    super(problem.detail ?? problem.title ?? problem.code);
    this.code = problem.code ?? 'failed';
    this.fields = problem.errors ?? [];
    this.correlationId = problem.correlationId;
  }
}

interface Problem {
  readonly code?: string;
  readonly title?: string;
  readonly detail?: string;
  readonly correlationId?: string;
  readonly errors?: readonly { readonly field: string; readonly message: string }[];
}

export interface CallOptions {
  readonly body?: unknown;
  /** A table, such as an address book, in place of the body. */
  readonly file?: { readonly type: string; readonly bytes: ArrayBuffer };
  /** Of what the call changes: it takes effect on this version only. */
  readonly version?: number;
  readonly signal?: AbortSignal;
}

/**
 * A call of the inbox API, such as `call<DocumentList>('GET', '/incoming-documents?limit=50')`.
 *
 * @returns the JSON of the answer; undefined when it has none
 * @throws ApiError
 */
export async function call<Answer>(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
  const response = await send(method, path, options);
  return (response.status === 204 ? undefined : await response.json()) as Answer;
}

/** The bytes of an answer. @throws ApiError */
export async function download(path: string, options: CallOptions & { method?: string } = {}): Promise<Blob> {
  return (await send(options.method ?? 'GET', path, options)).blob();
}

async function send(method: string, path: string, options: CallOptions): Promise<Response> {
  const { body, file, version, signal } = options;
  const isOnce = method !== 'GET' && version !== undefined;
  const headers = {
    ...(body !== undefined && { 'content-type': 'application/json' }),
    ...(file && { 'content-type': file.type }),
    ...(version !== undefined && { 'if-match': `"${version}"` }),
    ...(isOnce && { 'idempotency-key': newKey() }),
  };
  const ask = () =>
    fetch(`${PREFIX}/api/v1${path}`, {
      method,
      headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(file && { body: file.bytes }),
      ...(signal && { signal }),
    });
  let response: Response;
  try {
    // The answer may have got lost after the change was made: the same key gets that answer, and changes nothing twice.
    response = await (isOnce ? ask().catch(ask) : ask());
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError({ code: 'unreachable' });
  }
  if (response.ok) return response;
  const problem = (await response.json().catch(() => ({}))) as Problem;
  if (problem.code === 'not-signed-in') goToSignIn();
  throw new ApiError(problem);
}

/** Not `randomUUID`, which browsers have over HTTPS only. */
const newKey = () => crypto.getRandomValues(new Uint32Array(4)).join('-');
