import { type Env, keySettings, readConfig, readSecret } from '@indbakke/shared/config';
import type { KeySource } from '@indbakke/shared/keys';
import { z } from 'zod';
import { ofNpmStart } from './of-npm-start.js';

/** Where the master keys are of the database that withOwnerUrl gives. @throws Error with a sentence */
export async function ownersKeys(env: Env = process.env): Promise<KeySource> {
  const isNamed = readSecret(env, 'DATABASE_OWNER_URL') !== undefined;
  if (isNamed && !env.KEY_FILE && !env.KEYS)
    throw new Error('Name with KEY_FILE the key file of the database that DATABASE_OWNER_URL names, or give KEYS.');
  const npmStart = isNamed ? undefined : await ofNpmStart();
  return readConfig(z.object(keySettings), npmStart?.settings(env) ?? env);
}
