import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../infra/src/testkit/database.js';
import { openStore, Prisma, type Store } from '../../src/store/index.js';

// The second line of defence: what PostgreSQL refuses, whatever our code does. Every statement here uses the login of the
// services, on a separate connection.

const [A, B] = ['22222222', '33333333'] as const;

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
  for (const municipality of [A, B]) await fill(municipality);
});

afterAll(() => database.drop());

const OWNER = { owner_kind: 'user', owner: 'test' };
const SEALED = { container: Buffer.from('c'), content_size: 1, key_id: 'k', wrapped_key: Buffer.from('w') };

/** A row for every table with rows of municipalities, in an order that the foreign keys allow. */
function rowsOf(municipality: string): Record<string, Record<string, unknown>> {
  const [id, at] = [randomUUID(), '2026-11-02T08:00:00Z'];
  const ofMessage = { message_id: id, municipality };
  const [extract, file, webhook, delivery] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
  const accessPackage = randomUUID();
  const zip = randomUUID();
  const distribution = randomUUID();
  return {
    municipalities: { cvr: municipality, name: 'Kommune' },
    contact_points: { municipality, contact_point_id: 'c', name: 'Børn og familie' },
    departments: { municipality, department_id: 'd', name: 'Teknik og Miljø' },
    contact_point_checks: { municipality, contact_point_id: 'c', code: 'k', started_at: at, started_by: 'anna' },
    cases: { municipality, case_id: 'K-1', suggestions_due: randomUUID() },
    absences: {
      municipality,
      user_id: 'anna',
      substitute: 'bo',
      from_at: at,
      until_at: '2026-12-01T08:00:00Z',
      set_by: 'anna',
    },
    sent_messages: { municipality, message_uuid: 'u', case_id: 'K-1' },
    messages: {
      id,
      municipality,
      channel: 'sf1606',
      external_id: 'e',
      fingerprint: Buffer.from('f'),
      kind: 'enquiry',
      received_at: at,
      letter_at: at,
      transmission_id: randomUUID(),
      document_count: 1,
      file_count: 1,
      content_size: 1,
      blob_name: randomUUID(),
      remarks: '[]',
      status: 'pending',
      status_at: at,
      status_by: 'test',
      next_enqueue_at: at,
    },
    message_details: {
      ...ofMessage,
      subject: 's',
      sender_id: '4101019999',
      sender_id_type: 'CPR',
      sender_name: 'n',
      contact_info: '[]',
      original_format: 'memo',
      original: Buffer.from('<Message/>'),
    },
    message_contents: { ...ofMessage, container: Buffer.from('c') },
    message_parties: {
      ...ofMessage,
      role: 'sender',
      number: '4101019999',
      status: 'pending',
      received_at: at,
      letter_at: at,
    },
    message_words: { ...ofMessage, status: 'pending', received_at: at, words: '' },
    message_keys: { ...ofMessage, key_id: 'k', wrapped_key: Buffer.from('w') },
    documents: { ...ofMessage, position: 0, role: 'main' },
    files: {
      ...ofMessage,
      id: randomUUID(),
      document_position: 0,
      position: 0,
      file_name: 'f',
      encoding_format: 'text/plain',
      language: 'da',
      status: 'missing',
      size: 0,
    },
    distributions: {
      ...ofMessage,
      object_type: 'DOKUMENT',
      object_id: randomUUID(),
      transaction_id: randomUUID(),
      sender: '11111111',
    },
    file_fetches: {
      ...ofMessage,
      id: randomUUID(),
      name_digest: Buffer.from('n'),
      since: at,
      next_enqueue_at: at,
    },
    message_scans: { ...ofMessage, since: at, next_enqueue_at: at },
    business_receipts: { ...ofMessage, id: randomUUID(), code: 'AFVIST', at, next_enqueue_at: at },
    onward_distributions: {
      ...ofMessage,
      id: distribution,
      recipient: '11111111',
      kle: '27.24.00',
      at,
      asked_by: 'test',
      next_enqueue_at: at,
    },
    onward_distribution_texts: { ...ofMessage, distribution_id: distribution, title: 't' },
    reply_references: { ...ofMessage, position: 0, kind: 'case-id', value: 'K-1' },
    journalizations: { ...ofMessage, case_id: 'K-1', at, by: 'test' },
    legal_holds: { ...ofMessage, id: randomUUID(), reason: 'r', set_at: at, set_by: 'test' },
    events: { ...ofMessage, id: randomUUID(), type: 'accepted', status: 'pending', version: 1, at },
    audit_events: {
      ...ofMessage,
      id: randomUUID(),
      at,
      actor_kind: 'user',
      actor: 'test',
      action: 'read',
      details: '{}',
    },
    content_removals: { municipality, blob_name: randomUUID(), requested_at: at },
    idempotency_keys: {
      municipality,
      key_digest: Buffer.from('k'),
      request_digest: Buffer.from('r'),
      answer: '{}',
      at,
    },
    extract_owners: { ...OWNER, municipality, roles: [], teams: [], seen_at: at },
    extracts: {
      ...OWNER,
      ...SEALED,
      id: extract,
      municipality,
      every: 'day',
      at_time: '07:00',
      keep_days: 1,
      created_at: at,
      next_run_at: at,
      next_enqueue_at: at,
    },
    extract_files: {
      ...SEALED,
      id: file,
      extract_id: extract,
      municipality,
      due_at: at,
      made_at: at,
      expires_at: at,
      row_count: 1,
      is_truncated: false,
      roles: [],
      teams: [],
      sha256: Buffer.from('s'),
    },
    extract_file_messages: { ...ofMessage, file_id: file },
    feed_heads: { municipality },
    message_subjects: { ...ofMessage, kind: 'case', key: 'K-1' },
    unhashed_messages: ofMessage,
    audit_anchors: {
      municipality,
      first_position: 1,
      last_position: 2,
      last_hash: Buffer.from('h'),
      month: '2025-10',
      seal: Buffer.from('s'),
    },
    webhooks: {
      id: webhook,
      municipality,
      url: 'https://core.example/hook',
      event_types: [],
      secret: Buffer.from('s'),
      secret_key_id: 'k',
      position: 0,
      created_at: at,
      enabled_at: at,
    },
    webhook_deliveries: {
      webhook_id: webhook,
      id: delivery,
      municipality,
      body: '{}',
      created_at: at,
      give_up_at: at,
      next_enqueue_at: at,
    },
    webhook_attempts: { webhook_id: webhook, delivery_id: delivery, number: 1, municipality, at, milliseconds: 1 },
    access_packages: {
      ...OWNER,
      id: accessPackage,
      municipality,
      citizen: Buffer.from('c'),
      request: Buffer.from('r'),
      request_size: 1,
      request_key_id: 'k',
      request_wrapped_key: Buffer.from('w'),
      requested_at: at,
      expires_at: at,
      next_enqueue_at: at,
    },
    access_package_messages: { ...ofMessage, package_id: accessPackage },
    zip_downloads: {
      ...OWNER,
      id: zip,
      municipality,
      roles: [],
      teams: [],
      include: [],
      requested_at: at,
      expires_at: at,
      files_size: 1,
      next_enqueue_at: at,
    },
    zip_download_messages: { ...ofMessage, zip_id: zip, position: 1 },
    ledger_days: {
      municipality,
      day: '2026-11-02',
      file: 'f',
      received: 1,
      fates: '{}',
      made_at: at,
      event_position: 1,
    },
    ledger_differences: { municipality, kind: 'gone', subject: id, found_at: at, seen_at: at },
  };
}

