import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { issueLocalToken, type TokenRequest } from '../../../infra/src/local/issuer.js';
import { registerMunicipality } from '../../../infra/src/local/register-municipality.js';
import { issuerKeyOf, localSettings, makeKeys } from '../../../infra/src/local/settings.js';
import { statePaths } from '../../../infra/src/local/state.js';
import { createTestDatabase, runSql } from '../../../infra/src/testkit/database.js';
import { ODENSKOV } from '../../../infra/src/testkit/stack.js';
import type { Env } from '../../src/config/index.js';

/** A database, keys, a token issuer and a municipality, with no service running: for tests that start their own. */
export interface Ground {
  readonly env: Env;
  readonly ownerUrl: string;
  readonly contentFolder: string;
  token(request: Partial<TokenRequest>): Promise<string>;
  sql<Row extends Record<string, unknown>>(text: string, values?: unknown[]): Promise<Row[]>;
  close(): Promise<void>;
}

export async function layGround(): Promise<Ground> {
  const database = await createTestDatabase();
  const folder = await mkdtemp(join(tmpdir(), 'indbakke-ground-'));
  const paths = statePaths({ STATE_DIR: folder });
  await makeKeys(paths);
  await registerMunicipality(database.ownerUrl, {
    cvr: ODENSKOV,
    name: 'Odenskov Kommune',
    takesReplies: true,
    takesEnquiries: true,
    contactPoints: [],
  });
  return {
    env: { ...localSettings(paths), DATABASE_URL: database.url, LOG_LEVEL: 'silent', PORT: '0' },
    ownerUrl: database.ownerUrl,
    contentFolder: paths.content,
    token: (request) =>
      issueLocalToken(issuerKeyOf(paths), { municipality: ODENSKOV, user: 'caseworker-1', roles: [], ...request }),
    sql: (text, values) => runSql(database.ownerUrl, text, values),
    async close() {
      await database.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
