import { spawnSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { INSTALLATION, recordAudit } from '@indbakke/shared/audit';
import { openFileBlobStore } from '@indbakke/shared/content';
import { loadKeyRing } from '@indbakke/shared/keys';
import { openStore } from '@indbakke/shared/store';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { numberChanges } from '../../services/journaler/src/feed/number-changes.js';
import { clusterOf, postgresHomeOf, removePostgres, serverOf, startOf } from '../../tools/local-state.mjs';
import { startStandIn } from '../src/local/distribution/stand-in.js';
import { registerMunicipality } from '../src/local/register-municipality.js';
import { localSettings, makeKeys } from '../src/local/settings.js';
import { startLocalStack } from '../src/local/stack.js';
import { type LocalStack, readLocalStack, statePaths, writeLocalStack } from '../src/local/state.js';
import { launchCommand } from '../src/testkit/command.js';
import { createTestDatabase, requiredEnv, runSql } from '../src/testkit/database.js';
import { askUntil, InboxClient } from '../src/testkit/inbox-client.js';
import { issueToken } from '../src/testkit/set-up.js';

// @module-tag long

const repository = fileURLToPath(new URL('../..', import.meta.url));
let scratch: string;

beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'indbakke-commands-'));
});

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

type Env = Record<string, string | undefined>;

const OWN = { DATABASE_URL: undefined, DATABASE_OWNER_URL: undefined, PORT: '0' };

const launch = (command: string, args: string[], env: Env) => launchCommand(command, args, { ...OWN, ...env });

const run = (command: string, args: string[], env: Env = {}) => launch(command, args, env).ended;

const tool = (name: string, args: string[], env: Env = {}) =>
  spawnSync(process.execPath, [join(repository, 'tools', name), ...args], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });

describe('npm run reset', () => {
  function fill(folder: string, files: string[]): string {
    for (const file of files) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), '');
    }
    return folder;
  }

  const CREATED = [
    'content/0a/0b',
    'keys/master-keys.json',
    'postgres/cluster/password',
    'postgres.log',
    'test/99-1-ab/x',
  ];

  test('removes what Indbakke created, and the folder', () => {
    const folder = fill(join(scratch, 'created'), CREATED);
    expect(tool('reset.mjs', [], { STATE_DIR: folder })).toMatchObject({
      status: 0,
      stdout: `Nothing is left in ${folder}.\n`,
    });
    expect(existsSync(folder)).toBe(false);
  });

  test('keeps foreign files, even in folders of its own, and reports them', () => {
    const foreign = ['notes.txt', 'content/page.html', 'test/mine.ts', 'keys/house', 'postgres/docker.yml'];
    const folder = fill(join(scratch, 'foreign'), [...CREATED, ...foreign]);
    expect(tool('reset.mjs', [], { STATE_DIR: folder })).toMatchObject({
      status: 0,
      stdout: `Nothing of Indbakke is left in ${folder}. Other files stay: content, keys, notes.txt, postgres, test.\n`,
    });
    const left = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(left.map((entry) => entry.name).toSorted()).toEqual(foreign.map((file) => file.split('/').pop()).toSorted());
  });

  test('removes everything that a stack creates', async () => {
    const paths = statePaths({ STATE_DIR: join(scratch, 'keys') });
    await makeKeys(paths);
    await (await openFileBlobStore(paths.content)).mark();
    await (await startStandIn(paths, {}, () => {})).close();
    writeFileSync(join(paths.sftp, 'IN', 'not fetched.pdf'), '');
    expect(tool('reset.mjs', [], { STATE_DIR: paths.root }).status).toBe(0);
    expect(existsSync(paths.root)).toBe(false);
  });

  test('does nothing while a stack runs, and says how to stop it', () => {
    const paths = statePaths({ STATE_DIR: join(scratch, 'running') });
    writeLocalStack(paths, 'http://127.0.0.1:1');
    const { status, stderr } = tool('reset.mjs', [], { STATE_DIR: paths.root });
    expect(stderr).toContain(`Stop it with Ctrl-C, or: kill ${process.pid}.`);
    expect(status).toBe(1);
    expect(existsSync(paths.localFile)).toBe(true);
  });

  test.each([['--help'], ['-h'], ['--hlep']])('does nothing with the argument %s', (argument) => {
    const folder = fill(join(scratch, 'asked'), CREATED);
    const { stdout, stderr } = tool('reset.mjs', [argument], { STATE_DIR: folder });
    expect(stdout + stderr).toContain('npm run reset    stops');
    expect(readdirSync(folder)).toHaveLength(5);
  });
});

