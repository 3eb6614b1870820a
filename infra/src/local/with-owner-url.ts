import { readSecret } from '@indbakke/shared/config';
import { checkDatabase } from './database.js';
import { ofNpmStart } from './of-npm-start.js';

/**
 * Runs `work` with the owner’s URL of the database that DATABASE_OWNER_URL names, or else of npm start’s, which runs or is
 * started for it.
 */
export async function withOwnerUrl<T>(work: (ownerUrl: string) => Promise<T>): Promise<T> {
  const ownerUrl = readSecret(process.env, 'DATABASE_OWNER_URL');
  if (ownerUrl) {
    await checkDatabase('DATABASE_OWNER_URL', ownerUrl);
    return work(ownerUrl);
  }
  const npmStart = await ofNpmStart();
  if (!npmStart)
    throw new Error('Name the database with DATABASE_OWNER_URL, or a file with that URL with DATABASE_OWNER_URL_FILE.');
  return npmStart.withItsOwnerUrl(work);
}
