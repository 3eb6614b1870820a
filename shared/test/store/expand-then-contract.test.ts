import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { createTestDatabase } from '../../../infra/src/testkit/database.js';
import { hasNoTransaction, readMigrations } from '../../src/store/migrate.js';
import { type AllowedValues, BIG_TABLES, breaksOf } from './migration-rules.js';

// Since this one, a release runs beside the version before it on the same database (docs/operations.md, Upgrade).
const LAST_OF_BEFORE = '20261206060001_scrub_and_migrations';

/** What is all right all the same, by migration: what and why. */
const EXCEPTIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {};

const RELEASE = /^## (?:\[)?(\d+\.\d+\.\d+)/gm;

it('no migration breaks the version before it', async () => {
  const changelog = await readFile(new URL('../../../CHANGELOG.md', import.meta.url), 'utf8');
  const releases = [...changelog.matchAll(RELEASE)].map(([, release = '']) => release);
  const allowed: AllowedValues = new Map();
  const found: string[] = [];
  for (const migration of await readMigrations()) {
    const breaks = breaksOf(migration.sql, allowed, releases);
    if (migration.name <= LAST_OF_BEFORE) continue;
    const excepted = EXCEPTIONS[migration.name] ?? {};
    for (const { what, why } of breaks.filter((each) => excepted[each.what] === undefined))
      found.push(`${migration.name}: ${what}: ${why}`);
    if (/\bCONCURRENTLY\b/.test(migration.sql) && !hasNoTransaction(migration))
      found.push(`${migration.name}: its first line is not "-- without-transaction"`);
  }
  expect(found).toEqual([]);
});

it('every big table is one that there is', async () => {
  const database = await createTestDatabase();
  const rows = await database.sql<{ name: string }>('SELECT table_name AS name FROM information_schema.tables');
  const tables = rows.map(({ name }) => name);
  expect(BIG_TABLES.filter((table) => !tables.includes(table))).toEqual([]);
  await database.drop();
});

const GONE = 'the version before still uses it';
const NARROWER = 'the version before may write what it refuses';
const LONG = 'on a big table it holds a lock for long';
const CAUSES = (): AllowedValues => new Map([['messages.held_cause', new Set(["'a'", "'b'"])]]);

const breaks = (sql: string) => breaksOf(sql, CAUSES(), ['0.1.0']).map(({ what, why }) => `${what}: ${why}`);

it.each([
  ['a column dropped', 'ALTER TABLE messages DROP COLUMN subject;', `messages.subject: ${GONE}`],
  ['a column renamed', 'ALTER TABLE "messages" RENAME COLUMN "a" TO "b";', `messages.a: ${GONE}`],
  ['a column renamed, in short', 'ALTER TABLE messages RENAME a TO b;', `messages.a: ${GONE}`],
  ['a table dropped', 'DROP TABLE absences;', `absences: ${GONE}`],
  ['a table renamed', 'ALTER TABLE absences RENAME TO holidays;', `absences: ${GONE}`],
  ['a function dropped', 'DROP FUNCTION ids_here(text[]);', `ids_here: ${GONE}`],
  ['a right taken', 'REVOKE SELECT ON cases FROM indbakke_app;', `cases: ${GONE}`],
  ['another type', 'ALTER TABLE cases ALTER COLUMN a TYPE bigint;', `cases.a: ${GONE}`],
  ['rows hidden', 'ALTER TABLE absences ENABLE ROW LEVEL SECURITY;', `absences: ${GONE}`],
  ['a column that must not be null', 'ALTER TABLE cases ALTER a SET NOT NULL;', `cases.a: ${NARROWER}`],
  ['a default taken', 'ALTER TABLE cases ALTER a DROP DEFAULT;', `cases.a: ${NARROWER}`],
  ['a new column without default', 'ALTER TABLE cases ADD COLUMN a int NOT NULL;', `cases.a: ${NARROWER}`],
  [
    'one among others',
    'ALTER TABLE absences ADD COLUMN a int,\n ADD COLUMN b int NOT NULL;',
    `absences.b: ${NARROWER}`,
  ],
  ['a narrower set', "ALTER TABLE messages ADD CHECK (held_cause IN ('a')) NOT VALID;", `messages: ${NARROWER}`],
  ['a check of an old column', 'ALTER TABLE absences ADD CHECK (a > 0);', `absences: ${NARROWER}`],
  [
    'a check of an old column with a new one',
    'ALTER TABLE absences ADD COLUMN a int, ADD CHECK (a IS NULL OR status = 1);',
    `absences: ${NARROWER}`,
  ],
  [
    'a new foreign key',
    'ALTER TABLE absences ADD CONSTRAINT k FOREIGN KEY (a) REFERENCES b (c);',
    `absences: ${NARROWER}`,
  ],
  ['a unique index', 'CREATE UNIQUE INDEX i ON absences (a);', `i: ${NARROWER}`],
  ['an index that stops writing', 'CREATE INDEX i ON messages (a);', `i: ${LONG}`],
  ['a check that reads all', 'ALTER TABLE files ADD COLUMN a int, ADD CHECK (a > 0);', `files: ${LONG}`],
  ['a column made for each row', 'ALTER TABLE files ADD COLUMN a uuid DEFAULT gen_random_uuid();', `files.a: ${LONG}`],
  ['all rows changed', 'UPDATE messages m SET a = 1;', `messages: ${LONG}`],
  ['a lock', 'LOCK TABLE messages;', `LOCK TABLE messages: ${LONG}`],
  [
    'a block that drops something',
    "DO $$ BEGIN EXECUTE format('DROP TABLE %I', 'a'); END $$;",
    'DO: a block with DROP is not understood',
  ],
])('%s breaks the version before', (_, sql, found) => {
  expect(breaks(sql)).toEqual([found]);
});

it.each([
  [
    'a new table',
    'CREATE TABLE a (b int NOT NULL CHECK (b > 0)); CREATE UNIQUE INDEX c ON a (b); ALTER TABLE a ENABLE ROW LEVEL SECURITY;',
  ],
  ['a new column', 'ALTER TABLE messages ADD COLUMN a text, ADD COLUMN b boolean NOT NULL DEFAULT false;'],
  [
    'a check of new columns',
    'ALTER TABLE messages ADD COLUMN a int, ADD CONSTRAINT k CHECK (a IS NULL OR a > 0) NOT VALID;',
  ],
  ['a wider set', "ALTER TABLE messages DROP CONSTRAINT k, ADD CHECK (held_cause IN ('a', 'b', 'c')) NOT VALID;"],
  ['an index made beside', '-- without-transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS i ON messages (a);'],
  ['an index of a small table', 'CREATE INDEX i ON absences (a);'],
  [
    'a function with other words in it',
    'CREATE OR REPLACE FUNCTION f() RETURNS void LANGUAGE sql AS $$ DROP TABLE a; $$;',
  ],
  ['a comment', '-- DROP TABLE a;\nSELECT 1;'],
  ['what is unused since a release', '-- unused since 0.1.0: messages.a\nALTER TABLE messages DROP COLUMN a;'],
])('%s does not', (_, sql) => {
  expect(breaks(sql)).toEqual([]);
});

it('what is said to be unused since a release that there is not, breaks it', () => {
  expect(breaks('-- unused since 9.9.9: messages.a\nALTER TABLE messages DROP COLUMN a;')).toEqual([
    `messages.a: ${GONE}`,
  ]);
});
