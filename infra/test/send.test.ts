import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { statePaths, writeLocalStack } from '../src/local/state.js';
import { launchCommand } from '../src/testkit/command.js';
import { startTestStack, type TestStack } from '../src/testkit/stack.js';
import { type MemoSpec, streamMemo, writeMemo } from '../src/testkit/write-memo.js';

// @module-tag long

const repository = fileURLToPath(new URL('../..', import.meta.url));

let stack: TestStack;
let folder: string;

beforeAll(async () => {
  stack = await startTestStack({ MAX_MESSAGE_BYTES: '20000000' });
  folder = await mkdtemp(join(tmpdir(), 'indbakke-send-'));
  // As npm start does: this process runs the stack.
  writeLocalStack(statePaths({ STATE_DIR: folder }), stack.url);
});

afterAll(async () => {
  await stack.close();
  await rm(folder, { recursive: true });
});

interface Result {
  readonly status: number | null;
  /** Standard output: the fields of each line. */
  readonly lines: string[][];
  readonly errors: string;
}

async function send(args: string[], env: Record<string, string> = {}): Promise<Result> {
  const { status, output, errors } = await launchCommand('send', args, { STATE_DIR: folder, ...env }).ended;
  const lines = output.split('\n').filter((line) => line !== '');
  return { status, lines: lines.map((line) => line.split('\t')), errors };
}

async function fileOf(memo: MemoSpec | Buffer, name = 'memo.xml'): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, Buffer.isBuffer(memo) ? memo : writeMemo(memo));
  return path;
}

const transmissionIds = (messageUUID: string) =>
  stack.sql('SELECT transmission_id FROM messages WHERE external_id = $1', [messageUUID]);

describe.each([[[]], [['--soap']]])('npm run send -- FILE… %s', (options: string[]) => {
  test('delivers to the local stack and prints a line of fields per file', async () => {
    const [first, second] = [randomUUID(), randomUUID()];
    const files = [
      await fileOf({ messageUUID: first }, 'first.xml'),
      await fileOf({ messageUUID: second }, 'second memo.xml'),
    ];
    const { status, lines, errors } = await send([...files, ...options]);
    expect(errors).toBe('');
    expect(status).toBe(0);
    expect(lines).toHaveLength(2);
    for (const [index, messageUUID] of [first, second].entries()) {
      const [row] = await transmissionIds(messageUUID);
      expect(lines[index]).toEqual([
        files[index],
        'COMPLETED',
        messageUUID,
        row?.transmission_id,
        expect.stringMatching(/^20\d\d-.*Z$/),
        expect.stringMatching(/^\d+\.\d\d$/),
        '-',
      ]);
    }
  });

  test('prints code and sentence of a refusal, goes on with the next file and exits with 1', async () => {
    const refused = await fileOf({ recipient: { id: '99999999' } }, 'refused.xml');
    const messageUUID = randomUUID();
    const good = await fileOf({ messageUUID }, 'good.xml');
    const { status, lines } = await send([refused, good, ...options]);
    expect(status).toBe(1);
    expect(lines.map((fields) => fields[1])).toEqual(['NOT_ALLOWED', 'COMPLETED']);
    expect(lines[0]?.[6]).toMatch(/^not-our-recipient: The message .*recipientID\)$/);
    expect(lines[0]?.[3]).toMatch(/^[0-9a-f-]{36}$/);
    expect(await transmissionIds(messageUUID)).toHaveLength(1);
  });

  test('delivers a file with a byte order mark, and one without an XML declaration', async () => {
    const [marked, bare] = [randomUUID(), randomUUID()];
    const files = [
      await fileOf(Buffer.concat([Buffer.from('\ufeff'), writeMemo({ messageUUID: marked })]), 'marked.xml'),
      await fileOf(writeMemo({ messageUUID: bare }).subarray('<?xml version="1.0" encoding="UTF-8"?>\n'.length)),
    ];
    const { status, lines } = await send([...files, ...options]);
    expect(lines.map((fields) => fields.slice(1, 3))).toEqual([
      ['COMPLETED', marked],
      ['COMPLETED', bare],
    ]);
    expect(status).toBe(0);
  });

  test.each<[name: string, bytes: Buffer]>([
    ['of another encoding', Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><a>\xe6</a>', 'latin1')],
    ['in UTF-16', Buffer.from('\ufeff<a/>', 'utf16le')],
  ])('lets the receiver refuse a file %s', async (_name, bytes) => {
    const { status, lines } = await send([await fileOf(bytes), ...options]);
    expect(lines[0]?.[1]).toBe('INVALID');
    expect(lines[0]?.[6]).toMatch(/^not-utf8: /);
    expect(status).toBe(1);
  });

  test('reports the progress of a large file on standard error', async () => {
    const messageUUID = randomUUID();
    const file = join(folder, 'large.xml');
    const content = Buffer.alloc(6_000_000, 'brev');
    const documents = [{ files: [{ name: 'stor.txt', type: 'text/plain', content }] }];
    await pipeline(streamMemo({ messageUUID, documents }), createWriteStream(file));
    const { status, lines, errors } = await send([file, ...options]);
    expect(lines[0]?.slice(1, 3)).toEqual(['COMPLETED', messageUUID]);
    expect(status).toBe(0);
    expect(errors.match(/\d+ %/g)).toEqual(['25 %', '50 %', '75 %', '100 %']);
    expect(errors).toContain('of 8.0 MB sent');
  });

  test('reports a file over the limit, although the answer comes before all of it is sent', async () => {
    const file = await fileOf(Buffer.alloc(30_000_000, ' '), 'too-large.xml');
    const { status, lines } = await send([file, ...options]);
    expect(lines[0]?.[6]).toMatch(/^too-large: /);
    expect(status).toBe(1);
  });
});

