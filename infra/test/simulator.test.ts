import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../src/lab/random.js';
import { type MadeCertificates, makeCertificates } from '../src/lab/simulator/certificates.js';
import { SimulatedClock } from '../src/lab/simulator/clock.js';
import { FAULTS } from '../src/lab/simulator/faults.js';
import { summaryOf } from '../src/lab/simulator/report.js';
import { HIGHEST_WEIGHT, kindOf, LARGEST, SMALL_SIZES, sizeOf, weightAt } from '../src/lab/simulator/rhythm.js';
import { SftpPlace } from '../src/lab/simulator/sftp.js';
import { Simulator, type SimulatorPlan, type SimulatorReport } from '../src/lab/simulator/simulator.js';
import { makeKeys, publicKeyOf } from '../src/local/sftp-server.js';
import { launchCommand } from '../src/testkit/command.js';
import { ODENSKOV, startTestStack, type TestStack, VESTERSUND } from '../src/testkit/stack.js';
import { expectListed } from './support/generated-list.js';

// UPDATE_DOCS=1 npm test -- infra/test/simulator.test.ts    updates the list of faults.

const HOUR = 3_600_000;
const MUNICIPALITIES = [ODENSKOV, VESTERSUND];

/** Runs it to its end. */
async function simulate(
  plan: Partial<SimulatorPlan> & { url: string },
): Promise<{ report: SimulatorReport; simulator: Simulator }> {
  const simulator = await Simulator.start({
    municipalities: MUNICIPALITIES,
    rate: 1_000,
    seed: 7,
    isFlat: true,
    largeShare: 0,
    sizes: [20_000],
    faultAttempts: 1,
    stopSeconds: 20,
    ...plan,
  });
  await simulator.begun;
  return { report: await simulator.stop(), simulator };
}

const foundBy = ({ findings }: SimulatorReport) => findings.map(({ what }) => what);

it('docs/simulator.md has each fault, and what is expected', () => {
  const rows = FAULTS.map(
    ({ name, does, expects, needs, unseen }) =>
      `| \`${name}\`${needs ? ' (TLS)' : ''} | ${does} | ${expects}${unseen ? ` Checked only ${unseen.isChecked}: ${unseen.what}.` : ''} |\n`,
  );
  expectListed(
    'docs/simulator.md',
    'faults',
    `| fault | what happens | a correct receiver |\n| --- | --- | --- |\n${rows.join('')}`,
  );
});

describe('the mix', () => {
  const monday = Date.parse('2026-11-02T00:00:00+01:00');
  const week = Array.from({ length: 7 * 24 }, (_, hour) => weightAt(new Date(monday + hour * HOUR)));

  it('has the average over a week, most on Monday from nine, and least at night', () => {
    expect(week.reduce((sum, weight) => sum + weight, 0) / week.length).toBeCloseTo(1);
    expect(week.indexOf(Math.max(...week))).toBe(9);
    expect(week[9]).toBeCloseTo(HIGHEST_WEIGHT);
    expect(HIGHEST_WEIGHT).toBeGreaterThan(4);
    expect(Math.min(...week)).toBeLessThan(0.1);
  });

  it('goes by Danish clocks, in summer too', () => {
    expect(weightAt(new Date('2026-07-06T09:30:00+02:00'))).toBe(weightAt(new Date('2026-11-02T09:30:00+01:00')));
  });

  it('is small letters of 20 KB to 2 MB, and as many of 60 to 99.5 MB as are asked for', () => {
    const random = new Random(1);
    const sizes = Array.from({ length: 10_000 }, () => sizeOf(random, 0.1));
    const large = sizes.filter((size) => size > 2_000_000);
    expect(large.length).toBeGreaterThan(900);
    expect(large.length).toBeLessThan(1_100);
    expect([Math.min(...large), Math.max(...large)]).toEqual([60_000_000, LARGEST]);
    expect(Math.min(...sizes)).toBe(20_000);
    const kinds = Array.from({ length: 1_000 }, () => kindOf(random));
    for (const kind of ['enquiry', 'reply', 'forwarded'] as const)
      expect(kinds.filter((each) => each === kind).length).toBeGreaterThan(20);
  });
});