describe.each(['start', 'demo', 'results', 'config', 'migrate', 'prepare'])('the command %s', (command) => {
  test.each(['--help', '-h'])('prints only its usage with %s', (option) => {
    const { status, stdout } = tool('run.mjs', [command, option]);
    expect(stdout).toMatch(/^(DATABASE_OWNER_URL=\S+ )?npm (run )?\w+ {4}.+\n$/);
    expect(status).toBe(0);
  });
});

describe('npm run audit', () => {
  test('says that the log is whole, or where it is not, and prints the heads that --heads compares', async () => {
    const { url, ownerUrl, drop } = await createTestDatabase();
    const folder = join(scratch, 'audit');
    await makeKeys(statePaths({ STATE_DIR: folder }));
    const KEY_FILE = localSettings(statePaths({ STATE_DIR: folder })).KEY_FILE as string;
    await registerMunicipality(ownerUrl, { cvr: '33333333', name: 'Vestby', contactPoints: [] });
    const store = openStore({ url, connections: 2, name: 'audit' });
    for (const action of ['read', 'list'] as const) {
      const by = { municipality: '33333333', actor: { kind: 'user', id: 'anna' } } as const;
      await recordAudit(store, { by, at: new Date(), action });
    }
    const operator = { municipality: INSTALLATION, actor: { kind: 'user', id: 'bo' } } as const;
    await recordAudit(store, { by: operator, at: new Date(), action: 'quarantine-listed' });
    await numberChanges({ store, keys: await loadKeyRing(KEY_FILE) });
    await store.close();
    const audit = (...args: string[]) => run('audit', args, { DATABASE_OWNER_URL: ownerUrl, KEY_FILE });

    const whole = await audit('verify');
    expect(whole).toMatchObject({ status: 0, errors: 'The audit log is whole.\n' });
    expect(whole.output).toMatch(/^33333333 2 [0-9a-f]{64}\ninstallation 1 [0-9a-f]{64}\n$/);
    const heads = join(scratch, 'heads.txt');
    writeFileSync(heads, whole.output);
    expect(await audit('verify', '--heads', heads)).toMatchObject({ status: 0 });
    expect(await audit('verify', '--heads', heads, '--municipality', INSTALLATION)).toMatchObject({ status: 0 });

    await runSql(ownerUrl, `UPDATE audit_events SET actor = 'bo' WHERE position = 1 AND actor = 'anna'`);
    const altered = await audit('verify', '--heads', heads);
    expect(altered.status).toBe(1);
    expect(altered.errors).toBe(
      '33333333: position 1 is altered or moved, or behind one that is.\nThe audit log has 1 fault.\n',
    );
    await drop();
  });

  test('explains what it takes', async () => {
    expect(await run('audit', [])).toMatchObject({
      status: 1,
      errors: expect.stringContaining('npm run -s audit -- verify'),
    });
    const heads = join(scratch, 'no-heads.txt');
    writeFileSync(heads, 'something else\n');
    const wrong = await run('audit', ['verify', '--heads', heads]);
    expect(wrong).toMatchObject({ status: 1, errors: expect.stringContaining('Each line of --heads must be') });
    const elsewhere = await run('audit', ['verify'], { DATABASE_OWNER_URL: 'postgres://127.0.0.1:1/none' });
    expect(elsewhere).toMatchObject({ status: 1, errors: expect.stringMatching(/^Name with KEY_FILE the key file/) });
    const nowhere = await run('audit', ['verify'], { STATE_DIR: join(scratch, 'nowhere') });
    expect(nowhere).toMatchObject({ status: 1, errors: expect.stringMatching(/^There is no database here yet/) });
  });
});

const SIMULATOR = '../lab/simulator/main';
const RECEIVER = 'http://127.0.0.1:1';