describe('npm run send', () => {
  test('delivers to another address with --url', async () => {
    const messageUUID = randomUUID();
    const file = await fileOf({ messageUUID });
    const { status, lines } = await send([file, '--url', `${stack.url}/`], { STATE_DIR: join(folder, 'none') });
    expect(lines[0]?.slice(1, 3)).toEqual(['COMPLETED', messageUUID]);
    expect(status).toBe(0);
  });

  test('resolves a file name from the folder that npm was called in', async () => {
    const file = await fileOf({});
    const { lines } = await send([basename(file)], { INIT_CWD: dirname(file) });
    expect(lines[0]?.slice(0, 2)).toEqual([basename(file), 'COMPLETED']);
  });

  test('says that no stack runs here and how to start one', async () => {
    const { status, lines, errors } = await send([await fileOf({})], { STATE_DIR: join(folder, 'none') });
    expect(errors).toBe('Indbakke is not running here. Start it with npm start, or name another one with --url.\n');
    expect(lines).toEqual([]);
    expect(status).toBe(1);
  });

  test.each<[name: string, args: string[], sentence: string]>([
    ['no file', [], 'Name the files to send.'],
    ['a missing file', ['missing.xml'], 'There is no file missing.xml. Nothing was sent.'],
    ['a folder', ['docs'], 'docs is a folder; name the files in it. Nothing was sent.'],
    ['an unknown option', ['--fast'], "Unknown option '--fast'"],
    [
      'an invalid URL',
      ['package.json', '--url', 'localhost:8080'],
      'localhost:8080 is not a URL such as http://localhost:8080.',
    ],
    ['a document over SOAP', ['--document', 'package.json', '--soap'], '--document takes only --case beside it.'],
    ['a case of a MeMo', ['package.json', '--case', randomUUID()], '--case goes with --document'],
    ['a case that is no UUID', ['--document', 'package.json', '--case', 'BF-1'], '--case must be a UUID'],
    ['a missing document', ['--document', 'missing.pdf'], 'There is no file missing.pdf. Nothing was sent.'],
  ])('explains the error: %s', async (_name, args, sentence) => {
    const { status, lines, errors } = await send(args, { INIT_CWD: repository });
    expect(errors).toContain(sentence);
    expect(errors).toContain('npm run send -- FILE…');
    expect(lines).toEqual([]);
    expect(status).toBe(1);
  });

  test('says that the stack here has no stand-in for Fordelingskomponenten', async () => {
    const { status, errors } = await send(['--document', await fileOf({})]);
    expect(errors).toMatch(/^The Indbakke running here has no stand-in for Fordelingskomponenten: .+\n$/);
    expect(status).toBe(1);
  });

  test.each(['soap', 'url', 'document', 'case'])('stops when npm took --%s, as it does without --', async (option) => {
    const { status, lines, errors } = await send([await fileOf({})], { [`npm_config_${option}`]: 'true' });
    expect(errors).toBe(
      `npm took --${option} for itself. Put -- before the options of this command: npm run send -- …\n`,
    );
    expect(lines).toEqual([]);
    expect(status).toBe(1);
  });

  test.each([[[]], [['--soap']]])(
    'prints FAILED and the ids of a receipt that asks to retry %s',
    async (options: string[]) => {
      const receipt = {
        transmissionId: 'a-b',
        receiptStatus: 'INVALID',
        errorCode: 'send-again',
        errorMessage: 'Later.',
      };
      const fields = Object.entries(receipt).map(([name, value]) => `<${name}>${value}</${name}>`);
      const server = createServer((req, res) => {
        req.resume();
        if (req.url?.endsWith('soap')) res.writeHead(500).end(`<Fault>${fields.join('')}</Fault>`);
        else res.writeHead(503).end(JSON.stringify(receipt));
      });
      await once(server.listen(0, '127.0.0.1'), 'listening');
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const { status, lines } = await send([await fileOf({}), '--url', url, ...options]);
      server.close();
      expect(lines[0]?.slice(1, 4)).toEqual(['FAILED', '-', 'a-b']);
      expect(lines[0]?.[6]).toBe('send-again: Later.');
      expect(status).toBe(1);
    },
  );

  test('prints FAILED when nothing answers, or another server does', async () => {
    const server = createServer((_req, res) => res.writeHead(404).end('<h1>Not here</h1>'));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const file = await fileOf({});
    const answered = await send([file, '--soap', '--url', url]);
    server.close();
    await once(server, 'close');
    const silent = await send([file, '--url', url]);

    expect(answered.lines[0]?.slice(1, 5)).toEqual(['FAILED', '-', '-', '-']);
    expect(answered.lines[0]?.[6]).toContain('HTTP 404 without a receipt');
    expect(silent.lines[0]?.[6]).toContain('ECONNREFUSED');
    expect([answered.status, silent.status]).toEqual([1, 1]);
  });
});
