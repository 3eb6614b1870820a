import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../infra/src/testkit/database.js';

// @module-tag long

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database.drop());

/** What Prisma would change in the database to match schema.prisma. */
function differences(): Promise<{ exitCode: number; output: string }> {
  const args = ['migrate', 'diff', '--from-config-datasource', '--to-schema', 'prisma/schema.prisma', '--exit-code'];
  const env = {
    ...process.env,
    DATABASE_URL: database.ownerUrl,
    PRISMA_SCHEMA_ENGINE_BINARY: here('../../../tools/schema-engine.mjs'),
    CHECKPOINT_DISABLE: '1',
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
  };
  return new Promise((resolve) => {
    const prisma = here('../../../node_modules/prisma/build/index.js');
    execFile(process.execPath, [prisma, ...args], { cwd: here('../..'), env }, (error, stdout, stderr) => {
      resolve({ exitCode: Number(error?.code ?? 0), output: stdout + stderr });
    });
  });
}

it('the migrations create the tables that schema.prisma describes', async () => {
  const { exitCode, output } = await differences();
  expect(exitCode, output).toBe(0);
});

it('a table that differs is reported', async () => {
  await database.sql('ALTER TABLE cases ADD COLUMN forgotten text');
  const { exitCode, output } = await differences();
  expect(exitCode, output).toBe(2);
  expect(output).toContain('forgotten');
});
