import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { mkdir, rename, rmdir } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { asSystem } from '@indbakke/shared/access';
import { type ClamdAddress, CommonConfig, readClamdUrl, readConfig } from '@indbakke/shared/config';
import { requestScan, scanAgain } from '@indbakke/shared/inbox';
import { openParts, type Parts } from '@indbakke/shared/service';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EICAR, EICAR_SIGNATURE, HAS_CLAMD, type OwnClamd, startClamd } from '../../../infra/src/testkit/clamd.js';
import { crashPointPassed } from '../../../infra/src/testkit/crash-points.js';
import { askUntil, DELETION } from '../../../infra/src/testkit/inbox-client.js';
import {
  CASEWORKER_ROLES,
  ODENSKOV,
  startTestStack,
  type TestStack,
  type TokenOptions,
} from '../../../infra/src/testkit/stack.js';
import { type MemoSpecFile, textDocument } from '../../../infra/src/testkit/write-memo.js';
import type { DocumentAnswer } from '../../../shared/src/api/index.js';
import { auditOf, change, deliverMemo, expectProblem, read } from '../../../shared/test/inbox/support.js';
import { ClamdAway, ping, scan } from '../src/scan/clamd.js';
import type { ScanParts } from '../src/scan/scan-files.js';
import { createScanMessageHandler } from '../src/scan/scan-message.js';
import { encryptedZip } from './support/encrypted-zip.js';

// @module-tag long

// Files are scanned by Debian's clamd, which knows one signature: of the EICAR test file, made by the test.

const UNSAFE: TokenOptions = { user: 'sikkerhed-1', roles: [...CASEWORKER_ROLES, 'Indbakke.UsikreFiler'] };
const SCANNER = fileURLToPath(new URL('./support/scanner.mjs', import.meta.url));
const signal = new AbortController().signal;
const MiB = 1024 * 1024;

const file = (name: string, content: Buffer, type = 'application/octet-stream'): MemoSpecFile => ({
  name,
  type,
  content,
});
const FOUND = { is: 'found', name: EICAR_SIGNATURE };

const filesOf = ({ documents }: DocumentAnswer) => documents.flatMap(({ files }) => files);
const scansOf = (message: DocumentAnswer) => filesOf(message).map(({ scan }) => scan);

const addressOf = (url: string) => readClamdUrl(url) as ClamdAddress;

/** A letter with this attachment. */
const letterWith = (stack: TestStack, attachment: MemoSpecFile) =>
  deliverMemo(stack, { documents: [textDocument('Se bilaget.'), { files: [attachment] }] });

const isScanned = (message: DocumentAnswer) =>
  !scansOf(message).some((each) => each === 'waiting' || each === 'not-scanned');
const untilScanned = (stack: TestStack, id: string) => askUntil(() => read(stack, id), isScanned);

const download = (stack: TestStack, id: string, fileId: string | undefined, as?: TokenOptions) =>
  stack.call('GET', `/incoming-documents/${id}/files/${fileId}`, as && { as });

const waitingRow = async (stack: TestStack, id: string) => {
  const [row] = await stack.sql<{ attempts: number; fault: string | null; run: number; seconds: number }>(
    `SELECT attempts, fault, run, extract(epoch FROM next_enqueue_at - now())::int AS seconds FROM message_scans WHERE message_id = $1`,
    [id],
  );
  return row;
};

/** Of a time to come: some of it is over on a busy machine. */
const atMost = (seconds: number) => expect.toSatisfy((left: number) => left <= seconds);

/** A row that the sweep of the stack does not take, with the id of its message. */
const takeAside = (stack: TestStack, id: string, attempts = 0) =>
  stack.sql(
    `UPDATE message_scans SET id = message_id, run = 100, attempts = $2, fault = NULL, next_enqueue_at = now() + interval '1 day' WHERE message_id = $1`,
    [id, attempts],
  );

/** As kept, in their order. */
const kept = async (stack: TestStack, id: string) => {
  const rows = await stack.sql<{ scan: string; attempts: number }>(
    'SELECT scan, scan_attempts AS attempts FROM files WHERE message_id = $1 ORDER BY position',
    [id],
  );
  return rows.map(({ scan, attempts }) => [scan, attempts]);
};

