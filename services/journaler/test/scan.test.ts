import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type ClamdAddress, CommonConfig, readClamdUrl, readConfig } from '@indbakke/shared/config';
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
  const [row] = await stack.sql<{ attempts: number; fault: string | null; run: number }>(
    'SELECT attempts, fault, run FROM message_scans WHERE message_id = $1',
    [id],
  );
  return row;
};

/** A row that the sweep of the stack does not take. */
const takeAside = (stack: TestStack, id: string, attempts = 0) =>
  stack.sql(
    `UPDATE message_scans SET run = 100, attempts = $2, next_enqueue_at = now() + interval '1 day' WHERE message_id = $1`,
    [id, attempts],
  );

const job = (messageId: string) => ({ messageId, municipality: ODENSKOV, run: 100 });

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
    stack = await startTestStack({ CLAMD_URL: 'tcp://127.0.0.1:1' });
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
    ['no end', 'x'.repeat(5_000), { fault: 'wrong-answer', attempts: 6 }],
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

  it.each([
    [1, ['waiting']],
    [6, ['unscannable']],
  ])('an error about a file, for the %i. time, leaves it %j', async (attempt, scans) => {
    const server = await standIn("stream: Can't allocate memory ERROR\0");
    const id = await deliverMemo(stack);
    await takeAside(stack, id, attempt - 1);
    await createScanMessageHandler({ ...parts, clamd: server.address })(job(id), { signal });
    server.close();
    expect(scansOf(await read(stack, id))).toEqual(scans);
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
