import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import SwaggerParser from '@apidevtools/swagger-parser';
import { generateSource } from 'oazapfts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deliverMemo } from '../../shared/test/inbox/support.js';
import { startTestStack, type TestStack } from '../src/testkit/stack.js';

// What a developer of the core does first: read the description, generate a client from it, compile and use it.

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TSC = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
const TSCONFIG = {
  compilerOptions: {
    strict: true,
    module: 'nodenext',
    target: 'es2023',
    lib: ['es2023', 'dom', 'dom.iterable'],
    types: ['node'],
    skipLibCheck: true,
  },
};

const USE = `
import { type Assignee, assignIncomingDocument, bulkChangeIncomingDocuments, defaults, listIncomingDocuments, type Status } from './client.js';

/** Assigns what is nobody's, one by one, and hands all of it back. */
export async function work(baseUrl: string, token: string, assignee: Assignee): Promise<Status[]> {
  defaults.baseUrl = baseUrl;
  defaults.headers = { authorization: 'Bearer ' + token };
  const list = await listIncomingDocuments({ status: ['pending', 'held'], view: 'nobodys', sort: '-receivedAt' });
  if (list.status !== 200) throw new Error(list.data.detail);
  const items: { id: string; version: number }[] = [];
  const statuses: Status[] = [];
  for (const { id, version } of list.data.items) {
    const changed = await assignIncomingDocument(id, '"' + version + '"', { assignee }, { idempotencyKey: crypto.randomUUID() });
    if (changed.status !== 200) throw new Error(changed.data.code);
    items.push({ id, version: changed.data.version });
    statuses.push(changed.data.status);
  }
  const handedBack = await bulkChangeIncomingDocuments({ action: 'unassign', items });
  if (handedBack.status !== 200) throw new Error(handedBack.data.title);
  for (const { done } of handedBack.data.items) if (done) statuses.push(done.status);
  return statuses;
}
`;

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack();
});

afterAll(() => stack.close());

describe.each(['openapi.json', 'openapi-3.0.json'])('%s', (name) => {
  let url: string;
  let folder: string;

  beforeAll(async () => {
    url = `${stack.url}/api/v1/${name}`;
    // Where the packages of the repository are found.
    const cache = join(ROOT, 'node_modules', '.cache');
    await mkdir(cache, { recursive: true });
    folder = await mkdtemp(join(cache, 'client-'));
    await writeFile(join(folder, 'package.json'), '{"type":"module"}');
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(TSCONFIG));
    await writeFile(join(folder, 'client.ts'), await generateSource(url));
  });

  afterAll(() => rm(folder, { recursive: true }));

  /** What the compiler says; '' when nothing. */
  async function compile(use: string): Promise<string> {
    await writeFile(join(folder, 'use.ts'), use);
    const { stdout } = await promisify(execFile)(process.execPath, [TSC, '-p', folder], { cwd: folder }).catch(
      (error: { stdout: string }) => error,
    );
    return stdout;
  }

  it('is valid for another reader too', async () => {
    const response = await fetch(url);
    await expect(SwaggerParser.validate((await response.json()) as never)).resolves.toBeDefined();
  });

  it('becomes a TypeScript client that compiles, in the names of the contract, and works', async () => {
    const id = await deliverMemo(stack);
    expect(await compile(USE)).toBe('');
    const { work } = await import(pathToFileURL(join(folder, 'use.js')).href);
    const assignee = { kind: 'team', id: 'team-1' };
    expect(await work(stack.url, await stack.token(), assignee)).toEqual(
      expect.arrayContaining(['pending', 'pending']),
    );
    expect(await stack.sql('SELECT version, assignee_id FROM messages WHERE id = $1', [id])).toEqual([
      { version: 3, assignee_id: null },
    ]);
  });

  it('becomes one with which a mistake does not compile: a view, a field, an action without its field', async () => {
    const wrong = USE.replace("view: 'nobodys'", "view: 'nobody'")
      .replace('{ assignee }', '{ assignees: assignee }')
      .replace("action: 'unassign'", "action: 'reject'");
    const errors = (await compile(wrong)).match(/^use\.ts.*: error TS2\d+/gm);
    expect(errors).toHaveLength(3);
  });
});