test.each([
  ['scrub', ['--now'], "Unknown option '--now'"],
  ['scrub', ['now'], "Unexpected argument 'now'"],
  ['reapply-deletions', ['--dryrun'], "Unknown option '--dryrun'"],
  ['../lab/deletion-proof/main', ['--queue', 'postgres'], '--queue is one of postgresql, redis.'],
  ['../lab/deletion-proof/main', ['--without', 'scrubs'], '--without is one of deletion, scrub.'],
  ['../lab/personal-proof/main', ['--queue', 'postgres'], '--queue is one of postgresql, redis.'],
  [SIMULATOR, ['--url', 'https://127.0.0.1:1'], 'https needs --tls DIR: both sides show a certificate.'],
  [
    SIMULATOR,
    ['--url', RECEIVER, '--tls', '/none'],
    '--tls: /none does not have the certificates that --make-certificates makes',
  ],
  [SIMULATOR, ['--url', RECEIVER, '--json', '/none/x'], '--json: /none/x cannot be written (ENOENT).'],
  [SIMULATOR, ['--url', RECEIVER, '--inbox', RECEIVER], '--inbox and --tokens go together.'],
  [SIMULATOR, ['--url', RECEIVER, '--speed', '0'], '--speed is a number above 0, not "0".'],
  [SIMULATOR, ['--url', RECEIVER, '--path', 'rest'], '--path is like rest=/letters, not "rest".'],
])('%s %j says what is wrong and how it is used, and fails', async (command, args, sentence) => {
  const { status, output, errors } = await run(command, args);
  expect([status, output]).toEqual([1, '']);
  expect(errors).toMatch(/\n\nnpm run /);
  expect(errors.startsWith(sentence)).toBe(true);
});

test('npm run scrub says what it has written anew, and how far it is meanwhile', async () => {
  const { ownerUrl, drop } = await createTestDatabase();
  await runSql(ownerUrl, `INSERT INTO scrub.marks VALUES ('files')`);
  const { output, errors } = await run('scrub', [], { DATABASE_OWNER_URL: ownerUrl });
  expect(errors).toMatch(/^files: 0 rows, [\d.]+ s\n/);
  expect(output).toMatch(/^1 tables with 0 rows were written anew in .+ The write-ahead log was /);
  await drop();
});

test('npm run reapply-deletions says that the ledger is empty, as when the folder is wrong', async () => {
  const { url, drop } = await createTestDatabase();
  const paths = statePaths({ STATE_DIR: join(scratch, 'reapply') });
  await makeKeys(paths);
  const DELETION_LEDGER_URL = pathToFileURL(join(scratch, 'no-ledger')).href;
  const env = { ...localSettings(paths), DATABASE_URL: url, DELETION_LEDGER_URL };
  const { status, output, errors } = await run('reapply-deletions', ['--dry-run'], env);
  expect([status, output]).toEqual([1, '']);
  expect(errors).toContain(`The deletion ledger ${DELETION_LEDGER_URL} is empty.`);
  await drop();
});

