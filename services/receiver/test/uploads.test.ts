import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Problem } from '@indbakke/shared/errors';
import type { Request, Response } from 'express';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ReceiverConfig } from '../src/config.js';
import { createDeliveryMetrics } from '../src/delivery/metrics.js';
import { createUploads, type Upload, type Uploads } from '../src/delivery/uploads.js';
import { deliveryHead, openConnection, type RawConnection } from './support/raw-http.js';

// Connections are real; seconds pass when `check` is called.

const RULES = {
  MAX_UPLOADS: 4,
  MAX_UPLOAD_SECONDS: 1_800,
  MIN_UPLOAD_RATE: 1_000,
  UPLOAD_RATE_SECONDS: 30,
  UPLOAD_IDLE_SECONDS: 10,
};
const [ANNA, BENT] = ['127.0.0.1', '127.0.0.2'];

let server: Server;
let uploads: Uploads;
let registry: Registry;
let connections: RawConnection[];
/** Of the upload that begins next. */
let begun: (outcome: Begun | Problem) => void;

interface Begun extends Upload {
  /** Why it lost its place. */
  lost?: string;
}

beforeEach(async () => {
  registry = new Registry();
  uploads = createUploads(RULES, createDeliveryMetrics(registry, RULES.MAX_UPLOADS));
  connections = [];
  server = createServer((req, res) => {
    try {
      const upload: Begun = uploads.begin(req as Request, res as Response, (problem) => {
        expect(problem.code).toBe('body-incomplete');
        upload.lost = (problem.cause as { code: string }).code;
      });
      upload.waiting = true;
      begun(upload);
    } catch (error) {
      begun(error as Problem);
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(async () => {
  for (const connection of connections) connection.close();
  server.close();
  await once(server, 'close');
});

/** Begins an upload from this address. */
async function begin(from = ANNA): Promise<Begun> {
  const outcome = new Promise<Begun | Problem>((resolve) => {
    begun = resolve;
  });
  const connection = await openConnection(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, from);
  connections.push(connection);
  await connection.send(deliveryHead(['Content-Length: 1000000']));
  const upload = await outcome;
  if (upload instanceof Error) throw upload;
  return upload;
}

async function fill(from = ANNA): Promise<Begun[]> {
  const begun: Begun[] = [];
  while (begun.length < RULES.MAX_UPLOADS) begun.push(await begin(from));
  return begun;
}

/** Lets seconds pass, in each of which every upload gets this many bytes. */
function pass(seconds: number, of: readonly Upload[] = [], bytes = RULES.MIN_UPLOAD_RATE): void {
  for (let second = 0; second < seconds; second += 1) {
    for (const upload of of) upload.took(bytes);
    uploads.check();
  }
}

const lostBy = (all: readonly Begun[]) => all.map(({ lost }) => lost ?? '');
const SEND_AGAIN = expect.objectContaining({ code: 'send-again' });

describe('an upload below the rate', () => {
  test('loses its place once it was measured, and not before', async () => {
    const upload = await begin();
    pass(29);
    expect(upload.lost).toBeUndefined();
    pass(1);
    expect(upload.lost).toBe('too-slow');
    expect(await registry.metrics()).toContain('indbakke_uploads_cut_total{why="too-slow"} 1');
    expect(await registry.metrics()).toMatch(/^indbakke_uploads 0$/m);
  });

  test('loses it also when it was fast at first', async () => {
    const upload = await begin();
    pass(30, [upload], 1_000_000);
    pass(30, [upload], RULES.MIN_UPLOAD_RATE - 1);
    expect(upload.lost).toBe('too-slow');
  });

  test('keeps it while we are not ready for more bytes', async () => {
    const upload = await begin();
    upload.waiting = false;
    pass(10_000);
    expect(upload.lost).toBeUndefined();
    upload.waiting = true;
    pass(29);
    expect(upload.lost).toBeUndefined();
  });
});

describe('an upload at the rate', () => {
  test('keeps its place for as long as it takes', async () => {
    const upload = await begin();
    pass(1_799, [upload]);
    expect(upload.lost).toBeUndefined();
  });

  test('of 110 MiB on a line of 2 Mbit/s that fifteen share is well within the default settings', () => {
    const { MIN_UPLOAD_RATE, MAX_UPLOAD_SECONDS, MAX_MESSAGE_BYTES } = ReceiverConfig.shape;
    const rate = 2_000_000 / 8;
    expect(rate / 15).toBeGreaterThan(MIN_UPLOAD_RATE.parse(undefined));
    expect(MAX_MESSAGE_BYTES.parse(undefined) / rate).toBeLessThan(MAX_UPLOAD_SECONDS.parse(undefined) / 3);
  });

  test('keeps it though its bytes come in bursts', async () => {
    const upload = await begin();
    for (let burst = 0; burst < 20; burst += 1) {
      pass(29);
      pass(1, [upload], 30 * RULES.MIN_UPLOAD_RATE);
    }
    expect(upload.lost).toBeUndefined();
  });
});

describe('when all places are taken', () => {
  test('a newcomer gets the place that has been idle for longest', async () => {
    const all = await fill();
    const [first, second, third, fourth] = all as [Begun, Begun, Begun, Begun];
    pass(3, [first, third, fourth]);
    pass(9, [first, fourth]);
    pass(1, [first]);

    await begin();

    expect(lostBy([first, second, third, fourth])).toEqual(['', 'idle', '', '']);
  });

  test('an upload that is idle for a moment, or because of us, keeps its place', async () => {
    const all = await fill();
    const [ours] = all as [Begun];
    ours.waiting = false;
    pass(9);
    await expect(begin()).rejects.toEqual(SEND_AGAIN);
    expect(lostBy(all)).toEqual(['', '', '', '']);
  });

  test('by one caller, another gets the place with the fewest bytes, up to half of them', async () => {
    const all = await fill(ANNA);
    for (const [at, upload] of all.entries()) upload.took(1_000 - at);

    const bents = [await begin(BENT), await begin(BENT)];
    await expect(begin(BENT)).rejects.toEqual(SEND_AGAIN);
    await expect(begin(ANNA)).rejects.toEqual(SEND_AGAIN);

    expect(lostBy(all)).toEqual(['', '', 'over-share', 'over-share']);
    expect(lostBy(bents)).toEqual(['', '']);
  });

  test('by one caller, as behind a proxy, none of them is cut off for one more', async () => {
    const all = await fill(ANNA);
    await expect(begin(ANNA)).rejects.toEqual(SEND_AGAIN);
    expect(lostBy(all)).toEqual(['', '', '', '']);
  });

  test('uploads that have arrived and are being stored keep their places', async () => {
    const all = await fill(ANNA);
    for (const upload of all) upload.waiting = false;
    await expect(begin(BENT)).rejects.toEqual(SEND_AGAIN);
    expect(lostBy(all)).toEqual(['', '', '', '']);
  });

  test('uploads that trickle count as idle, so they shut a newcomer of their own caller out for seconds only', async () => {
    const all = await fill(ANNA);
    pass(9, all, 1);
    await expect(begin(ANNA)).rejects.toEqual(SEND_AGAIN);
    pass(1, all, 1);
    await begin(ANNA);
    expect(lostBy(all)).toEqual(['idle', '', '', '']);
  });
});

test('uploads one behind the other on one connection all end with it, and share one listener on it', async () => {
  const connection = await openConnection(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  connections.push(connection);
  const listeners: number[] = [];
  begun = () => {};
  const allBegun = new Promise<void>((resolve) => {
    server.on('request', ({ socket }) => {
      listeners.push(socket.listenerCount('close'));
      if (listeners.length === RULES.MAX_UPLOADS) resolve();
    });
  });
  await connection.send(deliveryHead(['Content-Length: 0']).repeat(RULES.MAX_UPLOADS));
  await allBegun;
  expect(await registry.metrics()).toMatch(/^indbakke_uploads 4$/m);

  connection.break();

  await vi.waitFor(async () => expect(await registry.metrics()).toMatch(/^indbakke_uploads 0$/m));
  expect(listeners.at(-1)).toBe(listeners[0]);
});