const job = (scanId: string) => ({ scanId, municipality: ODENSKOV, run: 100 });

/** Answers every command with these bytes, whatever it is. */
async function standIn(answer: string | undefined) {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', () => answer !== undefined && !socket.writableEnded && socket.end(answer));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: { host: '127.0.0.1', port: (server.address() as AddressInfo).port },
    close: () => server.close(),
  };
}

type Answer = string | 'dies' | Promise<string>;

/** Answers pings, and about each file what `answer` says; with `dies` it answers nothing any more, and nobody listens. */
async function scannerThat(answer: (content: string) => Answer) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    let came = Buffer.alloc(0);
    socket.on('data', async (bytes) => {
      came = Buffer.concat([came, bytes]);
      if (came.equals(Buffer.from('zPING\0'))) socket.end('PONG\0');
      if (!came.subarray(-4).equals(Buffer.alloc(4))) return;
      const said = await answer(came.toString('latin1'));
      if (said === 'dies') close();
      else socket.end(`${said}\0`);
    });
  }).listen(0, '127.0.0.1');
  const close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  await once(server, 'listening');
  return { address: { host: '127.0.0.1', port: (server.address() as AddressInfo).port }, close };
}

const CLEAN = 'stream: OK';
const ERROR = "stream: Can't allocate memory ERROR";

