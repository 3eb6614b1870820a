import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ArchiverConfig } from '@indbakke/archiver';
import { JournalerConfig } from '@indbakke/journaler';
import { OperationsConfig } from '@indbakke/operations';
import { ReceiverConfig } from '@indbakke/receiver';
import { isSecret } from '@indbakke/shared/config';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { repository } from '../../tools/local-state.mjs';

// UPDATE_DOCS=1 npm test -- infra/test/chart.test.ts    writes what the chart has from elsewhere: settings, rules, dashboard;
// then npm run format.
// Templates are checked by npm run check-chart, which needs helm.

const CHART = join(repository, 'infra/deploy/chart');
const SERVICES = {
  receiver: ReceiverConfig,
  journaler: JournalerConfig,
  archiver: ArchiverConfig,
  operations: OperationsConfig,
} as const;
const ALL = z.object(Object.assign({}, ...Object.values(SERVICES).map(({ shape }) => shape)) as z.ZodRawShape);

/** Settings that the chart itself knows. */
const OF_THE_CHART = [
  'HOST',
  'PORT',
  'OPS_PORT',
  'KEY_FILE',
  'SF1606_TLS_PORT',
  'SF1606_TLS_KEY_FILE',
  'SF1606_TLS_CERTIFICATE_FILE',
];

const read = (path: string) => readFileSync(join(repository, path), 'utf8');
const valuesSchema = () => JSON.parse(read('infra/deploy/chart/values.schema.json'));

/** What is within optional and default. */
function bare(field: z.ZodType): z.ZodType {
  return field instanceof z.ZodOptional || field instanceof z.ZodDefault ? bare(field.unwrap() as z.ZodType) : field;
}

/** What a value of the chart may be; what it means is checked by the service, which says so at its start. */
function inChart(field: z.ZodType): object {
  const { description } = field;
  const inner = bare(field);
  if (inner instanceof z.ZodEnum) return { description, enum: inner.options };
  if (inner instanceof z.ZodNumber) return { description, type: ['number', 'string'], pattern: '^[0-9.]+$' };
  return { description, type: 'string', minLength: 1 };
}

const plainSettings = (schema: z.ZodObject) =>
  Object.keys(schema.shape)
    .filter((name) => !isSecret(schema, name) && !OF_THE_CHART.includes(name))
    .sort();

function definitions(): Record<string, object> {
  const settings = plainSettings(ALL).map((name) => [name, inChart(ALL.shape[name] as z.ZodType)]);
  const refs = Object.entries(SERVICES).map(([service, schema]) => [
    `${service}Settings`,
    {
      type: 'object',
      additionalProperties: false,
      properties: Object.fromEntries(
        plainSettings(schema).map((name) => [name, { $ref: `#/definitions/settings/properties/${name}` }]),
      ),
    },
  ]);
  return {
    secretSetting: { enum: Object.keys(ALL.shape).filter((name) => isSecret(ALL, name)) },
    settings: { type: 'object', additionalProperties: false, properties: Object.fromEntries(settings) },
    ...Object.fromEntries(refs),
  };
}

/** With UPDATE_DOCS=1 writes it. */
function expectFile(path: string, text: string): void {
  if (process.env.UPDATE_DOCS) writeFileSync(join(repository, path), text);
  else expect(read(path)).toBe(text);
}

it('the chart takes each setting of each service, and no other', () => {
  const schema = valuesSchema();
  const expected = { ...schema, definitions: { ...schema.definitions, ...definitions() } };
  if (process.env.UPDATE_DOCS) writeFileSync(join(CHART, 'values.schema.json'), JSON.stringify(expected, undefined, 2));
  else expect(schema).toEqual(JSON.parse(JSON.stringify(expected)));
});

it('the chart has the rules and the dashboard that everybody has', () => {
  expectFile('infra/deploy/chart/files/rules.yaml', read('infra/deploy/prometheus/rules.yaml'));
  expectFile('infra/deploy/chart/files/dashboard.json', read('infra/deploy/grafana/dashboard.json'));
});

describe('values.schema.json', () => {
  const validate = new Ajv({ allErrors: true, strict: false }).compile(valuesSchema());
  const defaults = parse(read('infra/deploy/chart/values.yaml'));
  const faultsOf = (values: object) => {
    validate({ ...defaults, ...values });
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) => `${instancePath} ${message} ${Object.values(params).join(' ')}`,
    );
  };

  it('takes the defaults, and describes each of them', () => {
    expect(faultsOf({})).toEqual([]);
    expect(Object.keys(valuesSchema().properties).sort()).toEqual([...Object.keys(defaults), 'global'].sort());
  });

  it.each([
    ['a setting that there is not', { config: { LOG_LEVL: 'info' } }, 'LOG_LEVL'],
    ['a setting of another service', { archiver: { ...defaults.archiver, config: { SF2900: 'on' } } }, 'SF2900'],
    ['on without quotes, which YAML reads as true', { config: { INBOX_PAGE: true } }, '/config/INBOX_PAGE'],
    ['a secret among the settings', { config: { DATABASE_URL: 'postgres://a:b@c/d' } }, 'DATABASE_URL'],
    ['a port of its own', { config: { PORT: 80 } }, 'PORT'],
    ['no keys', { secretSettings: ['DATABASE_URL'] }, '/secretSettings'],
    ['a value that is misspelt', { replica: 2 }, 'replica'],
    ['a mount of nothing', { mounts: [{ name: 'a', folder: '/a' }] }, '/mounts/0'],
  ])('refuses %s', (_what, values, named) => {
    expect(faultsOf(values).join('\n')).toContain(named);
  });
});

it('the defaults of the chart name its version as that of the project', () => {
  const { version } = JSON.parse(read('package.json'));
  expect(parse(readFileSync(join(CHART, 'Chart.yaml'), 'utf8'))).toMatchObject({ version, appVersion: version });
});
