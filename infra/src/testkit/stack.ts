import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createArchiver } from '@indbakke/archiver';
import { createJournaler } from '@indbakke/journaler';
import { createReceiver } from '@indbakke/receiver';
import { type Env, readConfig } from '@indbakke/shared/config';
import { serve } from '@indbakke/shared/service';
import pg from 'pg';
import { issueLocalToken } from '../local/issuer.js';
import { type MunicipalityRegistration, registerMunicipality } from '../local/register-municipality.js';
import { issuerKeyOf, localSettings, makeKeys, StackConfig } from '../local/settings.js';
import { statePaths } from '../local/state.js';
import { createTestDatabase } from './database.js';

/** CVR numbers of the municipalities that a test stack knows. */
export const ODENSKOV = '22222222';
export const VESTERSUND = '33333333';

export const CONTACT_POINT = '241d39f6-998e-4929-b198-ccacbbf4b330';

const MUNICIPALITIES: MunicipalityRegistration[] = [ODENSKOV, VESTERSUND].map((cvr) => ({
  cvr,
  name: `Kommune ${cvr}`,
  takesReplies: true,
  takesEnquiries: true,
  contactPoints: [{ id: CONTACT_POINT, name: 'Børn og familie' }],
}));

/** Every role that a caseworker can have, for tests that are not about roles. */
export const CASEWORKER_ROLES = [
  'IndkomneDokumenter.Læs',
  'IndkomneDokumenter.SeAlle',
  'IndkomneDokumenter.Journaliser',
  'IndkomneDokumenter.Afvis',
  'IndkomneDokumenter.Tildel',
  'DigitalPost.Slet',
];

export interface TokenWishes {
  readonly user?: string;
  readonly municipality?: string;
  readonly roles?: readonly string[];
  readonly teams?: readonly string[];
  readonly system?: boolean;
}

export interface TestStack {
  readonly url: string;
  readonly ownerUrl: string;
  readonly serviceUrl: string;
  /** Folder of the sealed content. */
  readonly contentFolder: string;
  readonly env: Env;
  token(wishes?: TokenWishes): Promise<string>;
  /** A call of the inbox API, by default as a caseworker of ODENSKOV with every role. */
  call(method: string, path: string, options?: CallOptions): Promise<Response>;
  /** Delivers over REST. */
  deliver(xml: string | Uint8Array, headers?: Record<string, string>): Promise<Response>;
  /** One row query as the owner, past row-level security. */
  sql<Row extends Record<string, unknown>>(text: string, values?: unknown[]): Promise<Row[]>;
  close(): Promise<void>;
}

export interface CallOptions {
  readonly as?: TokenWishes;
  readonly version?: number;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

/** The three services for real, on a port, a database and a state folder of their own. */
export async function startTestStack(env: Env = {}): Promise<TestStack> {
  const database = await createTestDatabase();
  const folder = await mkdtemp(join(tmpdir(), 'indbakke-test-'));
  const paths = statePaths({ STATE_DIR: folder });
  await makeKeys(paths);
  for (const municipality of MUNICIPALITIES) await registerMunicipality(database.ownerUrl, municipality);
  const settings = { ...localSettings(paths), DATABASE_URL: database.url, LOG_LEVEL: 'silent', PORT: '0', ...env };
  const config = readConfig(StackConfig, settings);
  const running = await serve(config, 'test', [
    (parts) => createReceiver(parts, config),
    (parts) => createJournaler(parts, config),
    createArchiver,
  ]);

  // Kept open: a connection takes longer to make than most statements, and tests count rows thousands of times.
  const owner = new pg.Pool({ connectionString: database.ownerUrl, idleTimeoutMillis: 0, allowExitOnIdle: true });
  owner.on('error', () => {}); // an idle one was cut off; the next statement gets another

  const token = (wishes: TokenWishes = {}) =>
    issueLocalToken(issuerKeyOf(paths), {
      municipality: wishes.municipality ?? ODENSKOV,
      user: wishes.user ?? 'caseworker-1',
      roles: wishes.roles ?? (wishes.system ? ['Indbakke.System'] : CASEWORKER_ROLES),
      teams: wishes.teams ?? [],
      system: wishes.system ?? false,
    });

  return {
    url: running.url,
    ownerUrl: database.ownerUrl,
    serviceUrl: database.url,
    contentFolder: paths.content,
    env: settings,
    token,
    async call(method, path, { as, version, body, headers } = {}) {
      return fetch(`${running.url}/api/v1${path}`, {
        method,
        headers: {
          authorization: `Bearer ${await token(as)}`,
          ...(version !== undefined && { 'if-match': `"${version}"` }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
    },
    deliver: (xml, headers = {}) =>
      fetch(`${running.url}/sf1606/PostModtag`, {
        method: 'POST',
        headers: { 'content-type': 'application/xml', accept: 'application/json', ...headers },
        body: xml,
      }),
    sql: async <Row extends Record<string, unknown>>(text: string, values?: unknown[]) =>
      (await owner.query<Row>(text, values)).rows,
    async close() {
      await running.close();
      await owner.end();
      await database.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
