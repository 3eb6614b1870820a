import { createHash, randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { MiB, readConfig } from '@indbakke/shared/config';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeKeys } from '../../../infra/src/local/sftp-server.js';
import { HAS_SSHD, makeKey, type OpenSsh, startOpenSsh } from '../../../infra/src/testkit/openssh.js';
import { ReceiverConfig } from '../src/config.js';
import { remoteNameOf } from '../src/sf2900/sftp/remote-name.js';
import { type SftpSession, type SftpSettings, withSftp } from '../src/sf2900/sftp/session.js';
import { sftpSettings } from '../src/sf2900/sftp/settings.js';

const SftpConfig = ReceiverConfig.pick({
  SF2900_SFTP_HOST: true,
  SF2900_SFTP_PORT: true,
  SF2900_SFTP_USER: true,
  SF2900_SFTP_KEY_FILE: true,
  SF2900_SFTP_HOST_KEYS: true,
  SF2900_SFTP_IN: true,
  SF2900_SFTP_OUT: true,
  SF2900_SFTP_IDLE_SECONDS: true,
});
const LIMIT = { maxBytes: 40 * MiB };

it('takes a plain name only', () => {
  const plain = ['brev.pdf', 'Ærø å.pdf', '..pdf', '.', '~', 'a'.repeat(255), 'å'.repeat(127)].filter(isTaken);
  expect(plain).toEqual(['brev.pdf', 'Ærø å.pdf', '..pdf', '~', 'a'.repeat(255), 'å'.repeat(127)]);
  const taken = [
    '',
    '.',
    '..',
    'a/b',
    '../b',
    '/b',
    'a\\b',
    'a\0',
    'a\n',
    'a\x7f',
    'a\x85',
    'a'.repeat(256),
    'å'.repeat(128),
  ];
  expect(taken.filter(isTaken)).toEqual([]);
});

function isTaken(name: string): boolean {
  try {
    return remoteNameOf(name) === name;
  } catch {
    return false;
  }
}

describe('of the settings', () => {
  const read = (env: Readonly<Record<string, string>>) =>
    sftpSettings(readConfig(SftpConfig, { SF2900_SFTP_HOST: 'sftp.example.dk', ...env }));

  it('is none without a server', async () => {
    expect(await read({ SF2900_SFTP_HOST: '' })).toBeUndefined();
  });

  it('names what is missing or wrong', async () => {
    const hostKey = `SHA256:${'a'.repeat(43)}`;
    await expect(read({})).rejects.toThrow('SF2900_SFTP_KEY_FILE is missing: SF2900_SFTP_HOST is set.');
    const keyFile = join(await mkdtemp(join(tmpdir(), 'indbakke-sftp-')), 'key');
    const files = { SF2900_SFTP_KEY_FILE: keyFile, SF2900_SFTP_HOST_KEYS: `${hostKey}, ${hostKey}` };
    await expect(read(files)).rejects.toThrow('SF2900_SFTP_KEY_FILE: the file cannot be read');
    await writeFile(keyFile, makeKeys().privateKey);
    await expect(read(files)).rejects.toThrow('SF2900_SFTP_USER is missing');
    expect(await read({ ...files, SF2900_SFTP_USER: 'os2' })).toEqual({
      host: 'sftp.example.dk',
      port: 22,
      user: 'os2',
      keyFile,
      hostKeys: [hostKey, hostKey],
      idleSeconds: 60,
    });
    await rm(dirname(keyFile), { recursive: true });
  });

  it('takes fingerprints of host keys as OpenSSH prints them', () => {
    const wrong = ['MD5:16:27:ac', 'SHA256:short', `SHA256:${'a'.repeat(43)}=`, 'ssh-ed25519 AAAA'];
    for (const each of wrong)
      expect(() => read({ SF2900_SFTP_HOST_KEYS: each })).toThrow('SF2900_SFTP_HOST_KEYS: must be');
  });
});

