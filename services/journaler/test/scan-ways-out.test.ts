import { randomUUID } from 'node:crypto';
import { CommonConfig, readConfig } from '@indbakke/shared/config';
import { openParts, type Parts } from '@indbakke/shared/service';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askUntil } from '../../../infra/src/testkit/inbox-client.js';
import { HAS_PDFTOTEXT, textOfPdf } from '../../../infra/src/testkit/pdf-text.js';
import { sendingOn } from '../../../infra/src/testkit/sending-on.js';
import {
  ODENSKOV,
  startTestStack,
  type TestStack,
  type TokenOptions,
  VESTERSUND,
} from '../../../infra/src/testkit/stack.js';
import { unzip } from '../../../infra/src/testkit/unzip.js';
import { type MemoSpec, textDocument } from '../../../infra/src/testkit/write-memo.js';
import {
  awaitSuggestion,
  change,
  deliverMemo,
  deliverReply,
  expectProblem,
  read,
  registerSentMessage,
  upsertCase,
} from '../../../shared/test/inbox/support.js';
import { createMakePackageHandler } from '../../archiver/src/access-packages/make-package.js';
import { createMakeZipHandler } from '../../archiver/src/zip-downloads/make-zip.js';
import { outgoingFileOf } from '../../receiver/src/sf2900/sending/outgoing-file.js';
import { takeDistribution } from '../../receiver/src/sf2900/sending/rows.js';
import { ask, BODY, transactionOf } from '../../receiver/test/support/onward.js';

// @module-tag long

// Every way by which a file leaves: while it is held, and when it is unsafe. Nobody listens where the scanner should be, so what comes
// is held for good; the tests write what a scan would have found.

const ROLE = 'Indbakke.UsikreFiler';
const signal = new AbortController().signal;
const SEALING = { SMALL_CONTENT_BYTES: 0, ZIP_KEEP_HOURS: 1 };

let stack: TestStack;
let parts: Parts;
beforeAll(async () => {
  stack = await startTestStack(async (setup) => ({
    ...(await sendingOn(setup)),
    CLAMD_URL: 'tcp://127.0.0.1:1',
    SMALL_CONTENT_BYTES: '0',
  }));
  parts = await openParts(readConfig(CommonConfig, stack.env), 'by-hand');
});
afterAll(async () => {
  await parts.queues.close();
  await parts.store.close();
  await stack.close();
});

const LETTER: MemoSpec = {
  documents: [textDocument('Brevets ord', 'brev.txt'), textDocument('Bilagets ord', 'bilag.txt')],
};

type Found = 'waiting' | 'clean' | 'infected' | 'unscannable';

/** What a scan would write of the attachment; of the letter itself that it is clean. */
const find = (id: string, scan: Found) =>
  stack.sql(
    `UPDATE files SET scan = CASE WHEN file_name = 'bilag.txt' THEN $2 ELSE 'clean' END WHERE message_id = $1`,
    [id, scan],
  );

async function letter(scan: Found, memo: MemoSpec = {}): Promise<string> {
  const id = await deliverMemo(stack, { ...LETTER, ...memo });
  // No scan changes its version.
  await stack.sql(
    `UPDATE message_scans SET run = 100, next_enqueue_at = now() + interval '1 day' WHERE message_id = $1`,
    [id],
  );
  await find(id, scan);
  return id;
}

const fileOf = async (id: string, name: string, as?: TokenOptions) => {
  const { documents } = await read(stack, id, as);
  return documents.flatMap(({ files }) => files).find(({ fileName }) => fileName === name);
};

const get = (path: string, as?: TokenOptions) => stack.call('GET', `/incoming-documents/${path}`, as && { as });
const namesIn = async (response: Response) => {
  expect(response.status, response.status === 200 ? '' : await response.text()).toBe(200);
  return [...unzip(Buffer.from(await response.arrayBuffer())).keys()];
};

