import { randomBytes, randomUUID } from 'node:crypto';
import { readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asSystem } from '@indbakke/shared/access';
import { askForFile } from '@indbakke/shared/inbox';
import { openStore } from '@indbakke/shared/store';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  type DistributionSpec,
  distribute,
  writeDistribution,
} from '../../../infra/src/local/distribution/write-distribution.js';
import { crashPointPassed } from '../../../infra/src/testkit/crash-points.js';
import { HAS_SSHD, type OpenSsh, startOpenSsh } from '../../../infra/src/testkit/openssh.js';
import { type FaultySftpServer, sftpEnv, startFaultySftpServer } from '../../../infra/src/testkit/sftp-server.js';
import { startTestStack, type TestStack, VESTERSUND } from '../../../infra/src/testkit/stack.js';
import type { DocumentAnswer } from '../../../shared/src/api/index.js';
import { read } from '../../../shared/test/inbox/support.js';
import { contentFiles } from './support/stored.js';

// @module-tag long

/** Delivers a document whose file is on its way. @returns the id of the message */
async function taken(stack: TestStack, spec: DistributionSpec): Promise<string> {
  const transactionId = randomUUID();
  const response = await distribute(stack.url, writeDistribution({ ...spec, transactionId }));
  expect(response.status, await response.text()).toBe(200);
  const [row] = await stack.sql<{ id: string }>(
    'SELECT message_id AS id FROM distributions WHERE transaction_id = $1',
    [transactionId],
  );
  return (row as { id: string }).id;
}

/** Makes its next attempt due now, unless one is under way, of which the row is due again in two hours. */
const due = (stack: TestStack, id: string) =>
  stack.sql(
    `UPDATE file_fetches SET next_enqueue_at = now() WHERE message_id = $1 AND next_enqueue_at < now() + interval '1 hour'`,
    [id],
  );

/** Reads the message again and again, with its next attempt due, until it is as wanted. */
async function until(
  stack: TestStack,
  id: string,
  isIt: (message: DocumentAnswer) => boolean,
): Promise<DocumentAnswer> {
  await expect
    .poll(
      async () => {
        const isThere = isIt(await read(stack, id));
        if (!isThere) await due(stack, id);
        return isThere;
      },
      { timeout: 30_000, interval: 100 },
    )
    .toBe(true);
  return read(stack, id);
}

const fetchOf = ({ distribution }: DocumentAnswer) => distribution?.fileFetch;
const filesOf = ({ documents }: DocumentAnswer) => documents.flatMap(({ files }) => files);

async function contentOf(stack: TestStack, id: string, { id: fileId } = { id: '' }): Promise<Buffer> {
  const response = await stack.call('GET', `/incoming-documents/${id}/files/${fileId}`);
  return Buffer.from(await response.arrayBuffer());
}