describe.skipIf(!HAS_SSHD)('with OpenSSH', () => {
  let server: OpenSsh;
  let settings: SftpSettings;
  let folder: string;

  beforeAll(async () => {
    server = await startOpenSsh();
    settings = { ...server, idleSeconds: 20 };
    folder = await mkdtemp(join(tmpdir(), 'indbakke-sftp-'));
  });

  afterAll(async () => {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });

  const there = (name: string) => join(server.inFolder, name);
  const session = <T>(work: (session: SftpSession) => Promise<T>) => withSftp(settings, work);

  async function fetched(name: string, limit = LIMIT, from = settings): Promise<Buffer> {
    const pieces: Buffer[] = [];
    const into = { write: (bytes: Buffer) => void pieces.push(Buffer.from(bytes)) };
    await withSftp(from, (session) => session.download(server.inFolder, name, limit, into));
    return Buffer.concat(pieces);
  }

  it('fetches a file of an odd size, byte by byte, into a sink that is slower than the line', async () => {
    const content = randomBytes(30 * MiB + 7);
    await writeFile(there('stor.bin'), content);
    const modifiedAt = new Date('2026-11-02T10:11:12Z');
    await utimes(there('stor.bin'), modifiedAt, modifiedAt);
    const sha256 = createHash('sha256');
    let isWriting = false;
    const into = {
      async write(bytes: Buffer) {
        expect(isWriting).toBe(false);
        isWriting = true;
        await new Promise(setImmediate);
        sha256.update(bytes);
        isWriting = false;
      },
    };
    const file = await session((session) => session.download(server.inFolder, 'stor.bin', LIMIT, into));
    expect(file).toEqual({ size: content.length, modifiedAt });
    expect(sha256.digest('hex')).toBe(createHash('sha256').update(content).digest('hex'));
  });

  it('fetches a file of one byte, of a whole block, and of one with a name in Danish', async () => {
    for (const [name, size] of [
      ['en', 1],
      ['blok', 65_536],
      ['Åben høring – sæde 2.pdf', 65_537],
    ] as const) {
      const content = randomBytes(size);
      await writeFile(there(name), content);
      expect((await fetched(name)).equals(content)).toBe(true);
    }
  });

  it('fetches many files over one connection, and keeps no listeners', async () => {
    await writeFile(there('lille'), 'x');
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on('warning', onWarning);
    const pieces: Buffer[] = [];
    const into = { write: (piece: Buffer) => void pieces.push(piece) };
    await session(async (session) => {
      for (let count = 0; count < 30; count += 1) await session.download(server.inFolder, 'lille', LIMIT, into);
    });
    await new Promise(setImmediate);
    process.removeListener('warning', onWarning);
    expect(pieces.length).toBe(30);
    expect(warnings).toEqual([]);
  });

  it('refuses a folder, a link, an empty file and one that is too large, and misses one that is not there', async () => {
    await mkdir(there('mappe'));
    await symlink('/etc/passwd', there('genvej'));
    await writeFile(there('tom'), '');
    await writeFile(there('lang'), 'x'.repeat(1001));
    await expect(fetched('mappe')).rejects.toMatchObject({ code: 'no-file', again: false });
    await expect(fetched('genvej')).rejects.toMatchObject({ code: 'no-file' });
    await expect(fetched('tom')).rejects.toMatchObject({ code: 'empty', again: true });
    await expect(fetched('lang', { maxBytes: 1000 })).rejects.toMatchObject({ code: 'too-large', again: false });
    await expect(fetched('væk')).rejects.toMatchObject({ code: 'not-there', again: true });
    await expect(fetched('../IN/lang')).rejects.toMatchObject({ code: 'wrong-name' });
    expect((await fetched('lang', { maxBytes: 1001 })).length).toBe(1001);
  });

  it('passes on what the sink throws, and goes on with the next file', async () => {
    await writeFile(there('nu'), 'indhold');
    const full = new Error('The store is full.');
    await session(async (session) => {
      const failing = session.download(server.inFolder, 'nu', LIMIT, { write: () => Promise.reject(full) });
      await expect(failing).rejects.toBe(full);
      const throwing = {
        write() {
          throw full;
        },
      };
      await expect(session.download(server.inFolder, 'nu', LIMIT, throwing)).rejects.toBe(full);
      await expect(session.download(server.inFolder, 'nu', LIMIT, { write: () => undefined })).resolves.toMatchObject({
        size: 7,
      });
    });
  });

  it('knows the server by any of the fingerprints, and no other server', async () => {
    await writeFile(there('nøgle'), 'x');
    const other = await makeKey(join(folder, 'other-host'));
    const pinned = (hostKeys: readonly string[]) => fetched('nøgle', LIMIT, { ...settings, hostKeys });
    expect((await pinned([other, ...server.hostKeys])).length).toBe(1);
    await expect(pinned([other])).rejects.toMatchObject({ code: 'wrong-host-key' });
    await expect(pinned([])).rejects.toMatchObject({ code: 'wrong-host-key' });
  });

  it('says that our key or user is refused, or that our key cannot be read', async () => {
    const keyFile = join(folder, 'other-user');
    await makeKey(keyFile);
    const as = (given: Partial<SftpSettings>) => fetched('nøgle', LIMIT, { ...settings, ...given });
    await expect(as({ keyFile })).rejects.toMatchObject({ code: 'sign-in-refused' });
    await expect(as({ user: 'nobody-here' })).rejects.toMatchObject({ code: 'sign-in-refused' });
    await expect(as({ keyFile: `${keyFile}.pub` })).rejects.toMatchObject({ code: 'own-key' });
    await expect(as({ keyFile: join(folder, 'none') })).rejects.toMatchObject({ code: 'own-key' });
  });

  it('signs in with an RSA key', async () => {
    const rsa = await startOpenSsh('', 'rsa');
    await writeFile(join(rsa.inFolder, 'rsa'), 'x');
    const into = { write: () => undefined };
    const download = withSftp({ ...rsa, idleSeconds: 20 }, (session) =>
      session.download(rsa.inFolder, 'rsa', LIMIT, into),
    );
    await expect(download).resolves.toMatchObject({ size: 1 });
    await rsa.close();
  });

  it('uploads a file whole under its name, and leaves nothing else', async () => {
    const content = randomBytes(3 * MiB + 1);
    async function* source() {
      yield content.subarray(0, 5);
      await new Promise(setImmediate);
      yield content.subarray(5);
    }
    await session((session) => session.upload(server.outFolder, 'Svar på høring.pdf', source()));
    expect(await readdir(server.outFolder)).toEqual(['Svar på høring.pdf']);
    expect((await readFile(join(server.outFolder, 'Svar på høring.pdf'))).equals(content)).toBe(true);
  });

  it('uploads over no file that is there, not even one that comes meanwhile', async () => {
    await writeFile(join(server.outFolder, 'findes'), 'gammel');
    const upload = (name: string, source: AsyncIterable<Buffer>) =>
      session((session) => session.upload(server.outFolder, name, source));
    await expect(upload('findes', once('ny'))).rejects.toMatchObject({ code: 'exists', again: false });
    async function* slow() {
      yield* once('ny');
      await writeFile(join(server.outFolder, 'imens'), 'andens');
    }
    await expect(upload('imens', slow())).rejects.toMatchObject({ code: 'exists' });
    expect(await readFile(join(server.outFolder, 'findes'), 'utf8')).toBe('gammel');
    expect(await readFile(join(server.outFolder, 'imens'), 'utf8')).toBe('andens');
    expect((await readdir(server.outFolder)).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('puts no file there that another call is still writing', async () => {
    const content = randomBytes(300_000);
    const events = new EventEmitter();
    /** Pauses when its first bytes are on the server. */
    const uploadBy = (name: string, first: number) => {
      async function* source() {
        yield content.subarray(0, first);
        events.emit(`${name} has begun`);
        await EventEmitter.once(events, `${name} goes on`);
        yield content.subarray(first);
      }
      const begun = EventEmitter.once(events, `${name} has begun`);
      const done = session((session) => session.upload(server.outFolder, 'to gange', source())).then(
        () => 'done',
        ({ code }) => code,
      );
      return { begun, done };
    };
    const isThere = async () => (await readdir(server.outFolder)).includes('to gange');

    const one = uploadBy('one', 200_000);
    await one.begun;
    const other = uploadBy('other', 10);
    await other.begun;
    events.emit('one goes on');
    expect(await one.done).not.toBe('done');
    expect(await isThere()).toBe(false);
    events.emit('other goes on');
    expect(await other.done).not.toBe('done');
    expect(await isThere()).toBe(false);

    const whole = (async function* () {
      yield content;
    })();
    await session((session) => session.upload(server.outFolder, 'to gange', whole));
    expect((await readFile(join(server.outFolder, 'to gange'))).equals(content)).toBe(true);
  });

  it('passes on what the source throws, and leaves nothing of the file', async () => {
    const broken = new Error('The store cannot be read.');
    async function* source() {
      yield Buffer.from('halv');
      throw broken;
    }
    const upload = session((session) => session.upload(server.outFolder, 'halv', source()));
    await expect(upload).rejects.toBe(broken);
    expect((await readdir(server.outFolder)).filter((name) => name.includes('halv') || name.startsWith('.'))).toEqual(
      [],
    );
  });

  it('removes a file, and does nothing when it is gone, or another one', async () => {
    await writeFile(there('brugt'), 'xy');
    const file = await factsOf(there('brugt'));
    const later = new Date(file.modifiedAt.getTime() + 60_000);
    await session(async (session) => {
      await session.remove(server.inFolder, 'brugt', { ...file, size: 1 });
      await session.remove(server.inFolder, 'brugt', { ...file, modifiedAt: later });
      expect((await stat(there('brugt'))).size).toBe(2);
      await session.remove(server.inFolder, 'brugt', file);
      await session.remove(server.inFolder, 'brugt', file);
    });
    await expect(stat(there('brugt'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('says that the server refuses to read, write or remove', async () => {
    const strict = await startOpenSsh('-P open,remove');
    await writeFile(join(strict.inFolder, 'låst'), 'x');
    await withSftp({ ...strict, idleSeconds: 20 }, async (session) => {
      const into = { write: () => undefined };
      await expect(session.download(strict.inFolder, 'låst', LIMIT, into)).rejects.toMatchObject({ code: 'refused' });
      await expect(session.upload(strict.outFolder, 'ny', once('x'))).rejects.toMatchObject({ code: 'refused' });
      await expect(
        session.remove(strict.inFolder, 'låst', await factsOf(join(strict.inFolder, 'låst'))),
      ).rejects.toMatchObject({ code: 'refused' });
    });
    await strict.close();
  });

  it('says nothing personal in a fault', async () => {
    const faults = await Promise.all(
      ['hemmelig', '../hemmelig'].map((name) => fetched(name).catch((error: Error) => error as Error)),
    );
    for (const fault of faults) expect(`${(fault as Error).stack} ${JSON.stringify(fault)}`).not.toContain('hemmelig');
  });
});

/** As the server tells them. */
async function factsOf(path: string) {
  const { size, mtimeMs } = await stat(path);
  return { size, modifiedAt: new Date(Math.floor(mtimeMs / 1_000) * 1_000) };
}

async function* once(text: string) {
  yield Buffer.from(text);
}