describe.skipIf(!HAS_CLAMD)('with clamd', () => {
  let clamd: OwnClamd;
  let stack: TestStack;
  let parts: Parts;
  beforeAll(async () => {
    clamd = await startClamd(['StreamMaxLength 2M']);
    stack = await startTestStack({ CLAMD_URL: clamd.url, SMALL_CONTENT_BYTES: '4096' });
    parts = await openParts(readConfig(CommonConfig, stack.env), 'by-hand');
  });
  afterAll(async () => {
    await parts.queues.close();
    await parts.store.close();
    await stack.close();
    await clamd.close();
  });

  describe.each(['unix', 'TCP'])('over %s', (kind) => {
    const address = () => addressOf(kind === 'unix' ? clamd.url : clamd.tcpUrl);
    const scanned = (...pieces: Buffer[]) =>
      scan(
        address(),
        (async function* () {
          yield* pieces;
        })(),
        { quietMs: 20_000, signal },
      );

    it.each([
      ['nothing', [], { is: 'clean' }],
      ['an empty piece among others', [Buffer.from('a'), Buffer.alloc(0), Buffer.from(EICAR)], { is: 'clean' }],
      ['1.9 MiB', Array.from({ length: 19 }, () => randomBytes(MiB / 10)), { is: 'clean' }],
      ['EICAR in two pieces', [Buffer.from(EICAR.slice(0, 9)), Buffer.from(EICAR.slice(9))], FOUND],
      ['more than StreamMaxLength', Array.from({ length: 64 }, () => randomBytes(MiB)), { is: 'too-large' }],
      ['an encrypted zip', [encryptedZip()], { is: 'found', name: 'Heuristics.Encrypted.Zip' }],
    ])('it says what it found in %s', async (_what, pieces, answer) => {
      expect(await scanned(...pieces)).toEqual(answer);
    });

    it('answers a ping', async () => {
      await ping(address(), signal);
    });
  });

  it('a letter is there at once, and its file is held until it is clean', async () => {
    clamd.pause();
    const id = await deliverMemo(stack, { subject: 'Straks' });
    const before = await read(stack, id);
    const held = await download(stack, id, filesOf(before)[0]?.id);

    clamd.resume();
    const after = await untilScanned(stack, id);

    expect(before).toMatchObject({ subject: 'Straks', status: 'pending' });
    expect(filesOf(before)).toMatchObject([{ scan: 'waiting', mayOpen: false, fileName: 'besked.txt' }]);
    await expectProblem(held, 409, 'file-held');
    expect(filesOf(after)).toMatchObject([{ scan: 'clean', scanFinding: null, mayOpen: true }]);
    expect(await (await download(stack, id, filesOf(after)[0]?.id)).text()).toBe('Kære kommune. Venlig hilsen');
    expect(after.history.map(({ action }) => action)).toEqual(['accepted', 'files-scanned']);
    expect(after.history.at(-1)?.details).toEqual({ clean: 1, infected: 0, unscannable: 0 });
    expect(await waitingRow(stack, id)).toBeUndefined();
    // What was refused is not told as read.
    expect((await auditOf(stack, { messageId: id })).filter(({ action }) => action === 'read-file')).toHaveLength(1);
  });

  it('what was scanned a moment ago is scanned again at once, when it is asked for', async () => {
    const id = await deliverMemo(stack);
    await untilScanned(stack, id);
    await stack.sql(`UPDATE files SET scan = 'unscannable', scan_finding = 'no-answer' WHERE message_id = $1`, [id]);
    const principal = asSystem(ODENSKOV, { kind: 'system', id: 'scan-again' });
    expect(await scanAgain(parts.store, { principal, id, expectedVersion: undefined, at: new Date() })).toBe(1);
    expect(filesOf(await untilScanned(stack, id))).toMatchObject([{ scan: 'clean', scanFinding: null }]);
  });

  it('the change feed tells that the files are scanned', async () => {
    const id = await deliverMemo(stack);
    await untilScanned(stack, id);
    expect(await stack.sql(`SELECT type, version FROM events WHERE message_id = $1 ORDER BY version`, [id])).toEqual([
      { type: 'accepted', version: 1 },
      { type: 'files-scanned', version: 2 },
    ]);
  });

  it.each([
    ['an infected file', 'faktura.pdf', Buffer.from(EICAR), 'infected', EICAR_SIGNATURE],
    ['a file that is too large', 'stor.bin', randomBytes(3 * MiB), 'unscannable', 'too-large'],
    ['an encrypted zip', 'lukket.zip', encryptedZip(), 'unscannable', 'encrypted'],
  ] as const)('%s is said to be so, and opened only by the role for it', async (_what, name, content, is, finding) => {
    const id = await letterWith(stack, file(name, content, 'application/pdf'));
    const message = await untilScanned(stack, id);

    const [main, attachment] = filesOf(message);
    expect(main).toMatchObject({ scan: 'clean', mayOpen: true });
    expect(attachment).toMatchObject({ scan: is, scanFinding: finding, mayOpen: false });
    await expectProblem(await download(stack, id, attachment?.id), 403, 'file-unsafe');
    expect(await actionsOf(id, 'read-unsafe-file')).toEqual([]);

    expect(filesOf(await read(stack, id, UNSAFE))[1]).toMatchObject({ mayOpen: true });
    const opened = await download(stack, id, attachment?.id, UNSAFE);
    expect(opened.headers.get('content-type')).toBe('application/octet-stream');
    expect(Buffer.from(await opened.arrayBuffer()).equals(content)).toBe(true);
    expect(await actionsOf(id, 'read-unsafe-file')).toEqual([
      { actor: 'sikkerhed-1', role: 'Indbakke.UsikreFiler', details: { fileId: attachment?.id } },
    ]);
  });

  const actionsOf = (id: string, action: string) =>
    stack.sql('SELECT actor, role, details FROM audit_events WHERE message_id = $1 AND action = $2', [id, action]);

  it('opening a clean file with the role for unsafe ones is told like any other', async () => {
    const id = await deliverMemo(stack);
    const [clean] = filesOf(await untilScanned(stack, id));
    expect((await download(stack, id, clean?.id, UNSAFE)).status).toBe(200);
    expect(await actionsOf(id, 'read-unsafe-file')).toEqual([]);
    expect(await actionsOf(id, 'read-file')).toMatchObject([{ role: 'IndkomneDokumenter.SeAlle' }]);
  });

  it('while clamd is down files are held, the metrics tell how long, and its return opens them', async () => {
    await clamd.kill();
    try {
      const id = await deliverMemo(stack);
      await expect.poll(() => waitingRow(stack, id), { timeout: 15_000 }).toMatchObject({ fault: 'no-connection' });
      await stack.sql(`UPDATE message_scans SET since = now() - interval '1 hour' WHERE message_id = $1`, [id]);
      const metrics = await (await fetch(`${stack.operationsUrl}/metrics`)).text();
      expect(metrics).toMatch(/^indbakke_scans_waiting 1$/m);
      expect(Number(/^indbakke_scan_waiting_seconds (.+)$/m.exec(metrics)?.[1])).toBeGreaterThan(3_500);
      const [held] = filesOf(await read(stack, id));
      await expectProblem(await download(stack, id, held?.id), 409, 'file-held');

      await clamd.start();

      expect(scansOf(await untilScanned(stack, id))).toEqual(['clean']);
    } finally {
      await clamd.kill();
      await clamd.start();
    }
  });

  it('a clamd that accepts connections and never answers is down too', async () => {
    const id = await deliverMemo(stack);
    await takeAside(stack, id);
    clamd.pause();
    try {
      await createScanMessageHandler({ ...parts, clamd: addressOf(clamd.url), quietMs: 100 })(job(id), {
        signal,
      });
    } finally {
      clamd.resume();
    }
    expect(await waitingRow(stack, id)).toMatchObject({ fault: 'no-answer', attempts: 1 });
    expect(scansOf(await read(stack, id))).toEqual(['waiting']);
  });

  it('a process killed when the files are scanned leaves them held; the next one scans them, and the message says so once', async () => {
    const id = await letterWith(stack, file('x', Buffer.from(EICAR)));
    await takeAside(stack, id);
    const scanBy = async (point: string) => {
      const child = fork(SCANNER, [id, ODENSKOV, '100', point], {
        env: { ...process.env, ...stack.env },
        execArgv: [],
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      });
      const [code, killed] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
      return killed ?? code;
    };

    expect(await scanBy('file-scanned')).toBe('SIGKILL');
    expect(scansOf(await read(stack, id))).toEqual(['waiting', 'waiting']);
    expect(await waitingRow(stack, id)).toMatchObject({ run: 100 });

    await stack.sql('UPDATE message_scans SET next_enqueue_at = now() WHERE message_id = $1', [id]);
    const message = await untilScanned(stack, id);
    expect(scansOf(message)).toEqual(['clean', 'infected']);
    expect(message.history.map(({ action }) => action)).toEqual(['accepted', 'files-scanned']);
    expect(await scanBy('file-scanned')).toBe(0);
  });

  it('a deleted message has nothing to scan, and a scan that was under way writes nothing', async () => {
    const id = await deliverMemo(stack);
    await takeAside(stack, id);
    const scanned = crashPointPassed('file-scanned');
    clamd.pause();
    const running = createScanMessageHandler({ ...parts, clamd: addressOf(clamd.url) })(job(id), {
      signal,
    });
    await change(stack, 'POST', `${id}/rejection`, {
      version: 1,
      body: { reason: 'wrong-municipality', explanation: 'Hører til i nabokommunen.' },
    });
    await change(stack, 'POST', `${id}/deletion`, { version: 2, body: DELETION });
    clamd.resume();
    await Promise.all([scanned, running]);

    expect(await waitingRow(stack, id)).toBeUndefined();
    expect(await stack.sql('SELECT FROM files WHERE message_id = $1', [id])).toEqual([]);
    expect(await stack.sql(`SELECT FROM events WHERE message_id = $1 AND type = 'files-scanned'`, [id])).toEqual([]);
  });

  it('content that cannot be read is unscannable', async () => {
    const id = await letterWith(stack, file('x', randomBytes(10_000)));
    await takeAside(stack, id);
    await stack.sql(`UPDATE files SET container_offset = container_offset + 1 WHERE message_id = $1`, [id]);
    await createScanMessageHandler({ ...parts, clamd: addressOf(clamd.url) })(job(id), { signal });
    expect(filesOf(await read(stack, id))).toMatchObject([
      { scan: 'unscannable', scanFinding: 'content-unreadable' },
      { scan: 'unscannable', scanFinding: 'content-unreadable' },
    ]);
  });

  describe('that lets files pass while it is down', () => {
    let passing: TestStack;
    let own: OwnClamd;
    beforeEach(async () => {
      own = await startClamd();
      await own.kill();
      passing = await startTestStack({ CLAMD_URL: own.url, SCAN_DOWN: 'let-pass' });
    });
    afterEach(async () => {
      await passing.close();
      await own.close();
    });

    it('they are opened unscanned, and scanned when it is back; then zips with an infected one are gone', async () => {
      const id = await letterWith(passing, file('x', Buffer.from(EICAR)));
      const passed = await askUntil(
        () => read(passing, id),
        (message) => scansOf(message).every((each) => each === 'not-scanned'),
      );
      expect(filesOf(passed)).toMatchObject([{ mayOpen: true }, { mayOpen: true }]);
      expect(passed.history.at(-1)).toMatchObject({ action: 'files-let-pass', details: { files: 2 } });
      expect((await download(passing, id, filesOf(passed)[1]?.id)).status).toBe(200);
      const created = await passing.call('POST', '/zip-downloads', { body: { items: [id] } });
      const { id: zipId } = (await created.json()) as { id: string };
      const zip = async () => {
        const response = await passing.call('GET', `/zip-downloads/${zipId}`);
        return response.status === 404 ? 'gone' : ((await response.json()) as { status: string }).status;
      };
      await expect.poll(zip, { timeout: 15_000 }).toBe('ready');

      await own.start();

      expect(scansOf(await untilScanned(passing, id))).toEqual(['clean', 'infected']);
      expect(await zip()).toBe('gone');
      await expectProblem(await download(passing, id, filesOf(passed)[1]?.id), 403, 'file-unsafe');
    });
  });
});