describe.skipIf(!HAS_SSHD)('the file of a document, from OpenSSH,', () => {
  let ssh: OpenSsh;
  let stack: TestStack;
  beforeAll(async () => {
    ssh = await startOpenSsh();
    stack = await startTestStack({ ...sftpEnv(ssh), SF2900_SFTP_IN: ssh.inFolder, SMALL_CONTENT_BYTES: '4096' });
  });
  afterAll(async () => {
    await stack.close();
    await ssh.close();
  });

  it.each([
    ['a small one', 1_000],
    ['a large one', 3_000_001],
  ])('is fetched as it is, and gone there afterwards: %s', async (_what, size) => {
    const content = Buffer.concat([Buffer.from('%PDF-1.7\n'), randomBytes(size)]);
    const fileName = `udtalelse æøå ${size}.pdf`;
    await writeFile(join(ssh.inFolder, fileName), content);

    const id = await taken(stack, { fileName });

    const message = await until(stack, id, (each) => fetchOf(each)?.status === 'done');
    expect(filesOf(message)).toMatchObject([
      { fileName, status: 'stored', size: content.length, detectedFormat: 'application/pdf' },
    ]);
    expect((await contentOf(stack, id, filesOf(message)[0])).equals(content)).toBe(true);
    expect(message).toMatchObject({ contentSize: content.length, version: 2 });
    expect(message.history.map(({ action }) => action)).toEqual(['accepted', 'file-arrived']);
    expect(await readdir(ssh.inFolder)).toEqual([]);
  });

  it('is to be scanned when it is here, where files are, and is held until then', async () => {
    const scanning = await startTestStack({
      ...sftpEnv(ssh),
      SF2900_SFTP_IN: ssh.inFolder,
      CLAMD_URL: 'tcp://127.0.0.1:1',
    });
    try {
      const fileName = 'undersøges.pdf';
      await writeFile(join(ssh.inFolder, fileName), randomBytes(100));
      const id = await taken(scanning, { fileName, object: { type: 'JOURNALPOST', note: 'Moren ringede.' } });
      const message = await until(scanning, id, (each) => fetchOf(each)?.status === 'done');
      expect(filesOf(message).map(({ scan, mayOpen }) => [scan, mayOpen])).toEqual([
        ['waiting', false],
        ['waiting', false],
      ]);
      expect(await scanning.sql('SELECT message_id AS id FROM message_scans')).toEqual([{ id }]);
    } finally {
      await scanning.close();
    }
  });

  it('may come long after the document', async () => {
    const fileName = 'sen.pdf';
    const id = await taken(stack, { fileName });
    await until(stack, id, (each) => fetchOf(each)?.fault === 'not-there');

    await writeFile(join(ssh.inFolder, fileName), 'sen');

    const message = await until(stack, id, (each) => fetchOf(each)?.status === 'done');
    expect(fetchOf(message)?.fault).toBeNull();
  });

  it('comes beside the note of a journal entry, which stays as it was', async () => {
    const fileName = 'bilag.bin';
    const content = randomBytes(20_000);
    await writeFile(join(ssh.inFolder, fileName), content);

    const id = await taken(stack, { fileName, object: { type: 'JOURNALPOST', note: 'Moren ringede. '.repeat(400) } });

    const message = await until(stack, id, (each) => fetchOf(each)?.status === 'done');
    const [file, note] = filesOf(message);
    expect((await contentOf(stack, id, file)).equals(content)).toBe(true);
    expect((await contentOf(stack, id, note)).toString()).toBe('Moren ringede. '.repeat(400).trim());
    const [row] = await stack.sql<{ blob_name: string }>('SELECT blob_name FROM messages WHERE id = $1', [id]);
    expect(await contentFiles(stack)).toContain(row?.blob_name);
    await expect.poll(() => stack.sql('SELECT FROM content_removals')).toEqual([]);
  });

  it('that several documents name stays where it is, until an operator says whose it is', async () => {
    const fileName = 'udtalelse.pdf';
    const ids = [await taken(stack, { fileName }), await taken(stack, { fileName, recipient: VESTERSUND })];
    await writeFile(join(ssh.inFolder, fileName), 'hvis?');
    await until(stack, ids[0] as string, (each) => fetchOf(each)?.fault === 'name-taken');
    // Nor is it another’s that comes while they wait, or when they have given it up.
    await stack.sql(`UPDATE file_fetches SET status = 'given-up' WHERE message_id = $1`, [ids[1]]);
    const late = await taken(stack, { fileName, sender: '44444444' });
    await until(stack, late, (each) => fetchOf(each)?.fault === 'name-taken');
    expect(await readdir(ssh.inFolder)).toContain(fileName);

    const [row] = await stack.sql<{ municipality: string }>('SELECT municipality FROM messages WHERE id = $1', [
      ids[1],
    ]);
    const principal = asSystem(row?.municipality as string, { kind: 'user', id: 'drift-1' });
    const store = openStore({ url: stack.serviceUrl, connections: 1, name: 'operator' });
    await askForFile(store, { principal, id: ids[1] as string, expectedVersion: undefined, at: new Date() });
    await store.close();

    const other = async () => {
      await due(stack, ids[1] as string);
      return stack.sql('SELECT status FROM file_fetches WHERE message_id = $1', [ids[1]]);
    };
    await expect.poll(other, { timeout: 30_000, interval: 100 }).toEqual([{ status: 'done' }]);
    await stack.sql('DELETE FROM file_fetches WHERE message_id = ANY ($1)', [[ids[0], late]]);
  });

  it('may be shared by the same document that is sent again', async () => {
    const [fileName, objectId] = ['igen.pdf', randomUUID()];
    await writeFile(join(ssh.inFolder, fileName), 'igen');

    const ids = [await taken(stack, { fileName, objectId }), await taken(stack, { fileName, objectId })];

    const states = async () => {
      for (const id of ids) await due(stack, id);
      return stack.sql('SELECT status, fault FROM file_fetches WHERE message_id = ANY ($1) ORDER BY status', [ids]);
    };
    // Both get it when they read it at the same time.
    await expect
      .poll(states, { timeout: 30_000, interval: 100 })
      .toEqual([
        { status: 'done', fault: null },
        expect.toSatisfy(({ status, fault }) => status === 'done' || fault === 'not-there'),
      ]);
  });

  it('is fetched by one of many workers, and the queue still answers', async () => {
    const ready = await fetch(`${stack.url}/readyz`);

    expect([ready.status, await ready.json()]).toMatchObject([200, { status: 'ready', queue: 'ready' }]);
  });

  it('that is a link is given up at once, and its sender is to hear so', async () => {
    await writeFile(join(ssh.outFolder, 'secret'), 'secret');
    await symlink(join(ssh.outFolder, 'secret'), join(ssh.inFolder, 'link.pdf'));

    const id = await taken(stack, { fileName: 'link.pdf' });

    const message = await until(stack, id, (each) => fetchOf(each)?.status === 'given-up');
    expect(fetchOf(message)).toMatchObject({ fault: 'no-file', attempts: 1 });
    expect(filesOf(message)).toMatchObject([{ status: 'missing' }]);
    expect(message.distribution?.receipts).toMatchObject([{ code: 'FEJLET', status: 'waiting' }]);
    expect(message.history.at(-1)).toMatchObject({ action: 'file-missing', details: { code: 'no-file' } });
    await rm(join(ssh.inFolder, 'link.pdf'));
  });

  it('whose name is a path is AFVIST with the document', async () => {
    for (const fileName of ['../hemmelig', 'a/b', '..', 'a\\b']) {
      const response = await distribute(stack.url, writeDistribution({ fileName }));
      const answer = await response.text();
      expect(answer).toContain('AFVIST');
      expect(answer).not.toContain('hemmelig');
    }
  });
});

