import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { REST_PATH } from '../testkit/deliver.js';

/** Digital Post’s receipt as JSON. */
export interface Receipt {
  readonly transmissionId: string;
  readonly receiptStatus: 'COMPLETED' | 'INVALID' | 'NOT_ALLOWED';
  readonly messageUUID?: string;
  readonly errorCode?: string;
  readonly errorMessage?: string;
}

export interface Delivery {
  /** The message’s name in the final table. */
  readonly title: string;
  readonly httpStatus: number;
  /** As received. */
  readonly receiptText: string;
  readonly receipt: Receipt;
  /** The receipt is that of an earlier delivery. */
  readonly isDuplicate: boolean;
}

/** Plays Serviceplatformen: delivers MeMos over REST and stores the receipts. */
export class DigitalPost {
  readonly deliveries: Delivery[] = [];
  readonly #url: string;
  readonly #signal: AbortSignal;

  constructor(url: string, signal: AbortSignal) {
    this.#url = url + REST_PATH;
    this.#signal = signal;
  }

  /** @param size bytes of the body; required for a stream */
  async deliver(title: string, body: Buffer | AsyncIterable<Buffer>, size?: number): Promise<Delivery> {
    const length = Buffer.isBuffer(body) ? body.length : size;
    const answer = await this.#post(Readable.from(body, { objectMode: false }), length);
    const receiptText = await text(answer);
    const receipt = JSON.parse(receiptText) as Receipt;
    const isDuplicate = this.deliveries.some((earlier) => earlier.receipt.transmissionId === receipt.transmissionId);
    const delivery = { title, httpStatus: answer.statusCode ?? 0, receiptText, receipt, isDuplicate };
    this.deliveries.push(delivery);
    return delivery;
  }

  /** Not with fetch: 100 MB would create 100 MB of garbage and take twice as long (measured). */
  async #post(body: Readable, length: number | undefined): Promise<IncomingMessage> {
    const sending = request(this.#url, {
      method: 'POST',
      headers: {
        'content-type': 'application/xml',
        accept: 'application/json',
        ...(length !== undefined && { 'content-length': length }),
      },
      signal: this.#signal,
    });
    const answered = once(sending, 'response');
    const [[answer]] = await Promise.all([answered, pipeline(body, sending)]);
    return answer as IncomingMessage;
  }
}