function insert(table: string, row: Record<string, unknown>): { text: string; values: unknown[] } {
  const columns = Object.keys(row);
  const text = `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map((_, n) => `$${n + 1}`).join(', ')})`;
  return { text, values: Object.values(row) };
}

async function fill(municipality: string): Promise<void> {
  for (const [table, row] of Object.entries(rowsOf(municipality))) {
    const { text, values } = insert(table, row);
    await database.sql(text, values);
  }
}

const TABLES = Object.keys(rowsOf(A));

/** Of no municipality: for a transaction that is bound to the installation. */
const ENTRY = {
  id: randomUUID(),
  content_hash: Buffer.from('h'),
  reason: 'not-xml',
  endpoint: 'rest',
  caller: '127.0.0.1',
  size: 1,
  first_at: '2026-11-02T08:00:00Z',
  last_at: '2026-11-02T08:00:00Z',
  transmission_id: randomUUID(),
};

/** What operations watch: no rows of municipalities, so nothing for the app. */
const OF_INSTALLATION = ['copies', 'daily_sizes', 'master_keys', 'minute_figures', 'outages', 'refused_deliveries'];

/** Runs `work` with the login of the services in one of its roles, for one municipality or none; nothing is committed. */
async function as<T>(
  role: string | undefined,
  municipality: string | undefined,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    await client.query('BEGIN');
    if (role !== undefined) await client.query(`SET LOCAL ROLE ${role}`);
    if (municipality !== undefined) {
      await client.query(`SELECT set_config('indbakke.municipality', $1, true)`, [municipality]);
    }
    return await work(client);
  } finally {
    await client.end();
  }
}

