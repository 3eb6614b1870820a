import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeApi, type OpenApiVersion } from '../../src/api/index.js';

// @module-tag long

const REDOCLY = join(dirname(createRequire(import.meta.url).resolve('@redocly/cli/package.json')), 'bin', 'cli.js');
const CONFIG = new URL('../../../redocly.yaml', import.meta.url);
// Nothing is asked of another host.
const OFFLINE = { REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'indbakke-lint-'));
  await copyFile(CONFIG, join(folder, 'redocly.yaml'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** What the linter finds, as `rule pointer: message`. */
async function lint(version: OpenApiVersion, description: object): Promise<string[]> {
  await writeFile(join(folder, `openapi-${version}.json`), JSON.stringify(description));
  const call = [REDOCLY, 'lint', version, '--format=json', '--max-problems=1000'];
  const options = { cwd: folder, env: { ...process.env, ...OFFLINE } };
  const { stdout } = await promisify(execFile)(process.execPath, call, options).catch(
    (error: { stdout: string }) => error,
  );
  const { problems } = JSON.parse(stdout) as Report;
  return problems.map(({ ruleId, message, location: [at] }) => `${ruleId} ${at?.pointer}: ${message}`);
}

interface Report {
  readonly problems: { ruleId: string; message: string; location: { pointer?: string }[] }[];
}

it.each(['3.1', '3.0'] as const)('the description in OpenAPI %s has no error and no warning', async (version) => {
  expect(await lint(version, describeApi(version))).toEqual([]);
});

it('a fault in a description is found', async () => {
  const description = describeApi();
  const { license: _, ...info } = description.info;
  const faults = await lint('3.1', { ...description, info } as never);
  expect(faults.join('\n')).toContain('info-license #/info');
});
