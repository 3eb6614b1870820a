import { setTimeout as pause } from 'node:timers/promises';
import type {
  AccessPackageAnswer,
  AccessPackageBody,
  AccessPackageCreated,
  AssignmentBody,
  AuditList,
  AuditSearchBody,
  AuditSheetBody,
  BulkAnswer,
  BulkBody,
  CaseBody,
  ChangeAnswer,
  DocumentAnswer,
  DocumentList,
  DocumentQuery,
  DocumentSummary,
  EventList,
  EventQuery,
  ExportBody,
  ExtractAnswer,
  ExtractBody,
  ExtractCreated,
  JournalizationBody,
  LegalHoldBody,
  MunicipalityAnswer,
  MunicipalityBody,
  OnwardBody,
  OutcomeBody,
  RejectionBody,
  SentMessageBody,
  TakeBackBody,
  WebhookSecret,
  ZipDownloadAnswer,
  ZipDownloadBody,
  ZipDownloadCreated,
} from '@indbakke/shared/api';
import type { z } from 'zod';
import { checkedFetch } from './checked-fetch.js';

/** A message as it was read: every change names the version that it is based on. */
export type Seen = Pick<DocumentSummary, 'id' | 'version'>;

/** What is answered when a message is deleted: here, nothing was sent on, and nobody told. */
export const DELETION = { sentOn: false, senderInformed: false };

/** A call that was not answered with 2xx. `code` is in docs/errors.md. */
export class InboxError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, detail: string) {
    super(`${status} ${code}: ${detail}`);
    this.status = status;
    this.code = code;
  }
}

export type Query = z.input<typeof DocumentQuery>;

interface CallOptions {
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

/**
 * A client of the inbox API, with the token of a caseworker or of the core. Every answer must be one that
 * `/api/v1/openapi.json` describes, unless it asks with plain `fetch`, as of another version.
 */
export class InboxClient {
  readonly #url: string;
  readonly #token: string;
  readonly #signal: AbortSignal;
  readonly #fetch: typeof checkedFetch;

  constructor(url: string, token: string, signal: AbortSignal, ask: typeof checkedFetch = checkedFetch) {
    this.#url = `${url}/api/v1`;
    this.#token = token;
    this.#signal = signal;
    this.#fetch = ask;
  }

  /** The same for another caller. */
  as(token: string): InboxClient {
    return new InboxClient(this.#url.slice(0, -'/api/v1'.length), token, this.#signal, this.#fetch);
  }

  // What a caseworker reads

  list(query: Query = {}): Promise<z.infer<typeof DocumentList>> {
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, `${value}`);
    return this.#json('GET', `/incoming-documents?${parameters}`);
  }

  /** The items of all pages of a list. */
  async *listAll(query: Query = {}): AsyncGenerator<DocumentSummary> {
    let cursor: string | null | undefined;
    do {
      const page = await this.list({ ...query, ...(cursor && { cursor }) });
      yield* page.items;
      cursor = page.nextCursor;
    } while (cursor !== null);
  }

  read(id: string): Promise<DocumentAnswer> {
    return this.#json('GET', `/incoming-documents/${id}`);
  }

  /** @param range as in HTTP: `bytes=0-499`, or `bytes=-500` for the last 500 */
  file(id: string, fileId: string, range?: string): Promise<Response> {
    return this.#call('GET', `/incoming-documents/${id}/files/${fileId}`, { headers: range ? { range } : {} });
  }

  async zip(id: string): Promise<Buffer> {
    const response = await this.#call('GET', `/incoming-documents/${id}/zip`);
    return Buffer.from(await response.arrayBuffer());
  }

  /** A list or search as an Excel file. */
  async exportList(body: z.input<typeof ExportBody>): Promise<Buffer> {
    const response = await this.#call('POST', '/incoming-documents/export', { body });
    return Buffer.from(await response.arrayBuffer());
  }

  searchAuditLog(body: z.input<typeof AuditSearchBody>): Promise<z.infer<typeof AuditList>> {
    return this.#json('POST', '/audit-events/search', { body });
  }