describe('the file of a document, from a server that misbehaves,', () => {
  let server: FaultySftpServer;
  let stack: TestStack;
  beforeAll(async () => {
    server = await startFaultySftpServer();
    stack = await startTestStack({
      ...sftpEnv({ ...server, host: '127.0.0.1', hostKeys: server.hostKeys }),
      SF2900_MAX_FILE_BYTES: '100000',
    });
  });
  afterEach(() => server.behave());
  afterAll(async () => {
    await stack.close();
    await server.close();
  });

  const put = async (content: string | Buffer) => {
    const fileName = `${randomUUID()}.bin`;
    await writeFile(join(server.folder, 'IN', fileName), content);
    return fileName;
  };

  it.each(['hang', 'cut', 'refuse', 'fail'] as const)(
    'is fetched once it can be read, after reads that %s',
    async (how) => {
      const content = randomBytes(90_000);
      server.obey(({ does }) => (does === 'read' ? how : undefined));
      const fileName = await put(content);
      const id = await taken(stack, { fileName });
      const before = await until(stack, id, (each) => (fetchOf(each)?.attempts ?? 0) > 0);
      expect(filesOf(before)).toMatchObject([{ status: 'expected', size: 0 }]);

      server.behave();

      const message = await until(stack, id, (each) => fetchOf(each)?.status === 'done');
      expect((await contentOf(stack, id, filesOf(message)[0])).equals(content)).toBe(true);
    },
  );

  it('is removed there in the end, when that failed at first, and not fetched twice', async () => {
    server.obey(({ does }) => (does === 'remove' ? 'fail' : undefined));
    const fileName = await put('indhold');
    const id = await taken(stack, { fileName });
    const stored = await until(stack, id, (each) => fetchOf(each)?.status === 'stored');
    expect(filesOf(stored)).toMatchObject([{ status: 'stored' }]);
    await until(stack, id, (each) => (fetchOf(each)?.attempts ?? 0) > 0);

    server.behave();

    const message = await until(stack, id, (each) => fetchOf(each)?.status === 'done');
    expect(message.version).toBe(stored.version);
    expect(await readdir(join(server.folder, 'IN'))).not.toContain(fileName);
  });

  it('is not another’s while it is still there, though it is stored here', async () => {
    server.obey(({ does }) => (does === 'remove' ? 'refuse' : undefined));
    const fileName = await put('hemmelig');
    const id = await taken(stack, { fileName });
    await until(stack, id, (each) => fetchOf(each)?.status === 'stored');

    const other = await taken(stack, { fileName });

    const message = await until(stack, other, (each) => (fetchOf(each)?.attempts ?? 0) > 0);
    expect(fetchOf(message)).toMatchObject({ status: 'waiting', fault: 'name-taken' });
    expect(filesOf(message)).toMatchObject([{ status: 'expected' }]);
  });

  it('is nobody’s when another document names it while it is read', async () => {
    const fileName = await put('hemmelig');
    let other: Promise<string> | undefined;
    server.obey(async ({ does }) => {
      if (does !== 'read') return undefined;
      other ??= taken(stack, { fileName, sender: '44444444' });
      await other;
      return undefined;
    });

    const id = await taken(stack, { fileName });

    const message = await until(stack, id, (each) => fetchOf(each)?.fault === 'name-taken');
    expect(filesOf(message)).toMatchObject([{ status: 'expected' }]);
    expect(await readdir(join(server.folder, 'IN'))).toContain(fileName);
  });

  it('is not given up for what is our own fault, however long', async () => {
    server.obey(() => 'cut');
    const id = await taken(stack, { fileName: await put('indhold') });
    await stack.sql(
      `UPDATE file_fetches SET since = now() - interval '100 hours', attempts = 20 WHERE message_id = $1`,
      [id],
    );
    const before = await until(stack, id, (each) => (fetchOf(each)?.attempts ?? 0) > 21);
    expect(fetchOf(before)).toMatchObject({ status: 'waiting', fault: 'cut' });

    server.behave();

    await until(stack, id, (each) => fetchOf(each)?.status === 'done');
  });

  it('is not taken half when it grows or is swapped while it is read', async () => {
    const fileName = await put(randomBytes(80_000));
    const path = join(server.folder, 'IN', fileName);
    server.obey(async ({ does, at }) => {
      if (does === 'read' && at > 0) await writeFile(path, randomBytes(90_000));
      return undefined;
    });
    const id = await taken(stack, { fileName });
    await until(stack, id, (each) => fetchOf(each)?.fault === 'changed');

    server.behave();
    const whole = randomBytes(70_000);
    await writeFile(`${path}.new`, whole);
    await rename(`${path}.new`, path);

    const message = await until(stack, id, (each) => fetchOf(each)?.status === 'done');
    expect((await contentOf(stack, id, filesOf(message)[0])).equals(whole)).toBe(true);
  });

  it('is given up unread when it is too large', async () => {
    server.pretend({ size: 10 * 2 ** 30, zeros: 10 * 2 ** 30 });
    const id = await taken(stack, { fileName: await put('x') });

    const message = await until(stack, id, (each) => fetchOf(each)?.status === 'given-up');

    expect(fetchOf(message)?.fault).toBe('too-large');
    expect(server.requests.filter(({ does }) => does === 'read')).toEqual([]);
  });

  it('is given up after the hours that are set, whatever it waited for', async () => {
    const id = await taken(stack, { fileName: 'kommer-aldrig.pdf' });
    await until(stack, id, (each) => fetchOf(each)?.fault === 'not-there');
    await stack.sql(`UPDATE file_fetches SET since = now() - interval '73 hours', attempts = 6 WHERE message_id = $1`, [
      id,
    ]);

    const message = await until(stack, id, (each) => fetchOf(each)?.status === 'given-up');

    expect(message.history.at(-1)).toMatchObject({ action: 'file-missing', details: { code: 'not-there' } });
  });

  it('leaves nothing behind when the database is lost after it was sealed', async () => {
    const before = (await contentFiles(stack)).length;
    const sealed = crashPointPassed('file-sealed');
    const fileName = await put(randomBytes(90_000));
    await stack.sql('ALTER TABLE file_fetches ADD CONSTRAINT broken CHECK (status <> $$stored$$) NOT VALID');
    const id = await taken(stack, { fileName });
    await until(stack, id, (each) => fetchOf(each)?.fault === 'not-stored');
    await sealed;
    expect(await contentFiles(stack)).toHaveLength(before);
    await stack.sql('ALTER TABLE file_fetches DROP CONSTRAINT broken');

    await until(stack, id, (each) => fetchOf(each)?.status === 'done');
  });
});
