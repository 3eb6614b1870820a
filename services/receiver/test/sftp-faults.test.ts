import { once } from 'node:events';
import { appendFile, readdir, rename, unlink, utimes, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { GiB, KiB, MiB } from '@indbakke/shared/config';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../../infra/src/local/free-port.js';
import {
  type FaultySftpServer,
  type Misbehaviour,
  type SftpRequest,
  startFaultySftpServer,
} from '../../../infra/src/testkit/sftp-server.js';
import { type ByteSink, type SftpSettings, withSftp } from '../src/sf2900/sftp/session.js';

const CONTENT = Buffer.alloc(300 * KiB, 'indhold ');
const LIMIT = { maxBytes: 128 * MiB };
const NOWHERE: ByteSink = { write: () => undefined };

let server: FaultySftpServer;
let settings: SftpSettings;

beforeAll(async () => {
  server = await startFaultySftpServer();
  settings = { ...server, idleSeconds: 20 };
});

afterAll(() => server.close());

beforeEach(async () => {
  server.behave();
  await fill(server);
  for (const name of await out()) await unlink(join(server.folder, 'OUT', name));
});

/** Of the file that each test finds. */
const AS_IT_IS = { size: CONTENT.length, modifiedAt: new Date('2026-01-15T09:30:00Z') };
const fill = async ({ folder }: FaultySftpServer) => {
  const path = join(folder, 'IN', 'fil');
  await writeFile(path, CONTENT);
  await utimes(path, AS_IT_IS.modifiedAt, AS_IT_IS.modifiedAt);
};
const there = (name: string) => join(server.folder, 'IN', name);
const out = () => readdir(join(server.folder, 'OUT'));
const download = (given = settings, into = NOWHERE, name = 'fil') =>
  withSftp(given, (session) => session.download('/IN', name, LIMIT, into));
const upload = (given = settings) => withSftp(given, (session) => session.upload('/OUT', 'svar', content()));
const remove = (given = settings) => withSftp(given, (session) => session.remove('/IN', 'fil', AS_IT_IS));

async function* content() {
  yield CONTENT;
}

/** Every request of every call, and how far into the file. */
const REQUESTS = [
  { call: download, does: 'status', at: 0 },
  { call: download, does: 'open', at: 0 },
  { call: download, does: 'read', at: 0 },
  { call: download, does: 'read', at: 128 * KiB },
  { call: download, does: 'close', at: 0 },
  { call: upload, does: 'status', at: 0 },
  { call: upload, does: 'open', at: 0 },
  { call: upload, does: 'write', at: 0 },
  { call: upload, does: 'write', at: 128 * KiB },
  { call: upload, does: 'close', at: 0 },
  { call: upload, does: 'rename', at: 0 },
  { call: remove, does: 'remove', at: 0 },
] as const;

const misbehaveAt = (does: SftpRequest['does'], misbehaviour: Misbehaviour, at = 0, of = server) =>
  of.obey((request) => (request.does === does && request.at >= at ? misbehaviour : undefined));

it('serves and takes files, when it behaves', async () => {
  const pieces: Buffer[] = [];
  await download(settings, { write: (bytes) => void pieces.push(Buffer.from(bytes)) });
  expect(Buffer.concat(pieces).equals(CONTENT)).toBe(true);
  await upload();
  expect(await out()).toEqual(['svar']);
  await expect(upload()).rejects.toMatchObject({ code: 'exists' });
  await remove();
  expect(await readdir(join(server.folder, 'IN'))).toEqual([]);
});

/** The faults of each call of REQUESTS, with a server of its own that misbehaves there. */
async function faultsOf(misbehaviour: Misbehaviour, idleSeconds: number): Promise<unknown[]> {
  return Promise.all(
    REQUESTS.map(async ({ call, does, at }) => {
      const own = await startFaultySftpServer();
      await fill(own);
      misbehaveAt(does, misbehaviour, at, own);
      const fault = await call({ ...own, idleSeconds }).catch((error) => error.code);
      await own.close();
      return { call: call.name, does, at, fault };
    }),
  );
}

const CUT = REQUESTS.map(({ call, does, at }) => ({ call: call.name, does, at, fault: 'cut' }));

it('gives up when the server stands still, at whatever it does', async () => {
  expect(await faultsOf('hang', 1.5)).toEqual(CUT);
});

it('notices when the server cuts the connection, at whatever it does', async () => {
  expect(await faultsOf('cut', 20)).toEqual(CUT);
});

it('waits for its own store for longer than for the server', async () => {
  await writeFile(there('hænger'), CONTENT);
  server.obey(({ path }) => (path.endsWith('hænger') ? 'hang' : undefined));
  let times = 0;
  const slow = {
    async write() {
      if (times++ > 0) return;
      const hanging = download({ ...settings, idleSeconds: 1.5 }, NOWHERE, 'hænger');
      await expect(hanging).rejects.toMatchObject({ code: 'cut' });
    },
  };
  await expect(download({ ...settings, idleSeconds: 1 }, slow)).resolves.toMatchObject(AS_IT_IS);
});

it('says that the server refuses', async () => {
  for (const does of ['status', 'open', 'read'] as const) {
    misbehaveAt(does, 'refuse');
    await expect(download()).rejects.toMatchObject({ code: 'refused', again: true });
  }
  misbehaveAt('write', 'refuse');
  await expect(upload()).rejects.toMatchObject({ code: 'refused' });
  misbehaveAt('remove', 'refuse');
  await expect(remove()).rejects.toMatchObject({ code: 'refused' });
});

it('says that the server fails', async () => {
  for (const does of ['status', 'open'] as const) {
    misbehaveAt(does, 'fail');
    await expect(download()).rejects.toMatchObject({ code: 'failed' });
    await expect(upload()).rejects.toMatchObject({ code: 'failed' });
  }
  misbehaveAt('read', 'fail', 128 * KiB);
  await expect(download()).rejects.toMatchObject({ code: 'failed', again: true });
  misbehaveAt('remove', 'fail');
  await expect(remove()).rejects.toMatchObject({ code: 'failed' });
});

it('says that the server has no room, and removes what it wrote', async () => {
  misbehaveAt('write', 'fail', 128 * KiB);
  await expect(upload()).rejects.toMatchObject({ code: 'no-room', again: true });
  expect(await out()).toEqual([]);
});

it('writes over what a cut upload left', async () => {
  misbehaveAt('write', 'cut', 128 * KiB);
  await expect(upload()).rejects.toMatchObject({ code: 'cut' });
  expect((await out()).length).toBe(1);
  server.behave();
  await upload();
  expect(await out()).toEqual(['svar']);
});

it('keeps no upload of which the server says another size', async () => {
  server.obey(({ does }) => void (does === 'close' && server.pretend({ size: 7, zeros: 7 })));
  await expect(upload()).rejects.toMatchObject({ code: 'failed' });
  expect(await out()).toEqual([]);
});

it('refuses a file of 10 GB before it reads', async () => {
  server.pretend({ size: 10 * GiB, zeros: 10 * GiB });
  await expect(download()).rejects.toMatchObject({ code: 'too-large', again: false });
  expect(server.requests.map(({ does }) => does)).toEqual(['status']);
});

it('stops where a file should have ended, with flat memory', { tags: 'long' }, async () => {
  server.pretend({ size: LIMIT.maxBytes, zeros: Number.POSITIVE_INFINITY });
  let bytes = 0;
  let most = 0;
  const before = process.memoryUsage().rss;
  const into = {
    write(piece: Buffer) {
      bytes += piece.length;
      most = Math.max(most, process.memoryUsage().rss);
      return undefined;
    },
  };
  await expect(download(settings, into)).rejects.toMatchObject({ code: 'changed' });
  expect(bytes).toBe(LIMIT.maxBytes);
  expect(most - before).toBeLessThan(64 * MiB);
});

it('takes no file of another size than the server says', async () => {
  server.pretend({ size: 200_000, zeros: 100_000 });
  await expect(download()).rejects.toMatchObject({ code: 'changed', again: true });
  server.pretend({ size: 100_000, zeros: 100_001 });
  await expect(download()).rejects.toMatchObject({ code: 'changed' });
});

describe('while a file is read', () => {
  /** Does it once, between two reads. */
  const meanwhile = (change: () => Promise<void>) => {
    let isDone = false;
    server.obey(async ({ does, at }) => {
      if (does !== 'read' || at === 0 || isDone) return undefined;
      isDone = true;
      await change();
      return undefined;
    });
  };

  it('notices that it grows', async () => {
    meanwhile(() => appendFile(there('fil'), 'mere'));
    await expect(download()).rejects.toMatchObject({ code: 'changed' });
  });

  it('notices that another one of the same size takes its name', async () => {
    await writeFile(there('anden'), Buffer.alloc(CONTENT.length));
    await utimes(there('anden'), 1_790_000_000, 1_790_000_000);
    meanwhile(() => rename(there('anden'), there('fil')));
    await expect(download()).rejects.toMatchObject({ code: 'changed' });
  });

  it('notices that it goes away', async () => {
    meanwhile(() => unlink(there('fil')));
    await expect(download()).rejects.toMatchObject({ code: 'not-there' });
  });
});

describe('without a good connection', () => {
  const sockets = new Set<Socket>();

  async function listen(onConnection: (socket: Socket) => void): Promise<{ port: number; close(): Promise<void> }> {
    const listener = createServer((socket) => {
      sockets.add(socket.on('error', () => {}));
      onConnection(socket);
    });
    await once(listener.listen(0, '127.0.0.1'), 'listening');
    return {
      port: (listener.address() as AddressInfo).port,
      async close() {
        for (const socket of sockets) socket.destroy();
        listener.close();
        await once(listener, 'close');
      },
    };
  }
  const reach = (given: Partial<SftpSettings>) =>
    withSftp({ ...settings, ...given }, (session) => session.remove('/IN', 'fil', AS_IT_IS));
  const CANNOT = { code: 'cannot-connect', again: true };

  it('says so where nobody listens, and where the name is unknown', async () => {
    await expect(reach({ port: await freePort() })).rejects.toMatchObject(CANNOT);
    await expect(reach({ host: 'sftp.invalid' })).rejects.toMatchObject(CANNOT);
  });

  it('says so of a server that says nothing, no more than its name, something else, or goodbye', async () => {
    for (const greet of [
      () => {},
      (socket: Socket) => void socket.write('SSH-2.0-silent\r\n'),
      (socket: Socket) => void socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'),
      (socket: Socket) => void socket.end('SSH-2.0-busy\r\n'),
      (socket: Socket) => void socket.resetAndDestroy(),
    ]) {
      const other = await listen(greet);
      await expect(reach({ port: other.port, idleSeconds: 0.5 })).rejects.toMatchObject(CANNOT);
      await other.close();
    }
  });

  it('asks nothing of a server with another host key', async () => {
    const other = await startFaultySftpServer();
    await expect(reach({ port: other.port })).rejects.toMatchObject({ code: 'wrong-host-key' });
    expect(other.requests).toEqual([]);
    await other.close();
  });
});

it('closes its connection whatever happens', async () => {
  const connections = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
  const before = connections();
  const own = new Error('Not of SFTP.');
  await expect(withSftp(settings, () => Promise.reject(own))).rejects.toBe(own);
  await expect(download(settings, { write: () => Promise.reject(own) })).rejects.toBe(own);
  await expect(download(settings, NOWHERE, '../fil')).rejects.toMatchObject({ code: 'wrong-name' });
  await download();
  await expect.poll(connections).toBeLessThanOrEqual(before);
});