describe('with a scanner that does not do as it should', () => {
  let stack: TestStack;
  let parts: Parts;
  beforeAll(async () => {
    stack = await startTestStack({ CLAMD_URL: 'tcp://127.0.0.1:1', SMALL_CONTENT_BYTES: '4096' });
    parts = await openParts(readConfig(CommonConfig, stack.env), 'by-hand');
  });
  afterAll(async () => {
    await parts.queues.close();
    await parts.store.close();
    await stack.close();
  });

  it.each([
    ['nonsense', 'HTTP/1.1 400 Bad Request\r\n\r\n\0', { fault: 'wrong-answer', attempts: 6 }],
    ['OK of something else', 'other: OK\0', { fault: 'wrong-answer', attempts: 6 }],
    ['OK and more', 'stream: OK but\0', { fault: 'wrong-answer', attempts: 6 }],
    ['half of an answer', 'stream: OK', { fault: 'no-answer', attempts: 6 }],
    ['no end', 'x'.repeat(100_000), { fault: 'wrong-answer', attempts: 6 }],
    ['nothing, of any file', undefined, { fault: 'no-answer', attempts: 6 }],
  ])('%s counts as no scanner, however often it comes', async (_what, answer, row) => {
    const server = await standIn(answer);
    const id = await deliverMemo(stack);
    await takeAside(stack, id, 5);
    await createScanMessageHandler({ ...parts, clamd: server.address, quietMs: 200 })(job(id), { signal });
    server.close();
    expect(await waitingRow(stack, id)).toMatchObject(row);
    expect(scansOf(await read(stack, id))).toEqual(['waiting']);
  });

  const handlerOf = (address: ClamdAddress, options: Partial<ScanParts> = {}) => {
    const handle = createScanMessageHandler({ ...parts, ...options, clamd: address });
    return (id: string) => handle(job(id), { signal });
  };

  /** One attempt, with a scanner of its own. */
  async function scanOnce(id: string, answer: (content: string) => Answer, options?: Partial<ScanParts>) {
    const scanner = await scannerThat(answer);
    await handlerOf(scanner.address, options)(id);
    scanner.close();
  }

  const waitingLetter = async (...contents: string[]) => {
    const attachments = contents.map((content, at) => ({ files: [file(`bilag-${at}`, Buffer.from(content))] }));
    const id = await deliverMemo(stack, { documents: [textDocument('Se bilagene.'), ...attachments] });
    await takeAside(stack, id);
    return id;
  };

  it('what it found before it died is kept, and only what it said nothing of is let pass', async () => {
    const id = await waitingLetter('skadelig', 'BOOM', 'sidste');
    const answer = (content: string) =>
      content.includes('BOOM') ? 'dies' : content.includes('skadelig') ? 'stream: Own.Test FOUND' : CLEAN;

    await scanOnce(id, answer, { scanning: { isOn: true, letsPass: true } });

    expect(await kept(stack, id)).toEqual([
      ['clean', 0],
      ['infected', 0],
      ['let-pass', 1],
      ['let-pass', 0],
    ]);
    expect(await waitingRow(stack, id)).toMatchObject({ fault: 'no-connection', attempts: 1 });
  });

  it('a file that kills it is unscannable after the fourth time, and the other files of the letter are scanned', async () => {
    const id = await waitingLetter('BOOM', 'sidste');
    const answer = (content: string) => (content.includes('BOOM') ? 'dies' : CLEAN);
    await scanOnce(id, answer);
    expect(await kept(stack, id)).toEqual([
      ['clean', 0],
      ['waiting', 1],
      ['waiting', 0],
    ]);
    await scanOnce(id, answer);
    await scanOnce(id, answer);
    expect(await kept(stack, id)).toEqual([
      ['clean', 0],
      ['waiting', 3],
      ['clean', 0],
    ]);

    await scanOnce(id, answer);

    const message = await read(stack, id);
    expect(filesOf(message)[1]).toMatchObject({ scan: 'unscannable', scanFinding: 'no-answer' });
    expect(message.history.at(-1)).toMatchObject({
      action: 'files-scanned',
      details: { clean: 2, infected: 0, unscannable: 1 },
    });
    expect(await waitingRow(stack, id)).toBeUndefined();
  });

  it('of the files that it has failed at one is scanned at a time, and others meanwhile', async () => {
    const [first, second, other] = [await waitingLetter(), await waitingLetter(), await waitingLetter('andet')];
    await stack.sql('UPDATE files SET scan_attempts = 1 WHERE message_id = ANY ($1::uuid[])', [[first, second]]);
    const events = new EventEmitter();
    let files = 0;
    const scanner = await scannerThat(async () => {
      files += 1;
      if (files === 1) {
        events.emit('begun');
        await once(events, 'told');
      }
      return CLEAN;
    });
    const handle = handlerOf(scanner.address);
    const begun = once(events, 'begun');
    const running = handle(first);
    await begun;

    await handle(second);
    await handle(other);
    expect((await kept(stack, other)).map(([scan]) => scan)).toEqual(['clean', 'clean']);
    expect(await kept(stack, second)).toEqual([['waiting', 1]]);
    expect(await waitingRow(stack, second)).toMatchObject({ attempts: 0, fault: null, seconds: atMost(10) });
    events.emit('told');
    await running;
    expect(await kept(stack, first)).toEqual([['clean', 1]]);
    scanner.close();
  });

  it('an error about a file leaves it waiting three times, and unscannable at the fourth', async () => {
    const id = await waitingLetter();
    for (const [attempts, seconds] of [
      [1, 5],
      [2, 60],
      [3, 60],
    ]) {
      await scanOnce(id, () => ERROR);
      expect(await kept(stack, id)).toEqual([['waiting', attempts]]);
      expect(await waitingRow(stack, id)).toMatchObject({ fault: 'scanner-error', attempts, seconds });
    }
    await scanOnce(id, () => ERROR);
    expect(filesOf(await read(stack, id))).toMatchObject([{ scan: 'unscannable', scanFinding: 'scanner-error' }]);
  });

  it('an outage counts against no file', async () => {
    const id = await waitingLetter();
    for (let outage = 0; outage < 9; outage += 1) await handlerOf({ host: '127.0.0.1', port: 1 })(id);
    expect(await waitingRow(stack, id)).toMatchObject({ fault: 'no-connection', attempts: 9 });
    await scanOnce(id, () => ERROR);
    expect(await kept(stack, id)).toEqual([['waiting', 1]]);
  });

  it('what failed before a file comes counts no more', async () => {
    const id = await waitingLetter();
    await stack.sql(`UPDATE message_scans SET attempts = 9, fault = 'no-connection' WHERE message_id = $1`, [id]);
    const at = new Date(Date.now() + 86_400_000);
    await parts.store.withTenantConnection(ODENSKOV, (connection) =>
      requestScan(connection, { id, municipality: ODENSKOV, at }),
    );
    expect(await waitingRow(stack, id)).toMatchObject({ run: 101, fault: null, attempts: 0 });
  });

  it('a run whose time is over ends, and the next one goes on', async () => {
    const id = await waitingLetter('et', 'to');
    await scanOnce(id, () => CLEAN, { budgetMs: 0 });
    expect((await kept(stack, id)).map(([scan]) => scan)).toEqual(['clean', 'waiting', 'waiting']);
    const row = await waitingRow(stack, id);
    expect(row).toMatchObject({ fault: null, attempts: 0 });
    expect(row?.seconds).toBeLessThanOrEqual(0);

    const asked: string[] = [];
    await takeAside(stack, id);
    await scanOnce(id, (content) => {
      asked.push(content);
      return CLEAN;
    });
    expect(asked).toHaveLength(2);
    expect((await read(stack, id)).history.map(({ action }) => action)).toEqual(['accepted', 'files-scanned']);
  });

  it.each([
    ['with a space in it', 'Some name (not ours)', 'Some?name?(not?ours)'],
    ['that is long', 'A'.repeat(20_000), 'A'.repeat(128)],
    ['that looks like another answer', 'stream: OK', 'stream:?OK'],
    ['that is empty', '', '?'],
  ])('malware by a name %s is found', async (_what, name, finding) => {
    const id = await waitingLetter();
    await scanOnce(id, () => `stream: ${name} FOUND`);
    expect(filesOf(await read(stack, id))).toMatchObject([{ scan: 'infected', scanFinding: finding }]);
  });

  const container = async (id: string) => {
    const [row] = await stack.sql<{ name: string }>('SELECT blob_name AS name FROM messages WHERE id = $1', [id]);
    return join(stack.contentFolder, row?.name.slice(0, 2) ?? '', row?.name ?? '');
  };

  it('content that is not in the store is waited for', async () => {
    const id = await waitingLetter('x'.repeat(10_000));
    const path = await container(id);
    await rename(path, `${path}-away`);
    await scanOnce(id, () => CLEAN);
    expect(await waitingRow(stack, id)).toMatchObject({
      fault: 'content-unavailable',
      attempts: 1,
      seconds: atMost(5),
    });
    expect((await kept(stack, id)).map(([scan]) => scan)).toEqual(['waiting', 'waiting']);

    await rename(`${path}-away`, path);
    await scanOnce(id, () => CLEAN);
    expect((await kept(stack, id)).map(([scan]) => scan)).toEqual(['clean', 'clean']);
  });

  it('content that the store cannot read is tried again soon, and the row says whose fault it is', async () => {
    const id = await waitingLetter('x'.repeat(10_000));
    const path = await container(id);
    await rename(path, `${path}-away`);
    await mkdir(path);
    await scanOnce(id, () => CLEAN, { scanning: { isOn: true, letsPass: true } });
    expect(await waitingRow(stack, id)).toMatchObject({ fault: 'own-fault', attempts: 1, seconds: atMost(5) });
    expect((await kept(stack, id)).map(([scan]) => scan)).toEqual(['waiting', 'waiting']);

    await rmdir(path);
    await rename(`${path}-away`, path);
    await scanOnce(id, () => CLEAN);
    expect((await kept(stack, id)).map(([scan]) => scan)).toEqual(['clean', 'clean']);
  });

  it('an aborted scan fails with the reason, and changes nothing', async () => {
    const server = await standIn(undefined);
    const id = await deliverMemo(stack);
    await takeAside(stack, id);
    const stop = new AbortController();
    const running = createScanMessageHandler({ ...parts, clamd: server.address })(job(id), { signal: stop.signal });
    stop.abort(new Error('shutdown'));
    await expect(running).rejects.toThrow('shutdown');
    server.close();
    expect(await waitingRow(stack, id)).toMatchObject({ attempts: 0, fault: null });
  });

  it('nobody there is told apart from a wrong answer', async () => {
    const nobody = scan({ host: '127.0.0.1', port: 1 }, (async function* () {})(), { quietMs: 1_000, signal });
    await expect(nobody).rejects.toMatchObject({ code: 'no-connection' });
    await expect(nobody).rejects.toBeInstanceOf(ClamdAway);
  });
});

it('while scanning is off, intake asks for no scan, and files are open', async () => {
  const stack = await startTestStack();
  try {
    const id = await deliverMemo(stack);
    expect(await stack.sql('SELECT scan FROM files WHERE message_id = $1', [id])).toEqual([{ scan: null }]);
    expect(await stack.sql('SELECT FROM message_scans')).toEqual([]);
    const message = await read(stack, id);
    expect(filesOf(message)).toMatchObject([{ scan: 'not-scanned', mayOpen: true }]);
    expect((await download(stack, id, filesOf(message)[0]?.id)).status).toBe(200);
  } finally {
    await stack.close();
  }
});
