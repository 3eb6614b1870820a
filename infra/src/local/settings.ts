import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Env, LOCAL_ISSUER } from '@indbakke/shared/config';
import { createKeyFile } from '@indbakke/shared/keys';
import { createLocalIssuer, LOCAL_AUDIENCE, LOCAL_OPERATIONS_AUDIENCE } from './issuer.js';
import { inStateFolder, type StatePaths } from './state.js';

/** Name of the database in the embedded PostgreSQL. */
export const LOCAL_DATABASE = 'indbakke';

const masterKeysOf = (paths: StatePaths) => join(paths.keys, 'master-keys.json');
const jwksOf = (paths: StatePaths) => join(paths.keys, 'token-issuer.jwks.json');

/** The private key that `npm run token` signs with. */
export const issuerKeyOf = (paths: StatePaths) => join(paths.keys, 'token-issuer.private.json');

/** Settings of a local stack, with those of `env`, without DATABASE_URL: PostgreSQL must run first. */
export function localSettings(paths: StatePaths, env: Env = {}): Env {
  // Never the local keys for the tokens of an issuer that `env` names.
  const hasIssuer = Boolean(env.TOKEN_ISSUER);
  return {
    BLOB_URL: pathToFileURL(paths.content).href,
    INBOX_PAGE: 'on',
    SF2900: 'on',
    ...(!env.KEYS && { KEY_FILE: masterKeysOf(paths) }),
    ...(!hasIssuer && { TOKEN_ISSUER: LOCAL_ISSUER, TOKEN_JWKS: pathToFileURL(jwksOf(paths)).href }),
    TOKEN_AUDIENCE: LOCAL_AUDIENCE,
    OPERATIONS_TOKEN_AUDIENCE: LOCAL_OPERATIONS_AUDIENCE,
    ...env,
  };
}

/** Creates the local master key and token issuer, unless they exist. */
export async function makeKeys(paths: StatePaths): Promise<void> {
  await inStateFolder(paths.root, async () => {
    mkdirSync(paths.keys, { recursive: true, mode: 0o700 });
    if (!existsSync(masterKeysOf(paths))) await createKeyFile(masterKeysOf(paths));
    if (!existsSync(issuerKeyOf(paths))) await createLocalIssuer(issuerKeyOf(paths), jwksOf(paths));
  });
}
