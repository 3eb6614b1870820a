import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Env, readConfig } from '@indbakke/shared/config';
import { serve } from '@indbakke/shared/service';
import type { TokenRequest } from '../local/issuer.js';
import type { MunicipalityRegistration } from '../local/register-municipality.js';
import { allServices, type LocalLinks, StackConfig } from '../local/services.js';
import { statePaths } from '../local/state.js';
import { checkedFetch } from './checked-fetch.js';
import { createTestDatabase, type TestDatabase } from './database.js';
import { deliver } from './deliver.js';
import { issueOperatorsToken, issueToken, prepareState } from './set-up.js';

export { CASEWORKER_ROLES } from './set-up.js';

/** CVR numbers of the municipalities of a test stack. */
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

/** Differences from the token of a caseworker of ODENSKOV with every role. */
export type TokenOptions = Partial<TokenRequest> & {
  /** A token for operations, of no municipality. */
  readonly operator?: boolean;
};

/** A database, keys, a token issuer and municipalities, for tests that start services themselves. */
export interface Setup {
  readonly env: Env;
  readonly ownerUrl: string;
  readonly serviceUrl: string;
  /** Folder of sealed content. */
  readonly contentFolder: string;
  token(options?: TokenOptions): Promise<string>;
  /** For `/ops`. */
  operatorsToken(request?: Parameters<typeof issueOperatorsToken>[1]): Promise<string>;
  /** A query as the owner, past row-level security. */
  sql<Row extends Record<string, unknown>>(text: string, values?: unknown[]): Promise<Row[]>;
  close(): Promise<void>;
}

export interface TestStack extends Setup {
  readonly url: string;
  /** Where `/ops` and `/metrics` are. */
  readonly operationsUrl: string;
  /** Where deliveries with a certificate go; empty without SF1606_TLS_PORT. */
  readonly secureUrl: string;
  /** A call of the inbox API, by default as a caseworker of ODENSKOV with every role; OpenAPI must have its answer. */
  call(method: string, path: string, options?: CallOptions): Promise<Response>;
  /** Delivers over REST. */
  deliver(xml: string | Uint8Array, headers?: Record<string, string>): Promise<Response>;
}

export interface CallOptions {
  readonly as?: TokenOptions;
  readonly version?: number;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

/** @param creating the database; default: a new one on the server of all tests */
export async function setUp(creating: Promise<TestDatabase> = createTestDatabase()): Promise<Setup> {
  const database = await creating;
  const folder = await mkdtemp(join(tmpdir(), 'indbakke-test-'));
  const paths = statePaths({ STATE_DIR: folder });
  const env = { ...(await prepareState(paths, database, MUNICIPALITIES)), LOG_LEVEL: 'silent' };
  await database.sql('DELETE FROM audit_events'); // of the set-up: tests count from nothing
  await database.sql('UPDATE municipalities SET release_due = NULL'); // or the first sweep releases what tests hold
  return {
    env,
    ownerUrl: database.ownerUrl,
    serviceUrl: database.url,
    contentFolder: paths.content,
    token: ({ operator, ...options } = {}) =>
      operator ? issueOperatorsToken(paths, only(options)) : issueToken(paths, options),
    operatorsToken: (request) => issueOperatorsToken(paths, request),
    sql: database.sql,
    async close() {
      await database.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const only = ({ user, roles }: TokenOptions) => ({ ...(user && { user }), ...(roles && { roles }) });

/**
 * All real services, on their own port, database and state folder.
 *
 * @param env settings that differ, or what makes them
 * @param links sign in to the pages once
 * @param settingUp default: on a new database
 */
export async function startTestStack(
  env: Env | ((setup: Setup) => Promise<Env>) = {},
  links: LocalLinks = {},
  settingUp: Promise<Setup> = setUp(),
): Promise<TestStack> {
  const setup = await settingUp;
  const settings = { ...setup.env, ...(typeof env === 'function' ? await env(setup) : env) };
  const config = readConfig(StackConfig, settings);
  const running = await serve(config, 'test', allServices(config, links));
  return {
    ...setup,
    url: running.url,
    operationsUrl: running.operationsUrl,
    secureUrl: running.secureUrl ?? '',
    env: settings,
    async call(method, path, { as, version, body, headers } = {}) {
      return checkedFetch(`${running.url}/api/v1${path}`, {
        method,
        headers: {
          authorization: `Bearer ${await setup.token(as)}`,
          ...(version !== undefined && { 'if-match': `"${version}"` }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
    },
    deliver: (xml, headers = {}) => deliver(running.url, xml, { headers }),
    async close() {
      await running.close();
      await setup.close();
    },
  };
}