describe('npm run municipality', () => {
  const example = join(repository, 'infra', 'municipality.example.yaml');

  test('applies a file: first to see what would change, then once; what it exports changes nothing', async () => {
    const { ownerUrl, drop } = await createTestDatabase();
    const municipality = (...args: string[]) => run('municipality', args, { DATABASE_OWNER_URL: ownerUrl });
    const dry = await municipality('apply', example, '--dry-run');
    expect(dry).toMatchObject({ status: 0, errors: '' });
    expect(dry.output).toContain('+ the municipality\n~ replyDays: null → 14\n');
    expect(dry.output).toMatch(/\n22222222: \d things would change\. Run it without --dry-run to do it\.\n$/);
    expect(await runSql(ownerUrl, 'SELECT FROM municipalities')).toEqual([]);
    expect((await municipality('apply', example)).output).toBe(dry.output.replace(/would change.*/, 'changed.'));
    await registerMunicipality(ownerUrl, { cvr: '22222222', contactPoints: [{ id: 'b', name: 'Sundhed' }] });
    expect((await municipality('apply', example)).output).toBe(
      '= contact point b Sundhed: not in the file\n22222222: nothing to change.\n',
    );
    const exported = join(scratch, 'exported.yaml');
    writeFileSync(exported, (await municipality('export', 'DK 22 22 22 22')).output);
    expect((await municipality('apply', exported)).output).toBe('22222222: nothing to change.\n');
    writeFileSync(exported, 'cvr: "22222222"\ncontactPoints: [{ id: b, name: Sundhed, kle: 29.00.00 }]\n');
    expect((await municipality('apply', exported)).output).toContain(
      '~ contact point b Sundhed: kle: null → "29.00.00"',
    );
    const audited = await runSql<{ action: string }>(
      ownerUrl,
      `SELECT action FROM audit_events WHERE actor = 'municipality-apply'`,
    );
    expect(audited.map(({ action }) => action)).toEqual(
      expect.arrayContaining(['municipality-changed', 'contact-point-added']),
    );
    await drop();
  }, 90_000);

  test.each([
    ['cvr: 22222222\n', '  cvr: must be text'],
    ['cvr: "22222222"\nreplyDays: 0\nheld: []\n', '  replyDays: '],
    ['cvr: "22222222"\nname: [\n', 'at line 3'],
    ['cvr: "55555555"\n', 'There is no municipality 55555555 yet. A new one needs a name.'],
  ])('says what is wrong with the file %j', async (text, fault) => {
    const { ownerUrl, drop } = await createTestDatabase();
    const file = join(scratch, 'wrong.yaml');
    writeFileSync(file, text);
    const { status, errors } = await run('municipality', ['apply', file], { DATABASE_OWNER_URL: ownerUrl });
    expect([status, errors]).toEqual([1, expect.stringContaining(fault)]);
    expect(await runSql(ownerUrl, 'SELECT FROM municipalities')).toEqual([]);
    await drop();
  });

  test('says that there is no database before the first npm start, and creates nothing', async () => {
    const folder = join(scratch, 'never-started');
    const { status, errors } = await run('municipality', ['apply', example], { STATE_DIR: folder });
    expect(errors).toMatch(/^There is no database here yet\. Run npm start once/);
    expect(status).toBe(1);
    expect(existsSync(folder)).toBe(false);
  });
});

describe('npm run migrate', () => {
  test.each([
    ['n0nsense', 'must be a URL that begins with postgres://'],
    ['postgres://a:s3cret@127.0.0.1:1/x', 'the database x at 127.0.0.1:1 is unreachable'],
  ])('says what is wrong with DATABASE_OWNER_URL=%s, without the password', async (url, sentence) => {
    const { status, errors } = await run('migrate', [], { DATABASE_OWNER_URL: url });
    expect(errors).toMatch(/^DATABASE_OWNER_URL: .+\n$/);
    expect(errors).toContain(sentence);
    expect(errors).not.toMatch(/s3cret|n0nsense/);
    expect(status).toBe(1);
  });
});

describe('npm run token', () => {
  test.each([
    ['no role', [], 'A user needs a role'],
    ['too many hours', ['--role', 'Indbakke.Drift', '--hours', '721'], '--hours must be a whole number from 1 to 720.'],
  ])('explains the error: %s', async (_name, args, sentence) => {
    const { status, output, errors } = await run('token', ['--municipality', '22222222', '--user', 'anna', ...args]);
    expect(errors).toContain(sentence);
    expect(output).toBe('');
    expect(status).toBe(1);
  });
});

describe('npm run token -- --operations', () => {
  test.each([
    [[], ['Indbakke.Drift']],
    [['--role', 'Indbakke.Karantæne'], ['Indbakke.Karantæne']],
  ])('prints a token of an operator: no municipality, %j has the roles %j', async (args, roles) => {
    const paths = statePaths({ STATE_DIR: join(scratch, 'operations') });
    await makeKeys(paths);
    const { output, status } = await run('token', ['--operations', ...args], { STATE_DIR: paths.root });
    expect(status).toBe(0);
    const claims = JSON.parse(Buffer.from(output.split('.')[1] as string, 'base64url').toString());
    expect(claims).toMatchObject({ sub: 'operator', aud: 'indbakke-operations', roles });
    expect(claims).not.toHaveProperty('municipality');
  });

  test.each([[['--municipality', '22222222']], [['--system']]])('takes no %j', async (args) => {
    const { status, errors } = await run('token', ['--operations', ...args]);
    expect(errors).toContain('--operations takes no municipality.');
    expect(status).toBe(1);
  });
});