describe('a receiver that', () => {
  let server: Server;
  let bodies: Buffer[];
  const receipt = (messageUUID: string) => ({
    transmissionId: randomUUID(),
    messageUUID,
    timeStamp: new Date().toISOString(),
    receiptStatus: 'COMPLETED',
  });
  const idIn = (body: Buffer) => /<memo:messageUUID>([^<]*)/.exec(body.toString('utf8'))?.[1] ?? '';
  type Answering = (messageUUID: string, res: ServerResponse, count: number) => void;

  /** @returns its URL */
  async function start(answer: Answering): Promise<string> {
    bodies = [];
    const listener: RequestListener = async (req: IncomingMessage, res) => {
      const body = await buffer(req).catch(() => undefined);
      if (!body) return;
      bodies.push(body);
      answer(idIn(body), res, bodies.length);
    };
    server = createServer((req, res) => void listener(req, res)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  const sendJson = (res: ServerResponse, fields: object, status = 200, type = 'application/json') =>
    res.writeHead(status, { 'content-type': type }).end(JSON.stringify(fields));
  const channels = { rest: 1 };

  const ONE_LETTER = {
    municipalities: [ODENSKOV],
    rate: 1_000,
    seed: 1,
    limit: 1,
    isFlat: true,
    largeShare: 0,
    channels,
    stopSeconds: 0,
  };

  it('answers as it should is good, and every letter has its record', async () => {
    const url = await start((id, res) => sendJson(res, receipt(id)));
    const { report, simulator } = await simulate({ url, channels, limit: 20 });
    expect(report).toMatchObject({ sent: 20, acknowledged: 20, open: 0, resent: 0, isGood: true });
    for (const letter of simulator.letters) {
      expect(letter).toMatchObject({
        status: 'acknowledged',
        attempts: 1,
        files: [expect.stringMatching(/^[\da-f]{64}$/), expect.anything()],
      });
    }
    expect(new Set([...simulator.letters].map(({ files }) => files[0])).size).toBe(20);
    expect(summaryOf(report)).toMatch(
      /^sent 20: acknowledged 20, .*\n[\s\S]*\nnot checked: whether the receiver has kept what it acknowledged.*\neach letter has its receipt, nothing found$/,
    );
  });

  const WRONG: readonly [what: string, finding: string, answer: Answering][] = [
    [
      'gives the errorCode 0',
      'COMPLETED with the errorCode 0',
      (id, res) => sendJson(res, { ...receipt(id), errorCode: '0' }),
    ],
    [
      'gives the errorCode 0 as a number',
      'COMPLETED with the errorCode 0',
      (id, res) => sendJson(res, { ...receipt(id), errorCode: 0 }),
    ],
    [
      'names another letter',
      'the receipt names another messageUUID',
      (_id, res) => sendJson(res, receipt(randomUUID())),
    ],
    [
      'names none',
      'a positive receipt without messageUUID',
      (id, res) => sendJson(res, { ...receipt(id), messageUUID: undefined }),
    ],
    [
      'has its own kind of ids',
      'transmissionId is no UUID',
      (id, res) => sendJson(res, { ...receipt(id), transmissionId: '17' }),
    ],
    [
      'answers as text',
      'Content-Type is text/plain, not application/json',
      (id, res) => sendJson(res, receipt(id), 200, 'text/plain'),
    ],
    [
      'refuses with status 200',
      'the HTTP status 200 with the receiptStatus INVALID',
      (id, res) => sendJson(res, { ...receipt(id), receiptStatus: 'INVALID', errorCode: 'x' }),
    ],
    ['is done with status 500', 'COMPLETED with the HTTP status 500', (id, res) => sendJson(res, receipt(id), 500)],
    [
      'refuses without a code',
      'a negative receipt without errorCode',
      (id, res) => sendJson(res, { ...receipt(id), receiptStatus: 'INVALID' }, 400),
    ],
    [
      'answers nothing',
      'the answer has no body',
      (_id, res) => void res.writeHead(200, { 'content-type': 'application/json' }).end(),
    ],
    [
      'answers what is no receipt',
      'the answer cannot be read as a receipt',
      (_id, res) => void res.writeHead(200, { 'content-type': 'application/json' }).end('{"ok"'),
    ],
    [
      'has a local time',
      'timeStamp is no time in UTC',
      (id, res) => sendJson(res, { ...receipt(id), timeStamp: '2026-11-02T09:12:00' }),
    ],
    [
      'has a clock that is ahead',
      'timeStamp is in the future',
      (id, res) => sendJson(res, { ...receipt(id), timeStamp: new Date(Date.now() + HOUR).toISOString() }),
    ],
  ];
  it.each(WRONG)('%s is found: %s', async (_what, finding, answer) => {
    const url = await start(answer);
    const simulator = await Simulator.start({ ...ONE_LETTER, url });
    await expect.poll(() => simulator.progress.findings, { interval: 5 }).toBeGreaterThan(0);
    const report = await simulator.stop();
    expect(foundBy(report)).toContain(finding);
    expect(report.isGood).toBe(false);
  });

  it('gives two letters one transmissionId is found', async () => {
    const transmissionId = randomUUID();
    const url = await start((id, res) => sendJson(res, { ...receipt(id), transmissionId }));
    const { report } = await simulate({ url, channels, limit: 2 });
    expect(foundBy(report)).toEqual(['the receipt has the transmissionId of another letter']);
  });

  it('may leave errorCode null or blank', async () => {
    const url = await start((id, res, count) => sendJson(res, { ...receipt(id), errorCode: count === 1 ? null : ' ' }));
    expect((await simulate({ url, channels, limit: 2 })).report.isGood).toBe(true);
  });

  it.each<[string, Answering]>([
    [
      'is not available at first',
      (_id, res) =>
        sendJson(
          res,
          {
            transmissionId: randomUUID(),
            timeStamp: new Date().toISOString(),
            receiptStatus: 'INVALID',
            errorCode: 'send-again',
          },
          503,
        ),
    ],
    [
      'refuses at first',
      (_id, res) =>
        sendJson(
          res,
          {
            transmissionId: randomUUID(),
            timeStamp: new Date().toISOString(),
            receiptStatus: 'INVALID',
            errorCode: 'not-yet',
          },
          400,
        ),
    ],
    ['cuts the connection at first', (_id, res) => res.destroy()],
    ['says nothing at first', () => {}],
  ])('%s gets the same letter again, some minutes later', async (_what, atFirst) => {
    const url = await start((id, res, count) => (count <= 2 ? atFirst(id, res, count) : sendJson(res, receipt(id))));
    const clock = new SimulatedClock(new Date(), 600); // the waits of 30 and 60 seconds are 150 ms
    const simulator = await Simulator.start({
      url,
      municipalities: [ODENSKOV],
      rate: 1_000,
      seed: 1,
      limit: 1,
      isFlat: true,
      channels,
      largeShare: 0,
      clock,
      timeoutSeconds: 0.2,
    });
    await simulator.begun;
    await expect.poll(() => simulator.progress.acknowledged).toBe(1);
    const report = await simulator.stop();
    expect(report).toMatchObject({ sent: 1, acknowledged: 1, resent: 2, isGood: true });
    expect(bodies).toHaveLength(3);
    expect(bodies[2]?.equals(bodies[0] as Buffer)).toBe(true);
    const [letter] = simulator.letters;
    const waited = ((letter?.acknowledgedAt ?? 0) - (letter?.sentAt ?? 0)) * clock.speed;
    expect(waited).toBeGreaterThan(90_000);
  });

  it('takes nothing for seven days is switched off: no letter is sent any more', async () => {
    const url = await start((_id, res) => void res.writeHead(503).end());
    const clock = new SimulatedClock(new Date(), (7 * 24 * HOUR) / 700); // in 0.7 seconds
    const simulator = await Simulator.start({
      url,
      municipalities: [ODENSKOV],
      rate: 20,
      seed: 1,
      isFlat: true,
      channels,
      largeShare: 0,
      clock,
    });
    await expect.poll(() => simulator.isSwitchedOff).toBe(true);
    const { sent, resent } = simulator.progress;
    await clock.until(clock.now() + 5 * 24 * HOUR, new AbortController().signal);
    expect(simulator.progress).toMatchObject({ sent, resent });
    const report = await simulator.stop();
    expect(report).toMatchObject({ isSwitchedOff: true, acknowledged: 0, isGood: false });
    expect(foundBy(report)).toContain('the receiver took no letter for 7 days, and was switched off');
    expect(report.open).toBe(report.sent);
  });

  it('takes nothing for seven days since nothing is sent is not switched off', async () => {
    const url = await start((id, res, count) => {
      if (count === 1) res.writeHead(503).end();
      else sendJson(res, receipt(id));
    });
    const clock = new SimulatedClock(new Date(), 7 * 24 * HOUR); // seven days in a millisecond
    const simulator = await Simulator.start({ ...ONE_LETTER, url, clock });
    await expect.poll(() => simulator.progress.acknowledged, { interval: 5 }).toBe(1);
    expect(await simulator.stop()).toMatchObject({ isSwitchedOff: false, resent: 1, acknowledged: 1, isGood: true });
  });

  it('never answers has been sent what was offered to it; the rest is counted apart', async () => {
    const url = await start(() => {});
    const { report, simulator } = await simulate({ url, channels, limit: 3, concurrency: 1, stopSeconds: 0.1 });
    expect([...simulator.letters].map(({ attempts }) => attempts)).toEqual([1, 0, 0]);
    expect(report).toMatchObject({ sent: 1, open: 1, neverSent: 2, byChannel: { rest: 1 }, isGood: false });
    expect(simulator.progress).toMatchObject({ sent: 1 });
    expect(summaryOf(report)).toMatch(/^sent 1: .* open 1;[\s\S]*\nnever sent, since the time was up: 2\n/);
  });

  it('repeats a transmissionId in capitals gives the same one', async () => {
    const first = new Map<string, string>();
    const url = await start((id, res) => {
      const transmissionId = first.get(id.toLowerCase())?.toUpperCase() ?? randomUUID();
      first.set(id.toLowerCase(), transmissionId);
      sendJson(res, { ...receipt(id), transmissionId });
    });
    const { report } = await simulate({ url, channels, limit: 1, faults: ['upper-case-id', 'same-id-other-content'] });
    expect(foundBy(report)).toEqual([
      'same-id-other-content: gave another letter with the same id the receipt of the first: it is lost',
    ]);
  });

  it('believes everything fails what it must refuse, and what comes twice', async () => {
    const url = await start((id, res) => sendJson(res, receipt(id.toLowerCase())));
    const faults = ['billion-laughs', 'external-entity', 'broken-base64', 'upper-case-id', 'bom', 'cut'];
    const { report } = await simulate({ url, channels, limit: 1, faults });
    const failed = Object.keys(report.faults).filter((name) => report.faults[name]?.failed === 1);
    expect(failed.toSorted()).toEqual(['billion-laughs', 'broken-base64', 'external-entity', 'upper-case-id']);
  });

  it('asks for an entity at the address of the simulator that it was given fails', async () => {
    let asked = '';
    const url = await start((_id, res, count) => {
      asked = /SYSTEM "([^"]*)"/.exec(String(bodies[count - 1]))?.[1] ?? '';
      void fetch(asked).finally(() => res.writeHead(403, { 'content-type': 'text/html' }).end());
    });
    const { report } = await simulate({ url, limit: 0, faults: ['external-entity'], ownHost: 'localhost' });
    expect(asked).toMatch(/^http:\/\/localhost:\d+\/$/);
    expect(foundBy(report)).toEqual(['external-entity: asked for an entity that a letter named']);
  });

  it('answers 500 to another letter with the same id fails', async () => {
    const url = await start((id, res, count) => {
      const invalid = { ...receipt(id), receiptStatus: 'INVALID', errorCode: 'internal' };
      if (String(bodies[count - 1]).includes('Noget helt andet')) sendJson(res, invalid, 500);
      else sendJson(res, receipt(id));
    });
    const { report } = await simulate({ url, limit: 0, faults: ['same-id-other-content'] });
    expect(foundBy(report)).toEqual([
      'same-id-other-content: answered 500 to what it never takes: it would be sent again and again',
    ]);
  });

  it('gives the letter whose answer was lost two receipts fails', async () => {
    const envelope = (id: string) => {
      const fields = Object.entries(receipt(id)).map(([name, value]) => `<${name}>${value}</${name}>`);
      return `<Envelope><Body><PostModtagResponse>${fields.join('')}</PostModtagResponse></Body></Envelope>`;
    };
    const url = await start((id, res, count) => {
      if (!String(bodies[count - 1]).includes('Envelope')) sendJson(res, receipt(id));
      else res.writeHead(200, { 'content-type': 'text/xml' }).end(envelope(id));
    });
    const { report } = await simulate({ url, limit: 0, faults: ['lost-answer'] });
    expect(foundBy(report)).toContain('lost-answer: gave one letter several transmissionIds');
  });

  it('writes a file where its name leads fails', async () => {
    let file = '';
    const url = await start((id, res, count) => {
      const name = /<memo:filename>([^<]*)/.exec(String(bodies[count - 1]))?.[1] ?? '';
      file = join('/var/lib/receiver/files', name);
      void writeFile(file, '').then(() => sendJson(res, receipt(id)));
    });
    const { report } = await simulate({ url, limit: 0, faults: ['path-in-file-name'] });
    await rm(file);
    expect(foundBy(report)).toEqual([`path-in-file-name: wrote ${file}, which a file name led to`]);
  });

  it('is asked for no inbox has expectations that are not checked, and the report names them', async () => {
    const url = await start((id, res) => sendJson(res, receipt(id)));
    const { report } = await simulate({ url, limit: 0, faults: ['cut', 'bom', 'path-in-file-name'] });
    expect(report).toMatchObject({
      isGood: true,
      unchecked: [expect.stringContaining('has kept'), expect.stringMatching(/^cut: /)],
    });
    expect(summaryOf(report)).toContain(
      '\nnot checked: cut: whether nothing of the first is kept, which is checked only with an inbox\n',
    );
  });

  it('has REST alone passes the faults that use the other channels too', async () => {
    const first = new Map<string, object>();
    const url = await start((id, res, count) => {
      if (!/^<\?xml[^>]*>\s*<memo:Message /.test(String(bodies[count - 1]))) return void res.writeHead(415).end();
      if (!first.has(id)) first.set(id, receipt(id));
      sendJson(res, first.get(id) as object);
    });
    const { report } = await simulate({ url, channels, limit: 1, faults: ['lost-answer', 'duplicate-at-once'] });
    expect(foundBy(report)).toEqual([]);
    expect(report).toMatchObject({ acknowledged: 3, byChannel: { rest: 3 }, isGood: true });
  });

  it('has no REST is sent no faults, and the report says so', async () => {
    const url = await start((_id, res) => sendPage(res, 503));
    const { report } = await simulate({ url, channels: { soap: 1 }, limit: 0, faults: ['bom'] });
    expect(report.faults.bom?.notPlayed).toMatch(/rest is not among the channels/);
  });

  it('gives a wrong receipt to the letter of a fault fails that fault', async () => {
    const url = await start((id, res) => sendJson(res, receipt(id || randomUUID())));
    const { report } = await simulate({ url, channels, limit: 1, faults: ['gzip'] });
    expect(report.faults.gzip).toEqual({ played: 1, failed: 1 });
    expect(foundBy(report)).toEqual(['gzip: the receipt names another messageUUID']);
  });

  it('makes one mistake many times gets one line for it, with a count', async () => {
    const url = await start((id, res) => sendJson(res, { ...receipt(id), errorCode: '0' }));
    const simulator = await Simulator.start({ ...ONE_LETTER, url, limit: 3 });
    await expect.poll(() => simulator.progress.findings, { interval: 5 }).toBe(3);
    const report = await simulator.stop();
    const summary = summaryOf(report);
    expect(summary).toMatch(/\nfinding: COMPLETED with the errorCode 0 \(.*\), 3 times\n/);
    expect(summary).toMatch(/\nattempts without a positive receipt: \d+ × errorCode 0\n/);
    expect(summary).toMatch(/\nNOT GOOD: open 3, findings 3$/);
  });

  it('is sent no letter is not good', async () => {
    const url = await start((id, res) => sendJson(res, receipt(id)));
    const { report } = await simulate({ url, channels, limit: 0 });
    expect(summaryOf(report)).toMatch(/\nNOT GOOD: nothing was sent$/);
    expect(report.isGood).toBe(false);
  });

  it('is interrupted before all letters are sent is not good', async () => {
    const url = await start((id, res) => sendJson(res, receipt(id)));
    const interrupt = new AbortController();
    const simulator = await Simulator.start({ ...ONE_LETTER, url, limit: 1_000, rate: 20, signal: interrupt.signal });
    await expect.poll(() => simulator.progress.acknowledged, { interval: 5 }).toBeGreaterThan(0);
    interrupt.abort();
    const report = await simulator.stop();
    expect(report).toMatchObject({ isInterrupted: true, isGood: false });
    expect(summaryOf(report)).toMatch(/\nNOT GOOD: interrupted before its end/);
  });

  it('has an inbox that does not answer gets its report all the same', async () => {
    const url = await start((id, res) => sendJson(res, receipt(id)));
    const inbox = { url: 'http://127.0.0.1:1', token: () => 'x' };
    const { report } = await simulate({ url, channels, limit: 2, inbox });
    expect(report).toMatchObject({ acknowledged: 2, isGood: false });
    expect(foundBy(report)).toEqual(['The inbox http://127.0.0.1:1 does not answer: bad port.']);
  });

  it('takes no letter shows in the progress, with the reason', async () => {
    const url = await start((_id, res, count) => sendPage(res, count > 3 ? 400 : 503));
    const simulator = await Simulator.start({ ...ONE_LETTER, url, resendAfterSeconds: [0.01] });
    await expect.poll(() => simulator.progress.failure, { interval: 5 }).toBe('HTTP 400');
    await simulator.stop();
  });

  const sendPage = (res: ServerResponse, status: number) =>
    res.writeHead(status, { 'content-type': 'text/html' }).end(`<html><h1>${status}</h1></html>`);

  it('is behind a proxy may refuse without a receipt what it may refuse', async () => {
    const url = await start((id, res, count) => {
      const body = String(bodies[count - 1]);
      if (/<!ENTITY|\*#!|Noget helt andet/.test(body) || id === '') sendPage(res, 400);
      else sendJson(res, receipt(id));
    });
    const faults = ['billion-laughs', 'broken-base64', 'utf-16', 'gzip', 'same-id-other-content'];
    const { report } = await simulate({ url, channels, limit: 1, faults });
    expect(foundBy(report)).toEqual([]);
    expect(report).toMatchObject({ refused: 4, acknowledged: 2, isGood: true });
  });

  it('is behind a proxy may refuse a letter without a receipt only where it may refuse it', async () => {
    const url = await start((id, res) => (id === '' ? sendPage(res, 200) : sendPage(res, 400)));
    const { report } = await simulate({ url, channels, limit: 0, faults: ['gzip', 'bom'], stopSeconds: 0 });
    expect(foundBy(report)).toEqual([
      'gzip: Content-Type is text/html, not application/json',
      'gzip: the answer cannot be read as a receipt',
      'bom: Content-Type is text/html, not application/json',
      'bom: the answer cannot be read as a receipt',
      'bom: gave it no positive receipt: HTTP 400',
    ]);
  });

  it('is away behind a proxy is asked again and not blamed', async () => {
    const away = [502, 503, 504];
    const url = await start((id, res, count) => {
      const status = away[count - 1];
      if (status) sendPage(res, status);
      else sendJson(res, receipt(id));
    });
    const { report } = await simulate({ url, channels, limit: 2, faults: ['bom'] });
    expect(foundBy(report)).toEqual([]);
    expect(report.failedAttempts).toEqual({ 'HTTP 502': 1, 'HTTP 503': 1, 'HTTP 504': 1 });
    expect(report).toMatchObject({ acknowledged: 4, faults: { bom: { failed: 0 } }, isGood: true });
  });

  it('has a limit of 99.5 MB of XML may refuse 99.5 MiB', { tags: ['long'] }, async () => {
    const refusal = { transmissionId: randomUUID(), timeStamp: new Date().toISOString(), receiptStatus: 'INVALID' };
    const listener: RequestListener = async (req, res) => {
      let [first, bytes] = [Buffer.alloc(0), 0];
      for await (const piece of req as AsyncIterable<Buffer>) {
        if (first.length < 4_000) first = Buffer.concat([first, piece]);
        bytes += piece.length;
      }
      if (bytes <= 99_500_000) sendJson(res, receipt(idIn(first)));
      else sendJson(res, { ...refusal, errorCode: 'too-large' }, 413);
    };
    server = createServer((req, res) => void listener(req, res)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { report, simulator } = await simulate({ url, channels, limit: 0, faults: ['largest', 'largest-mib'] });
    expect(foundBy(report)).toEqual([]);
    expect([...simulator.letters].map(({ bytes, status }) => [bytes, status])).toEqual([
      [99_500_000, 'acknowledged'],
      [104_333_312, 'refused'],
    ]);
    expect(report.isGood).toBe(true);
  });

  it('is behind a proxy may refuse a certificate without a receipt', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'indbakke-simulator-'));
    const { tls } = await makeCertificates(folder, ['127.0.0.1']);
    const [key, cert] = await Promise.all(['server.key', 'server.pem'].map((name) => readFile(join(folder, name))));
    await rm(folder, { recursive: true });
    const options = { key, cert, ca: tls.trusted, requestCert: true, rejectUnauthorized: false };
    const listener: RequestListener = async (req, res) => {
      const body = await buffer(req);
      if ((req.socket as TLSSocket).authorized) sendJson(res, receipt(idIn(body)));
      else sendPage(res, 400);
    };
    server = createSecureServer(options, (req, res) => void listener(req, res)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const faults = ['no-certificate', 'expired-certificate'];
    const { report } = await simulate({ url, tls, channels, limit: 1, faults });
    expect(foundBy(report)).toEqual([]);
    expect(report).toMatchObject({ refused: 2, acknowledged: 1, isGood: true });
  });
});

