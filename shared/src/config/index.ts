import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { z } from 'zod';
import { readClamdUrl } from './clamd-url.js';
import { readRedisUrl } from './redis-url.js';

export { type ClamdAddress, readClamdUrl } from './clamd-url.js';
export { type RedisUrl, readRedisUrl } from './redis-url.js';

/** The issuer of a local stack, whose key is a file of this machine: whoever can read it is anybody. */
export const LOCAL_ISSUER = 'urn:indbakke:local';

/** The environment variables of a process. */
export type Env = Readonly<Record<string, string | undefined>>;

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const KiB = 1_024;
export const MiB = 1_024 * KiB;
export const GiB = 1_024 * MiB;

/** A setting whose value is never shown by `npm run config`. */
export const secret = <T extends z.ZodType>(schema: T) => schema.meta({ secret: true });

export const url = (...protocols: string[]) =>
  z.string().refine((value) => URL.canParse(value) && protocols.includes(new URL(value).protocol), {
    error: `must be a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
  });

// Lists of hosts are libpq’s: to node-postgres they are the name of one.
const SEVERAL_HOSTS = /^\w+:\/\/(?:[^/]*@)?(?![^/]*@)[^/]*,/;

const postgresUrl = () =>
  url('postgres:', 'postgresql:').refine((value) => !SEVERAL_HOSTS.test(value), {
    error: 'must name one host: an address that leads to the primary, or the standby (docs/postgresql.md)',
  });

/** Whether it is an address, or a network such as 10.0.0.0/8; not one of a zone, such as fe80::1%eth0. */
export function isNetwork(text: string): boolean {
  const [address = '', bits = '0', ...more] = text.split('/');
  const most = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  return more.length === 0 && !address.includes('%') && /^\d{1,3}$/.test(bits) && Number(bits) <= most;
}

export const commaSeparated = z.string().transform((list) => list.split(',').map((each) => each.trim()));

export const networks = commaSeparated.refine(
  (list) => list.every(isNetwork),
  'must be addresses or networks, such as 10.0.0.0/8, with commas between them',
);

/** `name=value` with commas between; a name may come more than once. */
const pairs = commaSeparated.transform((list, context) =>
  list.map((pair): readonly [string, string] => {
    const [, name = '', value = ''] = /^([^=]+)=(.+)$/.exec(pair) ?? [];
    if (name === '') context.addIssue('must be name=value, with commas between several');
    return [name.trim(), value.trim()];
  }),
);

export const wholeNumber = (min: number, max: number) => {
  const error = `must be a whole number from ${min} to ${max}`;
  return z.coerce
    .number({ error })
    .refine((value) => Number.isInteger(value) && value >= min && value <= max, { error });
};

const SHARE = 'must be a number from 0 to 1';

const isUrlOfPostgres = (value: string) => url('postgres:', 'postgresql:').safeParse(value).success;

const SENTINELS = 'The sentinels, with commas between, and their own user and password';

/** Where the jobs are: PostgreSQL, or one of three kinds of Redis. */
export const queueSettings = {
  QUEUE_URL: secret(
    z.string().refine((value) => isUrlOfPostgres(value) || readRedisUrl(value), {
      error: 'must be a URL that begins with postgres:// or postgresql:// or redis:// or rediss://',
    }),
  )
    .optional()
    .describe('Backend of the queue; default: DATABASE_URL'),
  QUEUE_REDIS: z
    .enum(['single', 'sentinel', 'cluster'])
    .default('single')
    .describe(
      'What QUEUE_URL names when it is Redis: one server, the master of QUEUE_SENTINELS, or nodes of a Cluster',
    ),
  QUEUE_SENTINELS: secret(
    z.string().refine((value) => readRedisUrl(value) && readRedisUrl(value)?.database === undefined, {
      error: 'must be the sentinels as redis://host:port,host:port or rediss://user:password@host:port,host:port',
    }),
  )
    .optional()
    .describe(SENTINELS),
  QUEUE_CA_FILE: z
    .string()
    .optional()
    .describe('Who may issue the certificates of Redis and its sentinels (PEM); none = the issuers that Node knows'),
  QUEUE_CERTIFICATE_FILE: z
    .string()
    .optional()
    .describe('Our certificate for them, and those of its issuers (PEM), where they ask for one'),
  QUEUE_KEY_FILE: z.string().optional().describe('Our key for it (PEM)'),
};

/** Where the master keys are: one of the two. */
export const keySettings = {
  KEY_FILE: z.string().min(1).optional().describe('File with the master keys, readable by the service only'),
  KEYS: secret(z.string()).optional().describe('The content of such a file, instead of KEY_FILE'),
};

/** How S3 is reached, where content or a ledger is there. The names are those that all of its clients know. */
export const s3Settings = {
  AWS_ENDPOINT_URL_S3: url('https:', 'http:')
    .optional()
    .describe('Server of s3:// places, such as https://s3.example.dk; default: AWS, in AWS_REGION'),
  AWS_REGION: z
    .string()
    .min(1)
    .default('us-east-1')
    .describe('Region of the buckets; other servers have their own name'),
  AWS_ACCESS_KEY_ID: secret(z.string().min(1))
    .optional()
    .describe('Key for s3:// places; without it, the role of the machine or the pod is asked for'),
  AWS_SECRET_ACCESS_KEY: secret(z.string().min(1)).optional().describe('The secret of that key'),
  AWS_SESSION_TOKEN: secret(z.string().min(1)).optional().describe('The token that belongs to a key for some time'),
};

/** What a process knows of S3. */
export type S3Settings = { readonly [Name in keyof typeof s3Settings]?: string | undefined };

/** The settings of all services, named like their environment variables. */
export const commonSettings = {
  HOST: z.string().default('127.0.0.1').describe('Address to listen on'),
  PORT: wholeNumber(0, 65_535).default(8080).describe('Port to listen on; 0 = any free one'),
  INBOX_PAGE: z
    .enum(['on', 'off'])
    .default('off')
    .describe('on = /inbox is served, and those who sign in there may call the API from it'),
  SF2900_SENDING: z
    .enum(['on', 'off'])
    .default('off')
    .describe(
      'on = rejected messages may be sent on to other authorities through Fordelingskomponenten, by a role for it',
    ),
  CLAMD_URL: z
    .string()
    .refine((value) => readClamdUrl(value) !== undefined, {
      error: 'must be tcp://host:port or unix:/path/of/the/socket',
    })
    .optional()
    .describe('clamd that scans files for malware before anybody opens them; not set = nothing is scanned'),
  SCAN_DOWN: z
    .enum(['hold', 'let-pass'])
    .default('hold')
    .describe('While clamd does not answer: hold = files stay closed, let-pass = they are opened unscanned'),
  OPS_PORT: wholeNumber(0, 65_535)
    .optional()
    .describe('Port of /ops and /metrics, to keep them off PORT; default: PORT'),
  KEEP_ALIVE_SECONDS: wholeNumber(1, 24 * 60 * 60)
    .default(620)
    .describe('How long an idle connection is kept: longer than the proxy keeps it. nginx 60 s, Caddy 120, Google 600'),
  TRUSTED_PROXIES: networks
    .optional()
    .describe('Proxies whose X-Forwarded-For tells where a call came from, for the audit log and failed sign-ins'),
  SIGN_IN_FAILURES_PER_MINUTE: wholeNumber(0, 1_000_000)
    .default(30)
    .describe('Failed sign-ins of one address in a minute; more are slowed, valid tokens never; 0 = none are'),
  REQUESTS_PER_MINUTE: wholeNumber(0, 1_000_000)
    .default(600)
    .describe('Calls of one user in a minute, of this process; 0 = without a limit'),
  SYSTEM_REQUESTS_PER_MINUTE: wholeNumber(0, 1_000_000)
    .default(30_000)
    .describe('The same of a system, for each user that it acts for; 0 = without a limit'),
  DATABASE_URL: secret(postgresUrl()).describe('PostgreSQL, as the login of the services'),
  DATABASE_READ_URL: secret(postgresUrl())
    .optional()
    .describe('The same database at a hot standby, for lists, counts and figures; default: DATABASE_URL alone'),
  DATABASE_CONNECTIONS: wholeNumber(2, 500).default(16).describe('Most connections per process'),
  ...queueSettings,
  BLOB_URL: url('file:', 's3:').describe('Place for sealed content: file:///folder or s3://bucket/prefix'),
  BLOB_URL_OTHER: url('file:', 's3:')
    .optional()
    .describe('Where else content may be, while it is moved from there or to there (docs/s3.md)'),
  ...s3Settings,
  ...keySettings,
  TOKEN_ISSUER: z.string().min(1).describe('Issuer of the bearer tokens of the inbox API'),
  TOKEN_AUDIENCE: z.string().min(1).default('indbakke').describe('Audience that tokens must name'),
  TOKEN_JWKS: url('https:', 'http:', 'file:').describe('URL of the issuer’s public keys'),
  TOKEN_TYPE: z
    .string()
    .min(1)
    .optional()
    .describe('Media type that tokens must name in typ, such as at+jwt; default: any or none'),
  TOKEN_CLAIMS: z
    .enum(['local', 'context-handler-2'])
    .default('local')
    .describe('What the issuer calls its claims, and whether roles come as privileges'),
  TOKEN_CLAIM_NAMES: pairs
    .optional()
    .describe('Claims that it calls otherwise, such as user=uuid,teams=groups (docs/access.md)'),
  TOKEN_SYSTEM: z
    .string()
    .regex(/^[a-z\d.-]+$/i, 'must be a host name, such as indbakke.example.dk')
    .optional()
    .describe('Address that the system is registered with at KOMBIT: it begins the URIs of our roles (docs/roller.md)'),
  TOKEN_ROLE_URIS: pairs
    .optional()
    .describe('Further URIs of roles, such as IndkomneDokumenter.Læs=http://dubu.example/roles/usersystemrole/laes/1'),
  TOKEN_CONSTRAINT_URIS: pairs
    .optional()
    .describe('Further URIs of data constraints, such as kle=http://example.dk/constraints/kle/2'),
  TOKEN_ASSURANCE: z
    .enum(['off', 'Low', 'Substantial', 'High'])
    .optional()
    .describe('Lowest NSIS level that users must sign in with; default: off for local, else Substantial'),
  TOKEN_SECOND_FACTOR: z
    .enum(['off', 'required'])
    .optional()
    .describe('Whether users must sign in with two factors; default: off for local, else required'),
  SYSTEM_TOKEN_ISSUER: z
    .string()
    .min(1)
    .optional()
    .describe('Another issuer, of tokens of systems, with our own claim names; default: TOKEN_ISSUER alone'),
  SYSTEM_TOKEN_JWKS: url('https:', 'http:', 'file:').optional().describe('URL of that issuer’s public keys'),
  OPERATIONS_TOKEN_ISSUER: z
    .string()
    .min(1)
    .optional()
    .describe('Issuer of the operators’ tokens; default: TOKEN_ISSUER'),
  OPERATIONS_TOKEN_AUDIENCE: z
    .string()
    .min(1)
    .default('indbakke-operations')
    .describe('Audience that operators’ tokens must name; not TOKEN_AUDIENCE'),
  OPERATIONS_TOKEN_JWKS: url('https:', 'http:', 'file:')
    .optional()
    .describe('URL of that issuer’s public keys; default: TOKEN_JWKS'),
  LOG_LEVEL: z
    .enum(['error', 'warn', 'info', 'debug', 'silent'])
    .default('info')
    .describe('Lowest level that is logged'),
  OTEL_EXPORTER_OTLP_ENDPOINT: url('http:', 'https:')
    .optional()
    .describe('Collector that traces are sent to, by OTLP over HTTP; default: no traces'),
  OTEL_TRACES_SAMPLER_ARG: z.coerce
    .number({ error: SHARE })
    .refine((value) => value >= 0 && value <= 1, { error: SHARE })
    .default(1)
    .describe('Share of the requests that are traced, 0 to 1; a caller with a traceparent decides for its own'),
  SHUTDOWN_SECONDS: wholeNumber(1, 600)
    .default(60)
    .describe('Time at shutdown for requests in flight, and again for workers'),
} satisfies z.ZodRawShape;

/** Of the services that seal content. */
export const sealingSettings = {
  SMALL_CONTENT_BYTES: wholeNumber(0, 256 * KiB)
    .default(64 * KiB)
    .describe('Sealed content up to this size is stored in the database: one sync instead of three; 0 = never'),
};

/** Of the services that keep or show the months of the audit log. */
export const auditSettings = {
  AUDIT_KEEP_MONTHS: wholeNumber(6, 120)
    .default(13)
    .describe('Whole months of the audit log that are kept, before the present one'),
};

/** Of the services that fill or show the quarantine. */
export const quarantineSettings = {
  QUARANTINE_LOOP_AFTER: wholeNumber(2, 1_000)
    .default(5)
    .describe('Refusals of the same bytes, or of the same messageUUID, that are a resend loop'),
};

/** Of the services that read or write what replies refer to. */
export const replySettings = {
  OWN_SYSTEM_ID: z
    .string()
    .min(1)
    .max(256)
    .default('DUBU')
    .describe('generatingSystemID of what the core sends; text ids in replies count only with it'),
};

/** What tells where the queue is. */
export const QueueConfig = z.object({ DATABASE_URL: commonSettings.DATABASE_URL, ...queueSettings });
export type QueueConfig = z.infer<typeof QueueConfig>;

export const CommonConfig = z.object(commonSettings);
export type CommonConfig = z.infer<typeof CommonConfig>;

/** All errors of a configuration, a sentence each. */
export class ConfigError extends Error {
  constructor(errors: readonly string[]) {
    const count = errors.length === 1 ? 'an error' : `${errors.length} errors`;
    super(`The configuration has ${count}:\n${errors.map((error) => `  ${error}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

/**
 * Reads a configuration from the environment, including defaults. A secret NAME may instead be the content of the file NAME_FILE.
 *
 * @throws ConfigError with all errors
 */
export function readConfig<Schema extends z.ZodObject>(schema: Schema, env: Env): z.infer<Schema> {
  const names = Object.keys(schema.shape);
  const taken = names.map((name) => (takesFile(schema, name) ? valueOrFile(env, name) : { value: env[name] }));
  const given = Object.fromEntries(names.map((name, n) => [name, taken[n]?.value || undefined]));
  const result = schema.safeParse(given);
  const faults = taken.flatMap(({ fault }) => fault ?? []);
  for (const { path, message } of result.error?.issues ?? []) {
    const name = String(path[0]);
    if (given[name] !== undefined) faults.push(`${name}: ${message}.`);
    else if (taken[names.indexOf(name)]?.fault === undefined)
      faults.push(`${name} is required: ${describe(schema, name)}.`);
  }
  faults.push(...faultsTogether(schema, given));
  if (result.success && faults.length === 0) return result.data;
  throw new ConfigError(faults);
}

/** Whether a setting may come from a file; KEYS has KEY_FILE for that. */
export const takesFile = (schema: z.ZodObject, name: string): boolean =>
  isSecret(schema, name) && !Object.hasOwn(keySettings, name);

interface Taken {
  readonly value?: string | undefined;
  /** Why the file cannot be used. */
  readonly fault?: string;
}

/** A secret from the environment, or what is in the file that NAME_FILE names, without space around it. */
function valueOrFile(env: Env, name: string): Taken {
  const [value, path] = [env[name], env[`${name}_FILE`]];
  if (!path) return { value };
  if (value) return { fault: `${name}_FILE: must not be set together with ${name}.` };
  try {
    return { value: readFileSync(path, 'utf8').trim() };
  } catch (error) {
    return { fault: `${name}_FILE: ${path} cannot be read (${(error as NodeJS.ErrnoException).code}).` };
  }
}

/** @throws ConfigError when its file cannot be used */
export function readSecret(env: Env, name: string): string | undefined {
  const { value, fault } = valueOrFile(env, name);
  if (fault) throw new ConfigError([fault]);
  return value || undefined;
}

/** What is wrong with two settings that are right each for itself. */
function faultsTogether(schema: z.ZodObject, given: Record<string, string | undefined>): string[] {
  const faults: string[] = [];
  const [audience, operationsAudience] = ['TOKEN_AUDIENCE', 'OPERATIONS_TOKEN_AUDIENCE'].map(
    (name) => (schema.shape[name] as z.ZodType | undefined)?.safeParse(given[name]).data,
  );
  if (audience !== undefined && audience === operationsAudience) {
    faults.push('OPERATIONS_TOKEN_AUDIENCE: must differ from TOKEN_AUDIENCE, or one token would do for both.');
  }
  for (const prefix of ['OPERATIONS_TOKEN', 'SYSTEM_TOKEN']) {
    if ((given[`${prefix}_ISSUER`] === undefined) === (given[`${prefix}_JWKS`] === undefined)) continue;
    faults.push(`${prefix}_ISSUER: must be set together with ${prefix}_JWKS, the keys of that issuer.`);
  }
  if (given.SYSTEM_TOKEN_ISSUER !== undefined && given.SYSTEM_TOKEN_ISSUER === given.TOKEN_ISSUER) {
    faults.push('SYSTEM_TOKEN_ISSUER: must differ from TOKEN_ISSUER, whose tokens are read by TOKEN_CLAIMS.');
  }
  faults.push(...faultsOfLocalIssuer(given), ...faultsOfQueue(given));
  if (given.TOKEN_CLAIMS === 'context-handler-2' && !given.TOKEN_SYSTEM && !given.TOKEN_ROLE_URIS) {
    faults.push('TOKEN_SYSTEM: is required with context-handler-2, or TOKEN_ROLE_URIS: else nobody has a role.');
  }
  if ((given.AWS_ACCESS_KEY_ID === undefined) !== (given.AWS_SECRET_ACCESS_KEY === undefined)) {
    faults.push('AWS_ACCESS_KEY_ID: must be set together with AWS_SECRET_ACCESS_KEY.');
  }
  if (given.BLOB_URL !== undefined && given.BLOB_URL === given.BLOB_URL_OTHER) {
    faults.push('BLOB_URL_OTHER: must differ from BLOB_URL.');
  }
  if ('KEY_FILE' in schema.shape && !given.KEY_FILE && !given.KEYS) {
    faults.push(`KEY_FILE is required, or KEYS: ${describe(schema, 'KEY_FILE')}; or the content of one.`);
  }
  if (given.KEY_FILE && given.KEYS)
    faults.push('KEYS: must not be set together with KEY_FILE, since one has the keys.');
  return faults;
}

function faultsOfQueue(given: Record<string, string | undefined>): string[] {
  const {
    QUEUE_URL = '',
    QUEUE_REDIS: kind = 'single',
    QUEUE_SENTINELS,
    QUEUE_KEY_FILE,
    QUEUE_CERTIFICATE_FILE,
  } = given;
  const redis = readRedisUrl(QUEUE_URL);
  const isSentinel = kind === 'sentinel';
  const isSecure = redis?.isSecure || (QUEUE_SENTINELS && readRedisUrl(QUEUE_SENTINELS)?.isSecure);
  const files = ['QUEUE_CA_FILE', 'QUEUE_CERTIFICATE_FILE', 'QUEUE_KEY_FILE'].filter((name) => given[name]);
  const faults: readonly (readonly [boolean, string])[] = [
    [kind !== 'single' && !redis, 'QUEUE_REDIS: goes with a QUEUE_URL that begins with redis:// or rediss://.'],
    [isSentinel && !QUEUE_SENTINELS, `QUEUE_SENTINELS is required with QUEUE_REDIS=sentinel: ${SENTINELS}.`],
    [!isSentinel && QUEUE_SENTINELS !== undefined, 'QUEUE_SENTINELS: goes with QUEUE_REDIS=sentinel only.'],
    [
      isSentinel && redis !== undefined && (redis.hosts.length > 1 || redis.hosts[0]?.port !== undefined),
      'QUEUE_URL: with QUEUE_REDIS=sentinel, its host is the name of the master, without a port: redis://mymaster.',
    ],
    [
      kind === 'single' && redis !== undefined && redis.hosts.length > 1,
      'QUEUE_URL: names several hosts, which goes with QUEUE_REDIS=cluster only.',
    ],
    [
      kind === 'cluster' && redis?.database !== undefined,
      'QUEUE_URL: with QUEUE_REDIS=cluster, it ends after the hosts, since a Cluster has no databases.',
    ],
    [
      files.length > 0 && !isSecure,
      `${files[0]}: goes with TLS only: QUEUE_URL or QUEUE_SENTINELS that begins with rediss://.`,
    ],
    [
      (QUEUE_KEY_FILE === undefined) !== (QUEUE_CERTIFICATE_FILE === undefined),
      'QUEUE_KEY_FILE: must be set together with QUEUE_CERTIFICATE_FILE, whose key it is.',
    ],
  ];
  return faults.flatMap(([isSo, fault]) => (isSo ? fault : []));
}

const ISSUERS = [
  'TOKEN_ISSUER',
  'SYSTEM_TOKEN_ISSUER',
  'OPERATIONS_TOKEN_ISSUER',
  'INBOX_OIDC_ISSUER',
  'OPS_OIDC_ISSUER',
];
const LOOPBACK = /^(?:127(?:\.\d{1,3}){3}|\[?::1\]?|localhost)$/i;

/** The local issuer is for this machine, and for a stack that has no other. */
function faultsOfLocalIssuer(given: Record<string, string | undefined>): string[] {
  const local = ISSUERS.find((name) => given[name] === LOCAL_ISSUER);
  if (!local) return [];
  const host = given.HOST ?? '127.0.0.1';
  const isReal = (issuer = LOCAL_ISSUER) => issuer !== LOCAL_ISSUER && !isOnLoopback(issuer);
  const real = ISSUERS.find((name) => isReal(given[name]));
  return [
    ...(LOOPBACK.test(host)
      ? []
      : [
          `${local}: ${LOCAL_ISSUER} is for this machine alone, so HOST must be a loopback address, such as 127.0.0.1.`,
        ]),
    ...(real
      ? [`${local}: ${LOCAL_ISSUER} does not go with another issuer, and ${real} names one. Set ${local} too.`]
      : []),
  ];
}

/** Whether a URL is of this machine. */
export const isOnLoopback = (url: string): boolean => URL.canParse(url) && LOOPBACK.test(new URL(url).hostname);

/** A configuration as lines for people: value and meaning of each setting, secrets hidden. */
export function showConfig(schema: z.ZodObject, config: Record<string, unknown>): string[] {
  return Object.keys(schema.shape).map((name) => {
    const value = config[name];
    const shown = value === undefined ? '(not set)' : isSecret(schema, name) ? '(secret)' : String(value);
    return `${name}=${shown}  # ${describe(schema, name)}`;
  });
}

function describe(schema: z.ZodObject, name: string): string {
  return (schema.shape[name] as z.ZodType | undefined)?.description ?? '';
}

/** Whether its value is never shown. */
export function isSecret(schema: z.ZodObject, name: string): boolean {
  let field = schema.shape[name] as z.ZodType | undefined;
  while (field) {
    if (field.meta()?.secret) return true;
    field = field instanceof z.ZodOptional || field instanceof z.ZodDefault ? (field.unwrap() as z.ZodType) : undefined;
  }
  return false;
}