const countIn =
  (table: string, condition = 'true') =>
  async (client: pg.Client) => {
    const { rows } = await client.query<{ count: number }>(`SELECT count(*)::int FROM ${table} WHERE ${condition}`);
    return rows[0]?.count;
  };

const DENIED = { code: '42501' }; // insufficient_privilege, also for a violated policy

describe('every table', () => {
  it('of schema public that has a municipality has row-level security, with a policy for the app', async () => {
    const tables = await database.sql<{
      name: string;
      secured: boolean;
      policies: string[];
    }>(`SELECT c.relname AS name, c.relrowsecurity AS secured,
              ARRAY(SELECT polname::text FROM pg_policy WHERE polrelid = c.oid ORDER BY 1) AS policies
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p')
         AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'municipality' AND NOT a.attisdropped)
       ORDER BY 1`);
    for (const { name, secured, policies } of tables) {
      expect({ name, secured, policies }).toEqual({
        name,
        secured: true,
        policies: expect.arrayContaining(['tenant']),
      });
    }
    const tried = TABLES.filter((table) => table !== 'municipalities');
    expect(
      tables.map(({ name }) => name),
      'a new table requires a row in rowsOf() above',
    ).toEqual(tried.toSorted());
  });

  it('of schema public without a municipality is closed to the services', async () => {
    const tables = await database.sql<{
      name: string;
    }>(`SELECT DISTINCT g.table_name AS name FROM information_schema.table_privileges g
       WHERE g.table_schema = 'public' AND g.grantee LIKE 'indbakke%' ORDER BY 1`);
    expect(tables.map(({ name }) => name)).toEqual(expect.not.arrayContaining(['_prisma_migrations']));
    expect([...TABLES, 'quarantine_entries', 'handovers', 'ledger_files', 'revocations', ...OF_INSTALLATION]).toEqual(
      expect.arrayContaining(tables.map(({ name }) => name)),
    );
  });

  it('is closed to the login itself, which has privileges only through its roles', async () => {
    for (const table of TABLES) await expect(as(undefined, A, countIn(table))).rejects.toMatchObject(DENIED);
  });
});

describe.each(TABLES)('indbakke_app in %s', (table) => {
  const column = table === 'municipalities' ? 'cvr' : 'municipality';

  it('sees nothing while no municipality is set', async () => {
    expect(await as('indbakke_app', undefined, countIn(table))).toBe(0);
    expect(await as('indbakke_app', '', countIn(table))).toBe(0);
  });

  it('sees the rows of its municipality, and of no other', async () => {
    expect(await as('indbakke_app', A, countIn(table))).toBe(1);
    expect(await as('indbakke_app', A, countIn(table, `${column} = '${B}'`))).toBe(0);
  });

  it('cannot write a row for another municipality', async () => {
    const { text, values } = insert(table, rowsOf(B)[table] as Record<string, unknown>);
    await expect(as('indbakke_app', A, (client) => client.query(text, values))).rejects.toMatchObject(DENIED);
  });

  it('cannot change or remove a row of another municipality', async () => {
    // Either the privilege is missing or the row is invisible: nothing changes.
    for (const statement of [
      `UPDATE ${table} SET ${column} = ${column} WHERE ${column} = '${B}'`,
      `DELETE FROM ${table} WHERE ${column} = '${B}'`,
    ]) {
      const changed = as('indbakke_app', A, async (client) => (await client.query(statement)).rowCount);
      expect(await changed.catch((error: { code: string }) => error.code)).toBeOneOf([0, DENIED.code]);
    }
  });
});

describe.each(OF_INSTALLATION)('%s', (table) => {
  it('is closed to the app and to the login itself; sweeps read it', async () => {
    for (const role of ['indbakke_app', undefined]) {
      for (const bound of [A, 'installation']) {
        await expect(as(role, bound, countIn(table))).rejects.toMatchObject(DENIED);
      }
    }
    expect(await as('indbakke_worker', undefined, countIn(table))).toBe(0);
  });
});