describe('the download of a file', () => {
  it.each([
    ['waiting', 409, 'file-held'],
    ['infected', 403, 'file-unsafe'],
    ['unscannable', 403, 'file-unsafe'],
  ] as const)('of one that is %s is refused', async (scan, status, code) => {
    const id = await letter(scan);
    const file = await fileOf(id, 'bilag.txt');
    await expectProblem(await get(`${id}/files/${file?.id}`), status, code);
    const clean = await fileOf(id, 'brev.txt');
    expect((await get(`${id}/files/${clean?.id}`)).status).toBe(200);
  });

  it('opens a held one to nobody', async () => {
    const id = await letter('waiting');
    const as = { roles: ['IndkomneDokumenter.Læs', 'IndkomneDokumenter.SeAlle', ROLE] };
    const file = await fileOf(id, 'bilag.txt', as);
    expect(file).toMatchObject({ scan: 'waiting', mayOpen: false });
    await expectProblem(await get(`${id}/files/${file?.id}`, as), 409, 'file-held');
  });

  it('opens an unsafe one of a message that the caller does not see to nobody', async () => {
    const id = await letter('infected');
    const file = await fileOf(id, 'bilag.txt');
    const as = { user: 'other', roles: ['IndkomneDokumenter.Læs', ROLE] };
    await expectProblem(await get(`${id}/files/${file?.id}`, as), 404, 'not-found');
  });
});

describe('the text of a main document', () => {
  it.each([
    ['waiting', 409, 'file-held'],
    ['infected', 403, 'file-unsafe'],
  ] as const)('that is %s is refused, to the role for unsafe files too', async (scan, status, code) => {
    const id = await deliverMemo(stack);
    await stack.sql('UPDATE files SET scan = $2 WHERE message_id = $1', [id, scan]);
    await expectProblem(await get(`${id}/text`), status, code);
    const as = { roles: ['IndkomneDokumenter.Læs', 'IndkomneDokumenter.SeAlle', ROLE] };
    await expectProblem(await get(`${id}/text`, as), status, code);
  });
});

describe('the zip of a message', () => {
  it('is refused while a file is held', async () => {
    await expectProblem(await get(`${await letter('waiting')}/zip`), 409, 'file-held');
  });

  it('has no unsafe file, and a cover sheet that says so, to the role for unsafe files too', async () => {
    const id = await letter('infected');
    const as = { roles: ['IndkomneDokumenter.Læs', 'IndkomneDokumenter.SeAlle', ROLE] };
    for (const caller of [undefined, as]) {
      expect(await namesIn(await get(`${id}/zip`, caller))).toEqual(['følgeseddel.pdf', 'brev.txt']);
    }
  });

  it.skipIf(!HAS_PDFTOTEXT)('tells in its cover sheet why a file is not in it', async () => {
    const sheetOf = async (id: string) => {
      const zip = unzip(Buffer.from(await (await get(`${id}/zip`)).arrayBuffer()));
      return textOfPdf(zip.get('følgeseddel.pdf') as Buffer);
    };
    expect(await sheetOf(await letter('infected'))).toContain('bilag/bilag.txt (ikke med: indeholder skadelig kode)');
    expect(await sheetOf(await letter('unscannable'))).toContain('(ikke med: kunne ikke undersøges for virus)');
  });

  it('has the original, which has no contents of files', async () => {
    const id = await letter('infected');
    const zip = unzip(Buffer.from(await (await get(`${id}/zip?include=original`)).arrayBuffer()));
    const original = String(zip.get('teknisk/meddelelse.xml'));
    expect(original).toContain('bilag.txt');
    expect(original).not.toContain(Buffer.from('Bilagets ord').toString('base64'));
  });
});

