import { readSecret } from '@indbakke/shared/config';
import { runCommand } from './command.js';
import { checkDatabase, migrateDatabase } from './database.js';

const USAGE = 'DATABASE_OWNER_URL=postgres://… npm run migrate    migrates that database';

await runCommand(USAGE, async () => {
  const ownerUrl = readSecret(process.env, 'DATABASE_OWNER_URL');
  if (!ownerUrl) {
    throw new Error(
      `Set DATABASE_OWNER_URL to the login that owns the tables. npm start migrates its own database.\n\n${USAGE}`,
    );
  }
  await checkDatabase('DATABASE_OWNER_URL', ownerUrl);
  const applied = await migrateDatabase(ownerUrl);
  return applied.length === 0 ? 'The database is up to date.' : `Applied: ${applied.join(', ')}.`;
});