it('nobody changes or removes an outage', async () => {
  for (const statement of ['UPDATE outages SET until_at = now()', 'DELETE FROM outages']) {
    await expect(as('indbakke_worker', undefined, (client) => client.query(statement))).rejects.toMatchObject(DENIED);
  }
});

describe('indbakke_app in handovers', () => {
  const C = '44444444';
  const offer = (from: string, to: string) =>
    insert('handovers', {
      id: randomUUID(),
      from_municipality: from,
      to_municipality: to,
      message_id: randomUUID(),
      case_id: 'K-1',
      kind: 'reply',
      received_at: '2026-11-02T08:00:00Z',
      letter_at: '2026-11-02T08:00:00Z',
      is_concern: false,
      file_count: 1,
      attachment_count: 0,
      content_size: 1,
      offered_at: '2026-11-02T09:00:00Z',
      offered_by: 'anna',
      expires_at: '2026-11-16T09:00:00Z',
    });
  const end = `UPDATE handovers SET status = 'withdrawn', ended_at = now(), ended_by = 'anna'`;

  beforeAll(async () => {
    const { text, values } = offer(A, B);
    await database.sql(text, values);
  });

  it('an offer is seen by both sides, and by nobody else', async () => {
    for (const side of [A, B]) expect(await as('indbakke_app', side, countIn('handovers'))).toBe(1);
    for (const other of [C, '', undefined]) expect(await as('indbakke_app', other, countIn('handovers'))).toBe(0);
  });

  it('is made by the side that has the message only', async () => {
    const { text, values } = offer(A, B);
    for (const other of [B, C]) {
      await expect(as('indbakke_app', other, (client) => client.query(text, values))).rejects.toMatchObject(DENIED);
    }
  });

  it('is ended by either side and nobody else, and nothing else of it is changed', async () => {
    const changed = (by: string, statement: string) =>
      as('indbakke_app', by, async (client) => (await client.query(statement)).rowCount);
    for (const side of [A, B]) expect(await changed(side, end)).toBe(1);
    expect(await changed(C, end)).toBe(0);
    for (const column of ['to_municipality', 'message_id', 'case_id', 'expires_at']) {
      await expect(changed(A, `UPDATE handovers SET ${column} = ${column}`)).rejects.toMatchObject(DENIED);
    }
    await expect(changed(A, 'DELETE FROM handovers')).rejects.toMatchObject(DENIED);
  });
});

describe('indbakke_app in quarantine_entries', () => {
  const { text, values } = insert('quarantine_entries', ENTRY);

  beforeAll(() => database.sql(text, values));

  it.each([undefined, '', A, B, `${A}' OR '1' = '1`, 'INSTALLATION'])(
    'sees and changes nothing as %s',
    async (bound) => {
      expect(await as('indbakke_app', bound, countIn('quarantine_entries'))).toBe(0);
      for (const statement of ['UPDATE quarantine_entries SET count = 9', 'DELETE FROM quarantine_entries']) {
        expect(await as('indbakke_app', bound, async (client) => (await client.query(statement)).rowCount)).toBe(0);
      }
      const another = { ...ENTRY, id: randomUUID(), reason: 'not-memo' };
      const inserted = insert('quarantine_entries', another);
      await expect(
        as('indbakke_app', bound, (client) => client.query(inserted.text, inserted.values)),
      ).rejects.toMatchObject(DENIED);
    },
  );

  it('sees all as the installation, which sees nothing of a municipality', async () => {
    expect(await as('indbakke_app', 'installation', countIn('quarantine_entries'))).toBe(1);
    for (const table of TABLES) expect(await as('indbakke_app', 'installation', countIn(table))).toBe(0);
  });

  it('is closed to the login itself, and its content to the sweeps', async () => {
    await expect(as(undefined, 'installation', countIn('quarantine_entries'))).rejects.toMatchObject(DENIED);
    for (const column of ['container', 'wrapped_key', 'caller', 'message_uuid', 'content_hash']) {
      const read = as('indbakke_worker', undefined, (client) =>
        client.query(`SELECT ${column} FROM quarantine_entries`),
      );
      await expect(read).rejects.toMatchObject(DENIED);
    }
  });
});