describe('npm start', () => {
  // One PostgreSQL cluster for both: creating it takes most of the time.
  const folder = () => join(scratch, 'started');
  afterAll(() => removePostgres(folder()));

  /** A stack in its own process, ready. */
  async function started(stateDir: string) {
    const { child, ended } = launch('start', [], { STATE_DIR: stateDir, SHUTDOWN_SECONDS: '5' });
    let printed = '';
    child.stdout?.on('data', (text) => {
      printed += text;
    });
    const paths = statePaths({ STATE_DIR: stateDir });
    await expect.poll(() => readLocalStack(paths), { timeout: 40_000 }).toBeDefined();
    const server = serverOf(clusterOf(postgresHomeOf(stateDir)).dataDir);
    return { child, ended, server: server as NonNullable<typeof server>, printed: () => printed };
  }

  test('prints a link that opens the operations page, and ends at SIGTERM without warnings', {
    timeout: 60_000,
  }, async () => {
    const { child, ended, server, printed } = await started(folder());
    await expect.poll(printed).toMatch(/^ready$/m);
    const [link = ''] = /http:\S+\/ops\/sign-in\/once\?secret=\S+/.exec(printed()) ?? [];
    const { status: signedIn, headers } = await fetch(link);
    const cookie = headers.get('set-cookie')?.split(';')[0] ?? '';
    const page = await fetch(new URL('/ops', link), { headers: { cookie, accept: 'text/html' }, redirect: 'error' });
    expect([signedIn, page.status]).toEqual([200, 200]);
    for (const file of ['operations.mjs', 'operations.css', 'uPlot.esm.js', 'dkfds/css/dkfds.min.css']) {
      expect((await fetch(new URL(`/ops/static/${file}`, link))).status).toBe(200);
    }
    child.kill('SIGTERM');
    const { status, output, errors } = await ended;
    expect({ status, errors }).toEqual({ status: 0, errors: '' });
    expect(output).not.toMatch(/"level":"(warn|error)"/);
    expect(output).toContain('22222222 Eksempel Kommune, with the case BF-1');
    expect(startOf(server.pid)).toBeUndefined();
  });

  test('takes a document with its file by npm run send -- --document, and suggests its case', {
    timeout: 60_000,
  }, async () => {
    const { child, ended } = await started(folder());
    const paths = statePaths({ STATE_DIR: folder() });
    const { url, inFolder = '' } = readLocalStack(paths) as LocalStack;
    const inbox = new InboxClient(url, await issueToken(paths), AbortSignal.timeout(50_000));
    const core = inbox.as(await issueToken(paths, { system: true }));
    const caseId = randomUUID();
    await core.upsertCase(caseId, { status: 'open', caseworker: 'caseworker-1', parties: [] });
    const content = randomBytes(300_000);
    const file = join(scratch, 'Udtalelse fra skolen.pdf');
    writeFileSync(file, content);

    const sent = await run('send', ['--document', file, '--case', caseId], { STATE_DIR: folder() });
    expect(sent).toEqual({
      status: 0,
      errors: '',
      output: `${file} was taken as a document of 11111111 (ACCEPTERET), and its file is on its way by SFTP. See it under Indkomne dokumenter: ${url}/inbox\n`,
    });
    const [summary] = (await inbox.list()).items;
    const arrived = await askUntil(
      () => inbox.read(summary?.id ?? ''),
      ({ distribution, suggestion }) => distribution?.fileFetch?.status === 'done' && suggestion !== null,
    );
    expect(arrived).toMatchObject({
      subject: 'Udtalelse fra skolen',
      sender: { id: '11111111' },
      suggestion: { caseId, basis: 'sag-forslag' },
    });
    const fetched = await inbox.file(arrived.id, arrived.documents[0]?.files[0]?.id ?? '');
    expect(Buffer.from(await fetched.arrayBuffer()).equals(content)).toBe(true);
    expect(readdirSync(inFolder)).toEqual([]);
    for (const key of ['sftp-user.pem', 'sftp-host.pem']) expect(statSync(join(paths.keys, key)).mode & 0o077).toBe(0);

    writeFileSync(join(inFolder, 'Udtalelse fra skolen.pdf'), '');
    const again = await run('send', ['--document', file], { STATE_DIR: folder() });
    expect(again).toMatchObject({ status: 1, errors: expect.stringContaining('is not fetched yet') });
    child.kill('SIGTERM');
    expect(await ended).toMatchObject({ status: 0, errors: '' });
    const stopped = await run('send', ['--document', file], { STATE_DIR: folder() });
    expect(stopped).toMatchObject({ status: 1, errors: 'Indbakke is not running here. Start it with npm start.\n' });
  });

  test('says so and exits with 1 when its PostgreSQL is killed', { timeout: 60_000 }, async () => {
    const { ended, server } = await started(folder());
    process.kill(server.pid, 'SIGQUIT');
    const { status, errors } = await ended;
    expect(errors).toBe(
      `PostgreSQL (process ${server.pid}) has ended, and nothing works without it. Its log is ${join(folder(), 'postgres.log')}. Restart with npm start; stored data is still there.\n`,
    );
    expect(status).toBe(1);
  });

  const start = (stateDir: string, env: Env) =>
    startLocalStack({ paths: statePaths({ STATE_DIR: stateDir }), env: { PORT: '0', LOG_LEVEL: 'silent', ...env } });

  test('finds a taken port before it creates anything', async () => {
    const server = createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const folder = join(scratch, 'taken');
    await expect(start(folder, { PORT: String(port) })).rejects.toThrow(
      `Port ${port} on 127.0.0.1 is taken by another program. Set PORT to another one.`,
    );
    server.close();
    expect(existsSync(folder)).toBe(false);
  });

  test.each<[setting: string, value: string, fault: RegExp]>([
    [
      'DATABASE_URL',
      'postgres://a:s3cret@127.0.0.1:1/x',
      /^DATABASE_URL: the database x at 127.0.0.1:1 is unreachable \([^/]*ECONNREFUSED[^/]*\)\. .+\.?$/,
    ],
    ['PORT', 'abc', /^ {2}PORT: must be a whole number from 0 to 65535\.$/m],
    ['KEY_FILE', '/nowhere/keys.json', /^KEY_FILE: there is no \/nowhere\/keys\.json\. Correct .+\.$/],
    ['TOKEN_JWKS', 'file:///nowhere/jwks.json', /^TOKEN_JWKS: there is no \/nowhere\/jwks\.json\. Correct .+\.$/],
    ['BLOB_URL', new URL('../../package.json', import.meta.url).href, /^BLOB_URL: .+package\.json is a file\. .+\.$/],
    [
      'OPERATIONS_TOKEN_AUDIENCE',
      'indbakke',
      /^ {2}OPERATIONS_TOKEN_AUDIENCE: must differ from TOKEN_AUDIENCE, .+\.$/m,
    ],
    ['BLOB_URL', 'file://relative/x', /^BLOB_URL: .+three slashes.+\.?$/],
  ])('says in a sentence what is wrong with %s=%s', async (setting, value, fault) => {
    const { url, drop } = await createTestDatabase();
    await expect(start(join(scratch, 'faults'), { DATABASE_URL: url, [setting]: value })).rejects.toThrow(fault);
    await drop();
  });

  test('says that a database has no tables yet', async () => {
    await expect(start(join(scratch, 'faults'), { DATABASE_URL: requiredEnv('TEST_SUPERUSER_URL') })).rejects.toThrow(
      /^DATABASE_URL: .+ is not set up \(.+\)\. First run npm run migrate\.$/,
    );
  });

  test('says in a sentence that the state folder is not a folder', async () => {
    await expect(start(join(repository, 'package.json'), {})).rejects.toThrow(
      /^The state folder .+package\.json is not writable .+ Set STATE_DIR to .+\.$/,
    );
  });
});
