import { readFile } from 'node:fs/promises';
import {
  type ClaimRules,
  createOperatorVerifier,
  createTokenVerifier,
  type IsRevoked,
  isRevoked,
  type OperatorVerifier,
  type TokenVerifier,
} from '../access/index.js';
import type { CommonConfig, QueueConfig } from '../config/index.js';
import { type BlobStore, inTwoPlaces, type Markable, onlyMarked, openBlobStore } from '../content/index.js';
import type { Scanning } from '../inbox/index.js';
import { type KeyRing, openKeyRing } from '../keys/index.js';
import { FailedSignIns, RequestLimits } from '../limits/index.js';
import { createLog, type Log } from '../log/index.js';
import { createMetrics, type Metrics, observeQueues, observeStandby } from '../metrics/index.js';
import { openQueues, type QueueServers, type Queues } from '../queue/index.js';
import { InboxSessions } from '../sign-in/index.js';
import { openStore, type Store } from '../store/index.js';
import { Tally } from './tally.js';
import { claimRulesOf, tokenIssuers } from './token-issuers.js';

/** What a process works with: opened once, shared by its services. */
export interface Parts {
  readonly store: Store;
  readonly blobs: BlobStore;
  readonly keys: KeyRing;
  readonly queues: Queues;
  readonly tokens: TokenVerifier;
  /** How the tokens and id tokens of users are read. */
  readonly claimRules: ClaimRules;
  readonly operators: OperatorVerifier;
  readonly isRevoked: IsRevoked;
  /** Undefined while the inbox page is off. */
  readonly inboxSessions: InboxSessions | undefined;
  /** SF2900_SENDING. */
  readonly sendsOn: boolean;
  /** Whether files are scanned for malware: CLAMD_URL and SCAN_DOWN. */
  readonly scanning: Scanning;
  readonly failedSignIns: FailedSignIns;
  readonly requestLimits: RequestLimits;
  readonly metrics: Metrics;
  readonly tally: Tally;
  readonly log: Log;
}

/** @throws Error with a sentence that begins with the setting at fault */
export async function openParts(config: CommonConfig, name: string): Promise<Parts> {
  const log = createLog(name, config.LOG_LEVEL);
  const keys = await opened(config.KEYS ? 'KEYS' : 'KEY_FILE', openKeyRing(config));
  const place = await openContent(config);
  const metrics = createMetrics();
  const store = openStore({
    url: config.DATABASE_URL,
    connections: config.DATABASE_CONNECTIONS,
    name,
    readUrl: config.DATABASE_READ_URL,
    onRead: (from) => metrics.reads.inc({ from }),
  });
  observeStandby(metrics, store);
  const revoked: IsRevoked = (revocable) => isRevoked({ store, keys }, revocable);
  const claimRules = claimRulesOf(config);
  const tokens = await opened('TOKEN_JWKS', createTokenVerifier(tokenIssuers(config, claimRules), revoked));
  const users = { issuer: config.TOKEN_ISSUER, rules: claimRules };
  const forOperators = {
    issuer: config.OPERATIONS_TOKEN_ISSUER ?? config.TOKEN_ISSUER,
    audience: config.OPERATIONS_TOKEN_AUDIENCE,
    jwks: config.OPERATIONS_TOKEN_JWKS ?? config.TOKEN_JWKS,
  };
  const operators = await opened('OPERATIONS_TOKEN_JWKS', createOperatorVerifier(forOperators, users));
  const blobs = onlyMarked(place, () => hasContent(store));
  const queues = openQueues({ ...(await queueServersOf(config)), log });
  observeQueues(metrics, queues);
  const inboxSessions = config.INBOX_PAGE === 'on' ? new InboxSessions(keys) : undefined;
  const failedSignIns = new FailedSignIns(config, metrics);
  const requestLimits = new RequestLimits(config, metrics);
  return {
    store,
    blobs,
    keys,
    queues,
    tokens,
    claimRules,
    operators,
    isRevoked: revoked,
    inboxSessions,
    sendsOn: config.SF2900_SENDING === 'on',
    scanning: { isOn: config.CLAMD_URL !== undefined, letsPass: config.SCAN_DOWN === 'let-pass' },
    failedSignIns,
    requestLimits,
    metrics,
    tally: new Tally(),
    log,
  };
}

/** @throws Error with a sentence that begins with the setting at fault */
export async function queueServersOf(config: QueueConfig): Promise<QueueServers> {
  const pem = async (setting: 'QUEUE_CA_FILE' | 'QUEUE_CERTIFICATE_FILE' | 'QUEUE_KEY_FILE') => {
    const file = config[setting];
    return file === undefined ? undefined : await opened(setting, readFile(file));
  };
  const [ca, cert, key] = [
    await pem('QUEUE_CA_FILE'),
    await pem('QUEUE_CERTIFICATE_FILE'),
    await pem('QUEUE_KEY_FILE'),
  ];
  return {
    url: config.QUEUE_URL ?? config.DATABASE_URL,
    redis: config.QUEUE_REDIS,
    sentinels: config.QUEUE_SENTINELS,
    tls: { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) },
  };
}

async function openContent(config: CommonConfig): Promise<Markable> {
  const place = await opened('BLOB_URL', openBlobStore(config.BLOB_URL, config));
  if (config.BLOB_URL_OTHER === undefined) return place;
  return inTwoPlaces(place, await opened('BLOB_URL_OTHER', openBlobStore(config.BLOB_URL_OTHER, config)));
}

/** Whether the database names any content. */
async function hasContent(store: Store): Promise<boolean> {
  const rows = await store.sweep('SELECT FROM messages WHERE blob_name IS NOT NULL LIMIT 1');
  return rows.length > 0;
}

const noAccess = (path: string) => `this user may not use ${path}. Grant access or correct the setting`;

/** What error codes of files and folders mean for the operator. */
const FAULTS: Readonly<Record<string, (path: string) => string>> = {
  ENOENT: (path) => `there is no ${path}. Correct the setting or create the file`,
  EACCES: noAccess,
  EPERM: noAccess,
  EROFS: (path) => `${path} is read-only. Name a writable place`,
  EISDIR: () => 'it names a folder. Name a file',
  EEXIST: (path) => `${path} is a file. Name a folder`,
  ENOTDIR: (path) => `part of ${path} is a file. Name a folder`,
  ERR_INVALID_FILE_URL_HOST: () =>
    'it names a host. A file URL has three slashes and an absolute path: file:///folder/name',
  ERR_INVALID_FILE_URL_PATH: () => 'its path is not valid on this system. Write it like file:///folder/name',
};

async function opened<Part>(setting: keyof CommonConfig, opening: Promise<Part>): Promise<Part> {
  try {
    return await opening;
  } catch (cause) {
    const { code = '', path = 'such file', message } = cause as NodeJS.ErrnoException;
    const fault = cause instanceof SyntaxError ? 'what it names is not JSON' : FAULTS[code]?.(path);
    throw new Error(`${setting}: ${fault ?? message.replace(/\.$/, '')}.`, { cause });
  }
}