describe('indbakke_app', () => {
  it('cannot move a row of its own to another municipality', async () => {
    const statement = `UPDATE messages SET municipality = '${B}'`;
    await expect(as('indbakke_app', A, (client) => client.query(statement))).rejects.toMatchObject(DENIED);
  });

  it.each(['audit_events', 'events'])('cannot change or remove rows of %s', async (table) => {
    for (const statement of [`UPDATE ${table} SET at = now()`, `DELETE FROM ${table}`, `TRUNCATE ${table}`]) {
      await expect(as('indbakke_app', A, (client) => client.query(statement))).rejects.toMatchObject(DENIED);
    }
  });

  it('cannot bypass the policies of the audit log through its partitions', async () => {
    const months = await database.sql<{ name: string }>(
      `SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'audit_events'::regclass`,
    );
    expect(months.length).toBeGreaterThan(1);
    for (const { name } of months) {
      await expect(as('indbakke_app', A, countIn(name))).rejects.toMatchObject(DENIED);
    }
  });

  it('cannot add, remove or move a municipality', async () => {
    for (const statement of [
      `INSERT INTO municipalities (cvr, name) VALUES ('44444444', 'x')`,
      `UPDATE municipalities SET cvr = '44444444'`,
      `DELETE FROM municipalities`,
    ]) {
      await expect(as('indbakke_app', A, (client) => client.query(statement))).rejects.toMatchObject(DENIED);
    }
  });

  it('cannot delete a message row: the tombstone stays', async () => {
    await expect(as('indbakke_app', A, (client) => client.query('DELETE FROM messages'))).rejects.toMatchObject(DENIED);
  });

  it('cannot create tables or see the queues', async () => {
    const make = (client: pg.Client) => client.query('CREATE TABLE public.mine ()');
    await expect(as('indbakke_app', A, make)).rejects.toMatchObject(DENIED);
    await expect(as('indbakke_app', A, countIn('bullmq.job'))).rejects.toMatchObject(DENIED);
  });
});

describe('indbakke_worker', () => {
  it('sees ids and times of every municipality', async () => {
    const sweep = countIn('messages', 'next_enqueue_at IS NOT NULL AND suggestion_run_at IS NULL');
    expect(await as('indbakke_worker', undefined, sweep)).toBe(2);
    expect(await as('indbakke_worker', undefined, countIn('content_removals'))).toBe(2);
    expect(await as('indbakke_worker', undefined, countIn('cases', 'suggestions_due IS NOT NULL'))).toBe(2);
  });

  // Ids, times and codes, in whole or by their columns.
  const OPEN = [
    ...[
      'municipalities',
      'messages',
      'content_removals',
      'idempotency_keys',
      'extracts',
      'extract_files',
      'events',
      'audit_events',
    ],
    ...[
      'feed_heads',
      'audit_anchors',
      'message_subjects',
      'unhashed_messages',
      'webhooks',
      'webhook_deliveries',
      'webhook_attempts',
      'access_packages',
      'zip_downloads',
      'cases',
      'ledger_days',
      'ledger_differences',
      'contact_points',
      'distributions',
      'file_fetches',
      'business_receipts',
      'onward_distributions',
      'message_scans',
    ],
  ];
  const closed = TABLES.filter((table) => !OPEN.includes(table));

  it.each(closed)('cannot read %s', async (table) => {
    await expect(as('indbakke_worker', A, countIn(table))).rejects.toMatchObject(DENIED);
  });

  it.each(['external_id', 'fingerprint', 'remarks', 'suggested_case_id', 'assignee_id', 'transmission_id'])(
    'cannot read messages.%s',
    async (column) => {
      await expect(as('indbakke_worker', A, countIn('messages', `${column} IS NULL`))).rejects.toMatchObject(DENIED);
    },
  );

  it.each([
    ['extracts', ['owner', 'container', 'wrapped_key', 'every', 'next_run_at']],
    ['extract_files', ['container', 'wrapped_key', 'row_count', 'roles']],
    ['idempotency_keys', ['key_digest', 'answer']],
    ['municipalities', ['name', 'reply_days']],
    ['contact_points', ['name', 'is_concern', 'assignee_id', 'info_labels']],
    ['cases', ['case_id', 'caseworker', 'party_digests', 'restricted_to', 'status']],
    ['webhooks', ['url', 'secret', 'secret_key_id', 'previous_secret']],
    ['webhook_attempts', ['at', 'milliseconds', 'answer_size']],
    ['access_packages', ['owner', 'citizen', 'request', 'request_wrapped_key', 'container', 'wrapped_key']],
    ['zip_downloads', ['owner', 'roles', 'container', 'wrapped_key']],
    ['onward_distributions', ['kle', 'receiver', 'asked_by', 'business_code']],
  ])('cannot read what %s holds', async (table, columns) => {
    for (const column of columns) {
      await expect(as('indbakke_worker', A, countIn(table, `${column} IS NULL`))).rejects.toMatchObject(DENIED);
    }
  });

  it('cannot change what has its position, nor anything but the position of what has none', async () => {
    for (const [table, others] of [
      ['events', ['at = now()', "type = 'deleted'"]],
      ['audit_events', ['at = now()', "actor = 'another'", 'message_id = NULL']],
    ] as const) {
      const number = (client: pg.Client) => client.query(`UPDATE ${table} SET position = 1`);
      expect((await as('indbakke_worker', undefined, number)).rowCount).toBe(2);
      const twice = as('indbakke_worker', undefined, async (client) => {
        await number(client);
        return (await client.query(`UPDATE ${table} SET position = 2`)).rowCount;
      });
      expect(await twice).toBe(0);
      for (const assignment of others) {
        const change = as('indbakke_worker', undefined, (client) => client.query(`UPDATE ${table} SET ${assignment}`));
        await expect(change).rejects.toMatchObject(DENIED);
      }
    }
    const remove = (table: string) => (client: pg.Client) => client.query(`DELETE FROM ${table}`);
    expect((await as('indbakke_worker', undefined, remove('events'))).rowCount).toBe(0);
    await expect(as('indbakke_worker', undefined, remove('audit_events'))).rejects.toMatchObject(DENIED);
  });

  it('changes the suggestion run and nothing else', async () => {
    const change = (assignment: string) => (client: pg.Client) => client.query(`UPDATE messages SET ${assignment}`);
    expect((await as('indbakke_worker', undefined, change('suggestion_run = 2'))).rowCount).toBe(2);
    for (const assignment of [`status = 'deleted'`, 'version = 2', `municipality = '${A}'`, 'blob_name = NULL']) {
      await expect(as('indbakke_worker', undefined, change(assignment))).rejects.toMatchObject(DENIED);
    }
  });
});