describe('a zip of many messages', () => {
  const create = (...items: string[]) => stack.call('POST', '/zip-downloads', { body: { items } });
  const ready = async (id: string) => {
    const answer = await askUntil(
      async () => (await (await stack.call('GET', `/zip-downloads/${id}`)).json()) as { status: string },
      ({ status }) => status === 'ready' || status === 'failed',
    );
    expect(answer.status).toBe('ready');
    return stack.call('GET', `/zip-downloads/${id}/content`);
  };

  it('leaves out messages with a held file, and says so', async () => {
    const [held, clean] = [await letter('waiting'), await letter('clean')];
    const created = (await (await create(held, clean)).json()) as { id: string; leftOut: unknown };
    expect(created.leftOut).toEqual([{ id: held, reason: 'file-held' }]);
    expect(await namesIn(await ready(created.id))).toHaveLength(2);
  });

  it('of held ones alone is refused', async () => {
    await expectProblem(await create(await letter('waiting')), 409, 'file-held');
  });

  it('has no unsafe file', async () => {
    const { id } = (await (await create(await letter('infected'))).json()) as { id: string };
    const names = await namesIn(await ready(id));
    expect(names.map((name) => name.split('/').at(-1))).toEqual(['følgeseddel.pdf', 'brev.txt']);
  });

  it('leaves out what is held when its job comes to it', async () => {
    const [held, clean] = [await letter('clean'), await letter('clean')];
    const { id: zipId } = (await (await create(held, clean)).json()) as { id: string };
    await ready(zipId);
    await stack.sql(
      `UPDATE zip_downloads SET status = 'waiting', run = 90, blob_name = NULL, content_size = NULL, sha256 = NULL,
      key_id = NULL, wrapped_key = NULL, ready_at = NULL, container = NULL, next_enqueue_at = now() + interval '1 day' WHERE id = $1`,
      [zipId],
    );
    await find(held, 'waiting');
    await createMakeZipHandler(parts, SEALING)({ zipId, municipality: ODENSKOV, run: 90 }, { attempt: 3, signal });
    const zip = (await (await stack.call('GET', `/zip-downloads/${zipId}`)).json()) as { leftOut: unknown };
    expect(zip.leftOut).toEqual([{ id: held, reason: 'file-held' }]);
  });
});

describe('an access package', () => {
  const as: TokenOptions = { user: 'aktindsigt-1', roles: ['Indbakke.Aktindsigt'] };
  const packageOf = async (sender: string) => {
    const response = await stack.call('POST', '/access-packages', { as, body: { citizen: sender } });
    const { id } = (await response.json()) as { id: string };
    // Of a run that the stack does not take.
    await stack.sql(`UPDATE access_packages SET run = 90, next_enqueue_at = now() + interval '1 day' WHERE id = $1`, [
      id,
    ]);
    return id;
  };
  const make = (packageId: string) =>
    createMakePackageHandler(parts, SEALING)({ packageId, municipality: ODENSKOV, run: 90 }, { attempt: 3, signal });
  const senderOf = (id: string) => ({ sender: { id, idType: 'CPR', name: 'Test Testesen' } });

  it('waits while a file is held, and has it then', async () => {
    const id = await letter('waiting', senderOf('4101011001'));
    const packageId = await packageOf('4101011001');
    await make(packageId);
    const statusOf = async () =>
      ((await (await stack.call('GET', `/access-packages/${packageId}`, { as })).json()) as { status: string }).status;
    expect(await statusOf()).toBe('waiting');

    await find(id, 'clean');
    await make(packageId);

    const names = await namesIn(await stack.call('GET', `/access-packages/${packageId}/content`, { as }));
    expect(names.filter((name) => name.endsWith('bilag.txt'))).toHaveLength(1);
  });

  it('has no unsafe file', async () => {
    await letter('unscannable', senderOf('4101011002'));
    const packageId = await packageOf('4101011002');
    await make(packageId);
    const names = await namesIn(await stack.call('GET', `/access-packages/${packageId}/content`, { as }));
    expect(names.filter((name) => name.endsWith('.txt')).map((name) => name.split('/').at(-1))).toEqual(['brev.txt']);
  });
});

describe('journalizing', () => {
  const journalize = (id: string) =>
    stack.call('POST', `/incoming-documents/${id}/journalization`, { version: 1, body: { caseIds: ['K-1'] } });
  beforeAll(() => upsertCase(stack, 'K-1'));

  it('is refused while a file is held: the core could not fetch it', async () => {
    const id = await letter('waiting');
    expect((await read(stack, id)).allowed).not.toContain('journalized');
    await expectProblem(await journalize(id), 409, 'file-held');
    await find(id, 'clean');
    expect((await read(stack, id)).allowed).toContain('journalized');
  });

  it('goes on without an unsafe file', async () => {
    expect((await journalize(await letter('infected'))).status).toBe(200);
  });

  it('of many messages is refused for each with a held file', async () => {
    const [held, clean] = [await letter('waiting'), await letter('clean')];
    const items = [held, clean].map((id) => ({ id, version: 1, caseIds: ['K-1'] }));
    const response = await stack.call('POST', '/incoming-documents/bulk', { body: { action: 'journalize', items } });
    expect(await response.json()).toMatchObject({
      items: [{ problem: { code: 'file-held' } }, { done: { status: 'journalized' } }],
    });
  });
});