  /** What the audit log has about a citizen, to hand to that citizen. */
  async auditSheet(body: z.input<typeof AuditSheetBody>): Promise<Buffer> {
    const response = await this.#call('POST', '/audit-events/sheet', { body });
    return Buffer.from(await response.arrayBuffer());
  }

  /** Saves an extract. @returns its id */
  async createExtract(body: z.input<typeof ExtractBody>): Promise<string> {
    return (await this.#json<ExtractCreated>('POST', '/extracts', { body })).id;
  }

  extract(id: string): Promise<ExtractAnswer> {
    return this.#json('GET', `/extracts/${id}`);
  }

  async extractFile(id: string, fileId: string): Promise<Buffer> {
    const response = await this.#call('GET', `/extracts/${id}/files/${fileId}`);
    return Buffer.from(await response.arrayBuffer());
  }

  /** Asks for an access package. @returns its id */
  async createAccessPackage(body: z.input<typeof AccessPackageBody>): Promise<string> {
    return (await this.#json<AccessPackageCreated>('POST', '/access-packages', { body })).id;
  }

  accessPackage(id: string): Promise<AccessPackageAnswer> {
    return this.#json('GET', `/access-packages/${id}`);
  }

  async accessPackageContent(id: string): Promise<Buffer> {
    const response = await this.#call('GET', `/access-packages/${id}/content`);
    return Buffer.from(await response.arrayBuffer());
  }

  async deleteAccessPackage(id: string): Promise<void> {
    await this.#call('DELETE', `/access-packages/${id}`);
  }

  /** Asks for a zip of many messages. @returns its id */
  async createZipDownload(body: z.input<typeof ZipDownloadBody>): Promise<string> {
    return (await this.#json<ZipDownloadCreated>('POST', '/zip-downloads', { body })).id;
  }

  zipDownload(id: string): Promise<ZipDownloadAnswer> {
    return this.#json('GET', `/zip-downloads/${id}`);
  }

  async zipDownloadContent(id: string): Promise<Buffer> {
    const response = await this.#call('GET', `/zip-downloads/${id}/content`);
    return Buffer.from(await response.arrayBuffer());
  }

  async deleteZipDownload(id: string): Promise<void> {
    await this.#call('DELETE', `/zip-downloads/${id}`);
  }

  // What a caseworker does. With the same Idempotency-Key, the same call again is answered like the first.

  journalize(seen: Seen, body: z.input<typeof JournalizationBody>, key?: string): Promise<ChangeAnswer> {
    return this.#change('POST', seen, 'journalization', body, key);
  }

  takeBack(seen: Seen, body: z.input<typeof TakeBackBody>, key?: string): Promise<ChangeAnswer> {
    return this.#change('DELETE', seen, 'journalization', body, key);
  }

  reject(seen: Seen, body: z.input<typeof RejectionBody>, key?: string): Promise<ChangeAnswer> {
    return this.#change('POST', seen, 'rejection', body, key);
  }

  tellOutcome(seen: Seen, body: z.input<typeof OutcomeBody>, key?: string): Promise<ChangeAnswer> {
    return this.#change('PUT', seen, 'rejection/outcome', body, key);
  }

  sendOn(seen: Seen, body: OnwardBody, key?: string): Promise<ChangeAnswer> {
    return this.#change('POST', seen, 'distribution', body, key);
  }

  reopen(seen: Seen, key?: string): Promise<ChangeAnswer> {
    return this.#change('DELETE', seen, 'rejection', undefined, key);
  }

  assign(seen: Seen, body: z.input<typeof AssignmentBody>, key?: string): Promise<ChangeAnswer> {
    return this.#change('PUT', seen, 'assignment', body, key);
  }

  setLegalHold(seen: Seen, body: z.input<typeof LegalHoldBody>, key?: string): Promise<ChangeAnswer> {
    return this.#change('PUT', seen, 'legal-hold', body, key);
  }

  liftLegalHold(seen: Seen, body: z.input<typeof LegalHoldBody>, key?: string): Promise<ChangeAnswer> {
    return this.#change('DELETE', seen, 'legal-hold', body, key);
  }

  deleteForGood(seen: Seen, key?: string): Promise<ChangeAnswer> {
    return this.#change('POST', seen, 'deletion', DELETION, key);
  }

  confirmDeletion(seen: Seen, key?: string): Promise<ChangeAnswer> {
    return this.#change('POST', seen, 'deletion/confirmation', undefined, key);
  }

  bulk(body: z.input<typeof BulkBody>, key?: string): Promise<BulkAnswer> {
    return this.#json('POST', '/incoming-documents/bulk', { body, headers: headerOf(key) });
  }

  /** Changes settings of the municipality; the others stay. */
  async changeSettings(changes: Partial<z.input<typeof MunicipalityBody>>): Promise<void> {
    const {
      cvr: _,
      version,
      warnings: __,
      isTraining: ___,
      ...present
    } = await this.#json<MunicipalityAnswer>('GET', '/municipality');
    const headers = { 'if-match': `"${version}"` };
    await this.#call('PUT', '/municipality', { body: { ...present, ...changes }, headers });
  }

  // What the core reads and registers

  events(query: z.input<typeof EventQuery>): Promise<EventList> {
    return this.#json('GET', `/events?${new URLSearchParams(query as Record<string, string>)}`);
  }

  async upsertCase(caseId: string, body: z.input<typeof CaseBody>): Promise<void> {
    await this.#call('PUT', `/cases/${encodeURIComponent(caseId)}`, { body });
  }

  /** Registers a URL for all events. @returns the secret that signs them */
  async createWebhook(url: string): Promise<string> {
    return (await this.#json<WebhookSecret>('POST', '/webhooks', { body: { url } })).secret;
  }

  async registerSentMessage(messageUUID: string, body: z.input<typeof SentMessageBody>): Promise<void> {
    await this.#call('PUT', `/sent-messages/${messageUUID}`, { body });
  }

  /** If-Match holds the version that was read: if a colleague was first, the answer is 412 and nothing changes. */
  #change(method: string, { id, version }: Seen, change: string, body?: unknown, key?: string): Promise<ChangeAnswer> {
    const headers = { 'if-match': `"${version}"`, ...headerOf(key) };
    return this.#json(method, `/incoming-documents/${id}/${change}`, { body, headers });
  }

  async #json<T>(method: string, path: string, options?: CallOptions): Promise<T> {
    const response = await this.#call(method, path, options);
    return (await response.json()) as T;
  }

  async #call(method: string, path: string, { body, headers }: CallOptions = {}): Promise<Response> {
    const response = await this.#fetch(`${this.#url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      // A new signal per call: fetch leaves a listener on its signal, and a crash run makes thousands of calls.
      signal: AbortSignal.any([this.#signal]),
    });
    if (response.ok) return response;
    const { code, detail } = (await response.json()) as { code: string; detail: string };
    throw new InboxError(response.status, code, detail);
  }
}

function headerOf(key: string | undefined): Record<string, string> {
  return key === undefined ? {} : { 'idempotency-key': key };
}

/** The refusal of a call, such as `404 not-found`; `done` if it succeeded. */
export async function refusalOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'done';
  } catch (error) {
    if (error instanceof InboxError) return `${error.status} ${error.code}`;
    throw error;
  }
}

const DEADLINE_MS = 20_000;
const POLL_MS = 50;

/** Polls until the answer is good. @throws Error with the last answer when the deadline has passed */
export async function askUntil<T>(ask: () => Promise<T>, isGood: (answer: T) => boolean): Promise<T> {
  const deadline = performance.now() + DEADLINE_MS;
  let answer = await ask();
  while (!isGood(answer)) {
    if (performance.now() > deadline)
      throw new Error(`After ${DEADLINE_MS / 1_000} s it is still ${JSON.stringify(answer)}.`);
    await pause(POLL_MS);
    answer = await ask();
  }
  return answer;
}