describe('indbakke_queue', () => {
  it.each([...TABLES, '_prisma_migrations'])('sees nothing of %s', async (table) => {
    await expect(as('indbakke_queue', A, countIn(`public.${table}`))).rejects.toMatchObject(DENIED);
  });

  it('works in its own schema', async () => {
    expect(await as('indbakke_queue', undefined, countIn('bullmq.job'))).toBe(0);
  });
});

describe('the three roles', () => {
  it('are not superusers, do not bypass policies, cannot log in and own no table', async () => {
    const roles = await database.sql(`SELECT rolname, rolsuper, rolbypassrls, rolcanlogin, rolcreaterole, rolcreatedb,
              (SELECT count(*)::int FROM pg_class WHERE relowner = r.oid AND relkind IN ('r', 'p')) AS tables
       FROM pg_roles r WHERE rolname IN ('indbakke_app', 'indbakke_worker', 'indbakke_queue') ORDER BY 1`);
    const none = {
      rolsuper: false,
      rolbypassrls: false,
      rolcanlogin: false,
      rolcreaterole: false,
      rolcreatedb: false,
      tables: 0,
    };
    expect(roles).toEqual(
      ['indbakke_app', 'indbakke_queue', 'indbakke_worker'].map((rolname) => ({ rolname, ...none })),
    );
  });
});