it('a receiver that is away is one that has not taken its letters', async () => {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  const { report } = await simulate({ url: `http://127.0.0.1:${port}`, limit: 3, stopSeconds: 0.2 });
  expect(report).toMatchObject({
    sent: 3,
    open: 3,
    failedAttempts: { ECONNREFUSED: expect.any(Number) },
    isGood: false,
  });
});

it('what a receiver on another machine cannot show is not played, and the report says so', async () => {
  const { report } = await simulate({ url: 'https://receiver.invalid', limit: 0, faults: ['external-entity'] });
  expect(report.faults['external-entity']).toMatchObject({ played: 0, notPlayed: expect.any(String) });
  expect(summaryOf(report)).toContain(
    '\nfault external-entity: not played: the receiver is on another machine: say by --own-host how it reaches this one\n',
  );
});

it.each([
  [{ concurrency: 0 }, 'The concurrency must be 1 letter or more.'],
  [{ ownHost: 'a b' }, '"a b" is neither the name of a machine nor an address.'],
  [{ url: 'http://receiver.example' }, 'The receiver is called over https; over http only on this machine.'],
  [{ faults: ['gone'] }, 'There is no fault "gone"; --list-faults shows them.'],
  [{ faults: ['expired-certificate'] }, 'The fault expired-certificate needs TLS, and the certificates for it.'],
  [{ channels: { sf2900: 1 } }, 'SF2900 needs an SFTP server for the files: --sftp DIR.'],
  [{ municipalities: [] }, 'There is no municipality to send to.'],
])('a plan %j is refused: %s', async (plan, sentence) => {
  await expect(simulate({ url: 'http://127.0.0.1:1', ...plan })).rejects.toThrow(sentence);
});

