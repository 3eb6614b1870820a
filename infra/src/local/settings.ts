import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Env } from '@indbakke/shared/config';
import { createKeyFile } from '@indbakke/shared/keys';
import { createLocalIssuer, LOCAL_AUDIENCE, LOCAL_ISSUER, LOCAL_OPERATIONS_AUDIENCE } from './issuer.js';
import { inStateFolder, type StatePaths } from './state.js';

/** Name of the database in the embedded PostgreSQL. */
export const LOCAL_DATABASE = 'indbakke';

const masterKeysOf = (paths: StatePaths) => join(paths.keys, 'master-keys.json');
const jwksOf = (paths: StatePaths) => join(paths.keys, 'token-issuer.jwks.json');

/** The private key that `npm run token` signs with. */
export const issuerKeyOf = (paths: StatePaths) => join(paths.keys, 'token-issuer.private.json');

/** Defaults of a local stack, without DATABASE_URL: PostgreSQL must run first. */
export function localSettings(paths: StatePaths): Env {
  return {
    BLOB_URL: pathToFileURL(paths.content).href,
    INBOX_PAGE: 'on',
    KEY_FILE: masterKeysOf(paths),
    TOKEN_ISSUER: LOCAL_ISSUER,
    TOKEN_AUDIENCE: LOCAL_AUDIENCE,
    OPERATIONS_TOKEN_AUDIENCE: LOCAL_OPERATIONS_AUDIENCE,
    TOKEN_JWKS: pathToFileURL(jwksOf(paths)).href,
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