describe('the store', () => {
  let store: Store;

  beforeAll(() => {
    store = openStore({ url: database.url, connections: 2, name: 'rls' });
  });

  afterAll(() => store.close());

  it('binds each transaction to its municipality, even on a connection that served another before', async () => {
    for (const municipality of [A, B, A, '99999999']) {
      const expected = municipality === '99999999' ? [] : [municipality];
      const seen = await store.withTenant(municipality, (tx) =>
        tx.message.findMany({ select: { municipality: true } }),
      );
      expect(seen.map((row) => row.municipality)).toEqual(expected);
      const plain = await store.withTenantConnection(municipality, (c) => c.query('SELECT municipality FROM messages'));
      expect(plain.rows.map((row) => row.municipality)).toEqual(expected);
    }
  });

  it('leaves no municipality behind on a connection, even after a failure', async () => {
    const fails = store.withTenantConnection(A, (c) => c.query('SELECT 1/0'));
    await expect(fails).rejects.toMatchObject({ code: '22012' });
    await expect(store.withTenant(A, () => Promise.reject(new Error('x')))).rejects.toThrow('x');
    const settings = await Promise.all(
      [1, 2].map(() =>
        store.withTenantConnection(B, (c) => c.query(`SELECT current_setting('indbakke.municipality') AS now`)),
      ),
    );
    expect(settings.map(({ rows }) => rows[0].now)).toEqual([B, B]);
  });

  describe.each(['kept', 'fresh'] as const)('one statement, planned %s,', (plan) => {
    const seen = Prisma.sql`SELECT municipality FROM messages`;

    it('is bound to its municipality, even on a connection that served another before', async () => {
      const asked = [A, B, A, '99999999', B, A, B, A];
      const answers = await Promise.all(asked.map((municipality) => store.query(municipality, seen, plan)));
      expect(answers).toEqual(asked.map((municipality) => (municipality === '99999999' ? [] : [{ municipality }])));
    });

    it('leaves nothing behind on its connection', async () => {
      await store.query(A, seen, plan);
      await expect(store.query(A, Prisma.sql`SELECT 1 / ${0}::int`, plan)).rejects.toMatchObject({ code: '22012' });
      const settings = ['indbakke.municipality', 'plan_cache_mode'].map((name) => `current_setting('${name}', true)`);
      for (let connection = 0; connection < 2; connection += 1) {
        const left = store.withTenantConnection('', (c) => c.query(`SELECT ${settings.join(` || '|' || `)} AS left`));
        expect((await left).rows).toEqual([{ left: '|auto' }]);
      }
      expect(await store.query(B, seen, plan)).toEqual([{ municipality: B }]);
    });

    it('is undone as a whole when it fails', async () => {
      const half = Prisma.sql`
        WITH made AS (INSERT INTO cases (municipality, case_id) VALUES (${A}, 'K-undone') RETURNING case_id)
        SELECT 1 / (length(case_id) - ${8}::int) FROM made`;
      await expect(store.query(A, half, plan)).rejects.toMatchObject({ code: '22012' });
      expect(await database.sql(`SELECT FROM cases WHERE case_id = 'K-undone'`)).toEqual([]);
    });

    it('cannot write a row for another municipality', async () => {
      const foreign = Prisma.sql`INSERT INTO cases (municipality, case_id) VALUES (${B}, 'K-foreign')`;
      await expect(store.query(A, foreign, plan)).rejects.toMatchObject(DENIED);
    });

    it.each([
      `'; DROP TABLE messages; --`,
      String.raw`\'; SELECT 1; --`,
      '$1 $$ E\'x\' "quoted" {a,b} NULL',
      'æøå \u{1f600}\n',
      '',
    ])('takes %j as a value and nothing else', async (value) => {
      const echo = Prisma.sql`SELECT ${value}::text AS alone, ${[value, 'b', 'NULL']}::text[] AS listed`;
      expect(await store.query(A, echo, plan)).toEqual([{ alone: value, listed: [value, 'b', 'NULL'] }]);
    });

    it('takes numbers, times, truth, nothing and an empty list', async () => {
      const at = new Date('2026-11-02T08:00:00.123Z');
      const values = Prisma.sql`
        SELECT ${-7}::int AS number, ${at}::timestamptz AS at, ${true}::bool AS truth, ${null}::text AS nothing,
          ${[]}::text[] AS list`;
      expect(await store.query(A, values, plan)).toEqual([{ number: -7, at, truth: true, nothing: null, list: [] }]);
    });
  });

  it('keeps nothing of a failed transaction', async () => {
    const half = store.withTenant(A, async (tx) => {
      await tx.case.create({ data: { municipality: A, caseId: 'K-half' } });
      throw new Error('half-way');
    });
    await expect(half).rejects.toThrow('half-way');
    expect(await database.sql(`SELECT FROM cases WHERE case_id = 'K-half'`)).toEqual([]);
  });

  it('never mixes concurrent transactions of two municipalities', async () => {
    const counts = await Promise.all(
      Array.from({ length: 30 }, (_, n) => {
        const municipality = n % 2 === 0 ? A : B;
        return store.withTenant(municipality, async (tx) => {
          const rows = await tx.message.findMany({ select: { municipality: true } });
          return rows.every((row) => row.municipality === municipality) && rows.length === 1;
        });
      }),
    );
    expect(counts.every(Boolean)).toBe(true);
  });
});
