import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ArchiverConfig } from '../../../services/archiver/src/config.js';
import { JournalerConfig } from '../../../services/journaler/src/config.js';
import { OperationsConfig } from '../../../services/operations/src/config.js';
import { ReceiverConfig } from '../../../services/receiver/src/config.js';
import {
  CommonConfig,
  ConfigError,
  type RedisUrl,
  readConfig,
  readRedisUrl,
  readSecret,
  showConfig,
} from '../../src/config/index.js';

const ENV = {
  DATABASE_URL: 'postgres://service:s3cret@db.example/indbakke',
  BLOB_URL: 'file:///var/lib/indbakke',
  KEY_FILE: '/etc/indbakke/keys.json',
  TOKEN_ISSUER: 'https://login.example',
  TOKEN_JWKS: 'https://login.example/jwks',
};

describe.each([
  ['receiver', ReceiverConfig],
  ['journaler', JournalerConfig],
  ['archiver', ArchiverConfig],
  ['operations', OperationsConfig],
])('the %s', (_name, schema) => {
  it('requires five settings; all others have a default', () => {
    const config = readConfig(schema, ENV);
    expect(config).toMatchObject({ HOST: '127.0.0.1', PORT: 8080, TOKEN_AUDIENCE: 'indbakke', LOG_LEVEL: 'info' });
    for (const name of Object.keys(ENV)) {
      expect(() => readConfig(schema, { ...ENV, [name]: undefined })).toThrow(`${name} is required`);
    }
  });

  it('describes each setting', () => {
    for (const line of showConfig(schema, readConfig(schema, ENV))) expect(line).toMatch(/^[A-Z0-9_]+=.+ {2}# .+/);
  });
});

describe('readConfig', () => {
  const errorsOf = (env: Record<string, string | undefined>) => {
    try {
      readConfig(ReceiverConfig, env);
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      return (error as Error).message.split('\n');
    }
    throw new Error('There was no error.');
  };

  it('reports all errors at once, a sentence each', () => {
    const [title, ...errors] = errorsOf({
      ...ENV,
      PORT: '99999',
      DATABASE_URL: 'mysql://db',
      KEY_FILE: undefined,
      LOG_LEVEL: 'loud',
      SHUTDOWN_SECONDS: '1.5',
      SF1606_SOAP: 'yes',
    });
    expect(title).toBe('The configuration has 6 errors:');
    expect(errors).toHaveLength(6);
    for (const name of ['PORT', 'DATABASE_URL', 'KEY_FILE', 'LOG_LEVEL', 'SHUTDOWN_SECONDS', 'SF1606_SOAP']) {
      expect(errors.filter((error) => error.trim().startsWith(name))).toHaveLength(1);
    }
    for (const error of errors) expect(error).toMatch(/^ {2}[A-Z0-9_]+.*\.$/);
  });

  it('describes a missing setting', () => {
    expect(errorsOf({ ...ENV, KEY_FILE: undefined })).toEqual([
      'The configuration has an error:',
      '  KEY_FILE is required, or KEYS: File with the master keys, readable by the service only; or the content of one.',
    ]);
  });

  it('takes the master keys from KEY_FILE or from KEYS, but not from both', () => {
    const KEYS = '{"current":"s3cret"}';
    expect(readConfig(ReceiverConfig, { ...ENV, KEY_FILE: undefined, KEYS })).toMatchObject({ KEYS });
    expect(errorsOf({ ...ENV, KEYS })).toEqual([
      'The configuration has an error:',
      '  KEYS: must not be set together with KEY_FILE, since one has the keys.',
    ]);
  });

  it('treats an empty variable as missing', () => {
    expect(errorsOf({ ...ENV, KEY_FILE: '' })[1]).toMatch(/KEY_FILE is required/);
    expect(readConfig(ReceiverConfig, { ...ENV, PORT: '', QUEUE_URL: '' })).toMatchObject({ PORT: 8080 });
  });

  it.each<[string, Record<string, string>, string]>([
    [
      'one audience for both kinds of tokens',
      { TOKEN_AUDIENCE: 'indbakke-operations' },
      'OPERATIONS_TOKEN_AUDIENCE: must differ from TOKEN_AUDIENCE, or one token would do for both.',
    ],
    [
      'keys of operators without their issuer',
      { OPERATIONS_TOKEN_JWKS: 'https://idp/jwks' },
      'OPERATIONS_TOKEN_ISSUER: must be set together with OPERATIONS_TOKEN_JWKS, the keys of that issuer.',
    ],
    [
      'an issuer of operators without its keys',
      { OPERATIONS_TOKEN_ISSUER: 'https://idp' },
      'OPERATIONS_TOKEN_ISSUER: must be set together with OPERATIONS_TOKEN_JWKS, the keys of that issuer.',
    ],
    [
      'keys of systems without their issuer',
      { SYSTEM_TOKEN_JWKS: 'https://idp/jwks' },
      'SYSTEM_TOKEN_ISSUER: must be set together with SYSTEM_TOKEN_JWKS, the keys of that issuer.',
    ],
    [
      'one issuer for users and systems',
      { SYSTEM_TOKEN_ISSUER: ENV.TOKEN_ISSUER, SYSTEM_TOKEN_JWKS: 'https://idp/jwks' },
      'SYSTEM_TOKEN_ISSUER: must differ from TOKEN_ISSUER, whose tokens are read by TOKEN_CLAIMS.',
    ],
    [
      'Context Handler without our roles',
      { TOKEN_CLAIMS: 'context-handler-2' },
      'TOKEN_SYSTEM: is required with context-handler-2, or TOKEN_ROLE_URIS: else nobody has a role.',
    ],
    [
      'sentinels without the kind',
      { QUEUE_URL: 'redis://mymaster', QUEUE_SENTINELS: 'redis://a:26379,b:26379' },
      'QUEUE_SENTINELS: goes with QUEUE_REDIS=sentinel only.',
    ],
    [
      'the kind without sentinels',
      { QUEUE_URL: 'redis://mymaster', QUEUE_REDIS: 'sentinel' },
      'QUEUE_SENTINELS is required with QUEUE_REDIS=sentinel: The sentinels, with commas between, and their own user and password.',
    ],
    ...['redis://mymaster:6379', 'redis://one,two'].map((QUEUE_URL): [string, Record<string, string>, string] => [
      `servers where the name of a master belongs: ${QUEUE_URL}`,
      { QUEUE_URL, QUEUE_REDIS: 'sentinel', QUEUE_SENTINELS: 'redis://a' },
      'QUEUE_URL: with QUEUE_REDIS=sentinel, its host is the name of the master, without a port: redis://mymaster.',
    ]),
    ...['cluster', 'postgres'].map((what): [string, Record<string, string>, string] => [
      `a Cluster on ${what === 'postgres' ? 'PostgreSQL' : 'nothing'}`,
      { QUEUE_REDIS: 'cluster', QUEUE_URL: what === 'postgres' ? 'postgres://queue@db/queue' : '' },
      'QUEUE_REDIS: goes with a QUEUE_URL that begins with redis:// or rediss://.',
    ]),
    [
      'several hosts of one server',
      { QUEUE_URL: 'redis://a:6379,b:6379' },
      'QUEUE_URL: names several hosts, which goes with QUEUE_REDIS=cluster only.',
    ],
    [
      'a database of a Cluster',
      { QUEUE_URL: 'redis://a:6379,b:6379/1', QUEUE_REDIS: 'cluster' },
      'QUEUE_URL: with QUEUE_REDIS=cluster, it ends after the hosts, since a Cluster has no databases.',
    ],
    [
      'an issuer where there is no TLS',
      { QUEUE_URL: 'redis://a', QUEUE_CA_FILE: '/issuer.pem' },
      'QUEUE_CA_FILE: goes with TLS only: QUEUE_URL or QUEUE_SENTINELS that begins with rediss://.',
    ],
    [
      'a key without its certificate',
      { QUEUE_URL: 'rediss://a', QUEUE_KEY_FILE: '/key.pem' },
      'QUEUE_KEY_FILE: must be set together with QUEUE_CERTIFICATE_FILE, whose key it is.',
    ],
    [
      'sentinels in a form of their own',
      { QUEUE_URL: 'redis://mymaster', QUEUE_REDIS: 'sentinel', QUEUE_SENTINELS: 'a:26379,b:26379' },
      'QUEUE_SENTINELS: must be the sentinels as redis://host:port,host:port or rediss://user:password@host:port,host:port.',
    ],
    ...['0.0.0.0', '::', '10.0.0.5', '127.0.0.1.example.dk', 'inbox.example.dk'].map(
      (HOST): [string, Record<string, string>, string] => [
        `the local issuer on ${HOST}`,
        { HOST, TOKEN_ISSUER: 'urn:indbakke:local' },
        'TOKEN_ISSUER: urn:indbakke:local is for this machine alone, so HOST must be a loopback address, such as 127.0.0.1.',
      ],
    ),
    [
      'the local issuer for operators beside a real one',
      { OPERATIONS_TOKEN_ISSUER: 'urn:indbakke:local', OPERATIONS_TOKEN_JWKS: 'file:///jwks' },
      'OPERATIONS_TOKEN_ISSUER: urn:indbakke:local does not go with another issuer, and TOKEN_ISSUER names one. Set OPERATIONS_TOKEN_ISSUER too.',
    ],
    [
      'the local issuer for users beside a real one',
      {
        TOKEN_ISSUER: 'urn:indbakke:local',
        SYSTEM_TOKEN_ISSUER: 'https://core.example',
        SYSTEM_TOKEN_JWKS: 'https://core.example/jwks',
      },
      'TOKEN_ISSUER: urn:indbakke:local does not go with another issuer, and SYSTEM_TOKEN_ISSUER names one. Set TOKEN_ISSUER too.',
    ],
  ])('refuses %s', (_name, settings, error) => {
    expect(errorsOf({ ...ENV, ...settings })[1]).toBe(`  ${error}`);
    expect(errorsOf({ ...ENV, ...settings, PORT: 'x' })).toHaveLength(3); // together with other errors
  });

  it.each<[string, string, Partial<RedisUrl>]>([
    ['one server', 'redis://queue.example', { isSecure: false, hosts: [{ host: 'queue.example', port: undefined }] }],
    [
      'TLS, a login and a database',
      'rediss://indbakke:p%40ss@queue.example:6390/2',
      { isSecure: true, username: 'indbakke', password: 'p@ss', database: 2 },
    ],
    ['a password alone', 'redis://:secret@queue', { username: undefined, password: 'secret' }],
    [
      'several hosts, of which one is an address of IPv6',
      'redis://a:1,[::1]:2,10.0.0.3',
      {
        hosts: [
          { host: 'a', port: 1 },
          { host: '::1', port: 2 },
          { host: '10.0.0.3', port: undefined },
        ],
      },
    ],
  ])('reads where Redis is: %s', (_name, url, read) => {
    expect(readRedisUrl(url)).toMatchObject(read);
  });

  it.each(['redis://', 'redis://a,', 'redis://a b', 'redis://a/x', 'redis://a?family=6', 'http://a', 'redis://:%@a'])(
    'reads no Redis from %s',
    (url) => expect(readRedisUrl(url)).toBeUndefined(),
  );

  it.each(['127.0.0.1', '127.0.0.2', '::1', 'localhost'])('takes the local issuer on %s', (HOST) => {
    const local = {
      ...ENV,
      HOST,
      TOKEN_ISSUER: 'urn:indbakke:local',
      OPERATIONS_TOKEN_ISSUER: 'http://127.0.0.1:1',
      OPERATIONS_TOKEN_JWKS: 'file:///jwks',
    };
    expect(readConfig(ReceiverConfig, local)).toMatchObject({ HOST, TOKEN_ISSUER: 'urn:indbakke:local' });
  });

  it('takes proxies as addresses and networks, and nothing else', () => {
    const TRUSTED_PROXIES = '10.0.0.5, 10.1.0.0/16,2001:db8::/32';
    expect(readConfig(CommonConfig, { ...ENV, TRUSTED_PROXIES }).TRUSTED_PROXIES).toEqual([
      '10.0.0.5',
      '10.1.0.0/16',
      '2001:db8::/32',
    ]);
    expect(readConfig(CommonConfig, ENV).TRUSTED_PROXIES).toBeUndefined();
    for (const wrong of [
      'true',
      'proxy.example',
      '10.0.0.0/33',
      '10.0.0.0/',
      '10.0.0.5,',
      '10.0.0.0/8/8',
      'fe80::1%eth0',
    ]) {
      expect(errorsOf({ ...ENV, TRUSTED_PROXIES: wrong })).toHaveLength(2);
    }
  });

  describe('of a secret', () => {
    let file: string;

    beforeAll(() => {
      file = join(mkdtempSync(join(tmpdir(), 'indbakke-config-')), 'database-url');
      writeFileSync(file, 'postgres://service:s3cret@db.example/from-a-file\n');
    });

    afterAll(() => rmSync(dirname(file), { recursive: true }));

    it('takes what is in the file that NAME_FILE names', () => {
      const env = { ...ENV, DATABASE_URL: undefined, DATABASE_URL_FILE: file };
      expect(readConfig(CommonConfig, env).DATABASE_URL).toBe('postgres://service:s3cret@db.example/from-a-file');
      expect(readSecret(env, 'DATABASE_URL')).toBe('postgres://service:s3cret@db.example/from-a-file');
    });

    it('reports a file that cannot be read, without what it asks for instead', () => {
      const env = { ...ENV, DATABASE_URL: undefined, DATABASE_URL_FILE: '/nowhere', PORT: 'no' };
      expect(errorsOf(env)).toEqual([
        'The configuration has 2 errors:',
        '  DATABASE_URL_FILE: /nowhere cannot be read (ENOENT).',
        '  PORT: must be a whole number from 0 to 65535.',
      ]);
      expect(() => readSecret(env, 'DATABASE_URL')).toThrow('DATABASE_URL_FILE: /nowhere cannot be read (ENOENT).');
    });

    it('takes one of both only, and a file of nothing that is not secret', () => {
      expect(errorsOf({ ...ENV, DATABASE_URL_FILE: file })).toEqual([
        'The configuration has an error:',
        '  DATABASE_URL_FILE: must not be set together with DATABASE_URL.',
      ]);
      expect(errorsOf({ ...ENV, TOKEN_ISSUER: undefined, TOKEN_ISSUER_FILE: file })[1]).toMatch(
        'TOKEN_ISSUER is required',
      );
    });
  });

  it('takes one host of PostgreSQL, not a list of them as libpq does', () => {
    for (const hosts of ['a,b', 'a:5432,b:5432', 'u:p@a,b', 'u:p@a:5432,b'])
      expect(errorsOf({ ...ENV, DATABASE_URL: `postgres://${hosts}/indbakke` }).join()).toContain('must name one host');
    for (const DATABASE_READ_URL of ['postgres://u:p,w@a/indbakke', 'postgres://u:p@a/indbakke?x=1,2'])
      expect(readConfig(ReceiverConfig, { ...ENV, DATABASE_READ_URL })).toMatchObject({ DATABASE_READ_URL });
  });

  it('never quotes a value, which may be secret', () => {
    const message = errorsOf({
      ...ENV,
      DATABASE_URL: 'mysql://service:s3cret@db',
      QUEUE_URL: 'p4ss',
      QUEUE_SENTINELS: 'p4ss',
      PORT: 'p0rt',
    }).join();
    expect(message).not.toMatch(/s3cret|p4ss|p0rt/);
  });

  it('ignores other variables', () => {
    expect(readConfig(CommonConfig, { ...ENV, PATH: '/bin', PORTS: '1' })).not.toHaveProperty('PATH');
  });
});

describe('showConfig', () => {
  it('hides secrets and marks what is not set', () => {
    const shown = showConfig(CommonConfig, readConfig(CommonConfig, ENV)).join('\n');
    expect(shown).not.toContain('s3cret');
    expect(shown).toContain('DATABASE_URL=(secret)');
    expect(showConfig(CommonConfig, { DATABASE_READ_URL: 's3cret' }).join()).not.toContain('s3cret');
    expect(shown).toContain('QUEUE_URL=(not set)');
    expect(shown).toContain('KEY_FILE=/etc/indbakke/keys.json');
    const withKeys = { ...ENV, KEY_FILE: undefined, KEYS: '{"current":"s3cret"}' };
    expect(showConfig(CommonConfig, readConfig(CommonConfig, withKeys)).join('\n')).toMatch(/^KEYS=\(secret\) /m);
  });

  it('hides a secret that is optional or has a default', () => {
    const secret = z.string().meta({ secret: true });
    const schema = z.object({
      A: secret.optional().describe('a'),
      B: secret.default('b').describe('b'),
      C: z.string(),
    });
    const shown = showConfig(schema, { A: 'hidden-a', B: 'hidden-b', C: 'shown' });
    expect(shown.join()).not.toContain('hidden');
    expect(shown[2]).toContain('C=shown');
  });

  it('hides the addresses of a queue and of sentinels, which may hold passwords', () => {
    const config = readConfig(CommonConfig, {
      ...ENV,
      QUEUE_URL: 'rediss://:redispass@mymaster',
      QUEUE_REDIS: 'sentinel',
      QUEUE_SENTINELS: 'rediss://:sentinelpass@a,b',
    });
    expect(showConfig(CommonConfig, config).join()).not.toMatch(/redispass|sentinelpass/);
  });
});
