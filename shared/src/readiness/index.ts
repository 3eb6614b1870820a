/**
 * Why a part of a process cannot do its work, as `/readyz`, the metric and the log name it: a code, and what an operator
 * does about it. A test keeps docs/monitoring.md equal to this table.
 *
 * `http`: what `/readyz` answers. 503 when messages could not be stored or read, and for a fault of set-up, which no
 * waiting mends; 200 when a message can still be accepted.
 */
export const REASONS = {
  database: {
    'no-answer': {
      http: 503,
      meaning: 'PostgreSQL is down, starting or unreachable. Services reconnect on their own.',
    },
    'no-connection-free': {
      http: 503,
      meaning: 'All connections are in use. Raise DATABASE_CONNECTIONS, max_connections or the pooler’s pool.',
    },
    'login-refused': {
      http: 503,
      meaning: 'PostgreSQL refuses the login. Correct DATABASE_URL, or pg_hba.conf, which may demand TLS.',
    },
    'tls-failed': {
      http: 503,
      meaning: 'TLS to PostgreSQL fails. Correct sslmode in DATABASE_URL, or the certificate.',
    },
    'database-missing': { http: 503, meaning: 'The server has no such database. Correct DATABASE_URL.' },
    'read-only': {
      http: 503,
      meaning: 'The server is a standby or read-only. Name the primary in DATABASE_URL.',
    },
    'schema-missing': { http: 503, meaning: 'The database has no tables of Indbakke. Run npm run migrate.' },
    'schema-outdated': { http: 503, meaning: 'The database lacks migrations of this release. Run npm run migrate.' },
    'role-missing': {
      http: 503,
      meaning: 'The login is not a member of the role that the log names. GRANT it.',
    },
    'privileges-missing': {
      http: 503,
      meaning: 'A role lacks privileges or policies, as after a restore without them. Restore both.',
    },
    'pooler-in-transaction-mode': {
      http: 503,
      meaning: 'A pooler gives each transaction another server. Set it to session mode.',
    },
    'key-missing': {
      http: 503,
      meaning: 'KEY_FILE, or KEYS, lacks a master key of content here. Put the right one back, and restart.',
    },
    failing: { http: 503, meaning: 'Something else. The log has its errorCode.' },
  },
  content: {
    'no-answer': { http: 503, meaning: 'The disk or S3 does not answer, as when a network mount hangs.' },
    missing: { http: 503, meaning: 'The folder or bucket that BLOB_URL names is gone. Mount or create it.' },
    empty: {
      http: 503,
      meaning: 'The folder is empty, but the database names content. Mount or restore the right one.',
    },
    unknown: {
      http: 503,
      meaning: 'The folder is new, and the database does not say yet whether it names content.',
    },
    'no-access': {
      http: 503,
      meaning: 'The service may not write there. Correct owner or mode of the folder, or what the key may in S3.',
    },
    'login-refused': {
      http: 503,
      meaning: 'S3 refuses the key. Correct AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY or AWS_REGION.',
    },
    'tls-failed': {
      http: 503,
      meaning:
        'TLS to S3 fails. Name the issuer of its certificate in NODE_EXTRA_CA_CERTS, or correct AWS_ENDPOINT_URL_S3.',
    },
    'clock-wrong': { http: 503, meaning: 'S3 has another time than this machine. Correct the clock.' },
    'read-only': { http: 503, meaning: 'The folder is mounted read-only, as after a disk fault.' },
    full: { http: 503, meaning: 'The disk or its quota is full. Make room; never delete files there by hand.' },
    failing: { http: 503, meaning: 'Something else. The log has its errorCode.' },
  },
  queue: {
    'no-answer': { http: 200, meaning: 'Redis or PostgreSQL does not answer. Only suggestions wait.' },
    'login-refused': {
      http: 200,
      meaning: 'Redis, a sentinel or PostgreSQL refuses the login. Correct QUEUE_URL, or QUEUE_SENTINELS.',
    },
    'no-connection-free': { http: 200, meaning: 'All connections to PostgreSQL are in use, as for the database.' },
    'database-missing': { http: 200, meaning: 'The server has no such database. Correct QUEUE_URL.' },
    'tls-failed': {
      http: 200,
      meaning: 'TLS fails. Correct QUEUE_URL (rediss:// is TLS), QUEUE_CA_FILE, or the certificate.',
    },
    'may-evict': {
      http: 200,
      meaning: 'Redis may drop jobs when its memory is full. Set maxmemory-policy noeviction.',
    },
    'eviction-unknown': {
      http: 200,
      meaning: 'Redis does not tell its maxmemory-policy. Allow INFO.',
    },
    'too-old': { http: 200, meaning: 'Redis is older than 6.2. Upgrade it.' },
    cluster: { http: 200, meaning: 'Redis is a Cluster. Set QUEUE_REDIS=cluster.' },
    'no-cluster': { http: 200, meaning: 'Redis is no Cluster. Set QUEUE_REDIS=single, or sentinel.' },
    'cluster-down': { http: 200, meaning: 'Parts of the Cluster have no master. Only suggestions wait.' },
    'master-unknown': { http: 200, meaning: 'The sentinels know no master of that name. Correct QUEUE_URL.' },
    'read-only': { http: 200, meaning: 'Redis is a replica, or PostgreSQL a standby. Name the primary in QUEUE_URL.' },
    'schema-missing': { http: 503, meaning: 'The database has no schema bullmq. Run npm run migrate.' },
    'schema-outdated': { http: 503, meaning: 'The schema bullmq is older than this release. Run npm run migrate.' },
    'role-missing': { http: 503, meaning: 'The login is not a member of indbakke_queue. GRANT it.' },
    'pooler-in-transaction-mode': { http: 503, meaning: 'As for the database: LISTEN needs session mode.' },
    failing: { http: 200, meaning: 'Something else. The log has its errorCode.' },
  },
  tokens: {
    'no-answer': {
      http: 200,
      meaning:
        'TOKEN_JWKS is unreachable. Callers with keys unknown here get 503, and after ten minutes all callers with tokens; deliveries go on.',
    },
  },
  standby: {
    'no-answer': { http: 200, meaning: 'The standby is down, starting or unreachable, or a read there has failed.' },
    'no-connection-free': { http: 200, meaning: 'All connections to the standby are in use, as for the database.' },
    'login-refused': {
      http: 200,
      meaning: 'The standby refuses the login. Correct DATABASE_READ_URL, or pg_hba.conf.',
    },
    'tls-failed': { http: 200, meaning: 'TLS to the standby fails. Correct DATABASE_READ_URL, or the certificate.' },
    'database-missing': { http: 200, meaning: 'There is no such database. Correct DATABASE_READ_URL.' },
    'not-a-standby': {
      http: 200,
      meaning: 'It is no standby, as when it was promoted. Name one in DATABASE_READ_URL.',
    },
    'other-timeline': {
      http: 200,
      meaning: 'It does not follow the primary, or has not written a checkpoint since a failover (checkpoint_timeout).',
    },
    behind: { http: 200, meaning: 'It has lacked the newest commits for ten seconds. Look at its replay lag.' },
    failing: { http: 200, meaning: 'Something else. The log has its errorCode.' },
  },
} as const satisfies Record<string, Record<string, { http: 200 | 503; meaning: string }>>;

export type Part = keyof typeof REASONS;
/** Of any part. */
export type Reason = { [P in Part]: keyof (typeof REASONS)[P] }[Part];

/** Thrown by the check of a part. Any other error that a check throws is `failing`. */
export class NotReady extends Error {
  readonly reason: Reason;
  /** The role that is missing. */
  readonly role: string | undefined;

  constructor(reason: Reason, options: { role?: string; cause?: unknown } = {}) {
    super(reason, { cause: options.cause });
    this.reason = reason;
    this.role = options.role;
  }
}