describe('our receiver', { tags: ['long'] }, () => {
  let folder: string;
  let made: MadeCertificates;
  let stack: TestStack;
  let sftp: NonNullable<SimulatorPlan['sftp']>;
  const warnings: Error[] = [];
  const warned = (warning: Error) => void warnings.push(warning);

  beforeAll(async () => {
    process.on('warning', warned);
    folder = await mkdtemp(join(tmpdir(), 'indbakke-simulator-'));
    const file = (name: string) => join(folder, name);
    made = await makeCertificates(folder, ['127.0.0.1']);
    const [hostKey, userKey] = [makeKeys().privateKey, makeKeys().privateKey];
    await writeFile(file('user.key'), userKey, { mode: 0o600 });
    const user = { user: 'indbakke', publicKey: publicKeyOf(userKey) };
    // Once before, to know its port and the fingerprint of its key.
    const probe = await SftpPlace.open({ folder: file('served'), ...user, hostKey });
    const { port, hostKeys } = probe.server;
    await probe.close();
    sftp = { folder: file('served'), ...user, hostKey, port };
    stack = await startTestStack({
      SF1606_CALLERS: 'certificate',
      SF1606_TLS_PORT: '0',
      SF1606_TLS_KEY_FILE: file('server.key'),
      SF1606_TLS_CERTIFICATE_FILE: file('server.pem'),
      SF1606_TLS_ISSUERS_FILE: file('ca.pem'),
      SF1606_TLS_REVOKED_FILES: file('revoked.crl'),
      SF1606_TLS_CLIENTS: `${made.cvr}/${made.uuid}`,
      SF2900: 'on',
      SF2900_SFTP_HOST: '127.0.0.1',
      SF2900_SFTP_PORT: String(port),
      SF2900_SFTP_USER: 'indbakke',
      SF2900_SFTP_KEY_FILE: file('user.key'),
      SF2900_SFTP_HOST_KEYS: hostKeys.join(','),
    });
  });
  afterAll(async () => {
    process.off('warning', warned);
    await stack.close();
    await rm(folder, { recursive: true, force: true });
  });

  const run = (plan: Partial<SimulatorPlan>) =>
    simulate({
      url: stack.secureUrl,
      tls: made.tls,
      inbox: { url: stack.url, token: (municipality) => stack.token({ municipality }) },
      ...plan,
    });

  it.each(FAULTS.map(({ name }) => name))('over TLS, stands %s', async (name) => {
    const { report } = await run({ limit: 1, faults: [name] });
    expect(summaryOf(report)).toContain(`fault ${name}: played 1\n`);
    expect(report.isGood, summaryOf(report)).toBe(true);
    expect(warnings).toEqual([]);
  });

  it('takes letters in every way, large ones, and a flood of old ones; the inbox has each once, with its files', {
    timeout: 180_000,
  }, async () => {
    const { report, simulator } = await run({
      limit: 40,
      rate: 40,
      stopSeconds: 120,
      sftp,
      channels: { rest: 1, form: 1, soap: 1, sf2900: 1 },
      largeShare: 0.02,
      sizes: SMALL_SIZES,
      flood: { letters: 30 },
      sentMessages: new Map([[ODENSKOV, [randomUUID()]]]),
    });
    expect(report.isGood, summaryOf(report)).toBe(true);
    expect(report).toMatchObject({ sent: 70, acknowledged: 70, filesNotFetched: 0, inbox: { found: 70 } });
    for (const channel of ['rest', 'form', 'soap', 'sf2900'] as const)
      expect(report.byChannel[channel]).toBeGreaterThan(5);
    for (const { messageUUID, files } of simulator.letters) {
      const stored = await stack.sql<{ sha256: string }>(
        `SELECT encode(f.sha256, 'hex') AS sha256 FROM files f JOIN messages m ON m.id = f.message_id WHERE m.external_id = $1`,
        [messageUUID],
      );
      expect(stored.map(({ sha256 }) => sha256).toSorted()).toEqual(files.toSorted());
    }
    const kinds = await stack.sql<{ kind: string }>('SELECT DISTINCT kind FROM messages');
    expect(kinds.map(({ kind }) => kind).toSorted()).toEqual(['enquiry', 'forwarded', 'reply']);
  });

  it('is not good when the inbox lacks what it acknowledged', async () => {
    const simulator = await Simulator.start({
      url: stack.secureUrl,
      tls: made.tls,
      municipalities: [ODENSKOV],
      rate: 1_000,
      seed: 9,
      limit: 2,
      isFlat: true,
      largeShare: 0,
      inbox: { url: stack.url, token: (municipality) => stack.token({ municipality }) },
    });
    await simulator.begun;
    await expect.poll(() => simulator.progress.acknowledged).toBe(2);
    const [lost] = simulator.letters;
    await stack.sql(`UPDATE messages SET status = 'held', held_cause = 'not-live' WHERE external_id = $1`, [
      lost?.messageUUID,
    ]);
    const report = await simulator.stop();
    expect(report).toMatchObject({ isGood: false, inbox: { found: 1, missing: [lost?.messageUUID] } });
  });

  it('is tested by the command, which prints the report and writes it as JSON', async () => {
    const tokens = join(folder, 'tokens');
    await writeFile(tokens, `${ODENSKOV} ${await stack.token()}\n`);
    const json = join(folder, 'report.json');
    const { ended } = launchCommand('../lab/simulator/main', [
      ...['--url', stack.secureUrl, '--tls', folder, '--letters', '5', '--rate', '50', '--flat', '--large', '0'],
      ...[
        '--fault',
        'half-close',
        '--fault',
        'wrong-certificate',
        '--inbox',
        stack.url,
        '--tokens',
        tokens,
        '--json',
        json,
      ],
    ]);
    const { status, output, errors } = await ended;
    expect(output, errors).toMatch(/all accounted for, nothing found\n$/);
    expect(status).toBe(0);
    const written = JSON.parse(await readFile(json, 'utf8'));
    expect(written).toMatchObject({ sent: 7, acknowledged: 6, refused: 1, isGood: true });
    expect(written.letters).toHaveLength(7);
  });
});