describe('sending on to another authority', () => {
  const rejected = async (scan: Found) => {
    const id = await letter(scan);
    const body = { reason: 'wrong-municipality', explanation: 'Hører til i nabokommunen.' };
    await change(stack, 'POST', `${id}/rejection`, { version: 1, body });
    return id;
  };

  it.each([
    ['waiting', 409, 'file-held'],
    ['infected', 403, 'file-unsafe'],
    ['unscannable', 403, 'file-unsafe'],
  ] as const)('is refused with a file that is %s', async (scan, status, code) => {
    await expectProblem(await ask(stack, await rejected(scan), BODY), status, code);
  });

  it.each([
    ['waiting', 'file-held'],
    ['infected', 'file-unsafe'],
  ] as const)('sends nothing of a message whose file is %s by the time', async (scan, code) => {
    const id = await rejected('clean');
    expect((await ask(stack, id, BODY)).status).toBe(200);
    const distributionId = await transactionOf(stack, id);
    await stack.sql(
      `UPDATE onward_distributions SET run = 90, next_enqueue_at = now() + interval '1 day' WHERE id = $1`,
      [distributionId],
    );
    await find(id, scan);
    const distribution = await takeDistribution(parts.store, { distributionId, municipality: ODENSKOV, run: 90 });
    if (!distribution) throw new Error('There is no distribution.');
    await expect(outgoingFileOf(parts, distribution)).rejects.toMatchObject({ code });
  });
});

describe('a message that another municipality takes', () => {
  const [OFFERER, TAKER]: TokenOptions[] = [{ user: 'anna' }, { user: 'bo', municipality: VESTERSUND }];

  /** @returns the id of the copy */
  async function taken(scan: Found): Promise<string> {
    const [caseId, sent] = [`K-${randomUUID()}`, randomUUID()];
    await registerSentMessage(stack, sent, { caseId });
    const id = await deliverReply(stack, [{ messageUUID: randomUUID(), replyUUID: sent, caseID: caseId }], LETTER);
    await find(id, scan);
    await upsertCase(stack, caseId, { status: 'moved', movedTo: VESTERSUND });
    await upsertCase(stack, caseId, { movedFrom: ODENSKOV, caseworker: 'bo' }, VESTERSUND);
    await registerSentMessage(stack, sent, { caseId }, VESTERSUND);
    await awaitSuggestion(stack, id);
    const { version } = await read(stack, id, OFFERER);
    await change(stack, 'POST', `${id}/handover`, { as: OFFERER as TokenOptions, version, body: {} });
    const { handover } = await read(stack, id, OFFERER);
    const response = await stack.call('POST', `/handovers/${handover?.handoverId}/acceptance`, {
      as: TAKER as TokenOptions,
    });
    expect(response.status, await response.clone().text()).toBe(200);
    return ((await response.json()) as { id: string }).id;
  }

  it.each(['waiting', 'infected', 'clean'] as const)('has a file that is %s as it was', async (scan) => {
    const copy = await taken(scan);
    expect(await fileOf(copy, 'bilag.txt', TAKER)).toMatchObject({ scan, mayOpen: scan === 'clean' });
    const waiting = await stack.sql('SELECT municipality FROM message_scans WHERE message_id = $1', [copy]);
    expect(waiting).toEqual(scan === 'waiting' ? [{ municipality: VESTERSUND }] : []);
  });
});

describe('what came while nothing was scanned', () => {
  it('stays open', async () => {
    const id = await deliverMemo(stack, LETTER);
    await stack.sql('UPDATE files SET scan = NULL WHERE message_id = $1', [id]);
    const file = await fileOf(id, 'bilag.txt');
    expect(file).toMatchObject({ scan: 'not-scanned', mayOpen: true });
    expect((await get(`${id}/files/${file?.id}`)).status).toBe(200);
    expect(await namesIn(await get(`${id}/zip`))).toHaveLength(2);
  });
});
