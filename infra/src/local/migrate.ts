import { migrateQueues } from '@indbakke/shared/queue';
import { migrate } from '@indbakke/shared/store';
import { runCommand } from './command.js';
import { checkDatabase } from './database.js';

const USAGE = 'DATABASE_OWNER_URL=postgres://… npm run migrate    brings that database up to date';

await runCommand(USAGE, async () => {
  const { DATABASE_OWNER_URL: ownerUrl } = process.env;
  if (!ownerUrl)
    throw new Error(`Set DATABASE_OWNER_URL: the login that owns the tables. npm start migrates its own.\n\n${USAGE}`);
  await checkDatabase('DATABASE_OWNER_URL', ownerUrl);
  const applied = await migrate(ownerUrl);
  await migrateQueues(ownerUrl);
  return applied.length === 0 ? 'The database is up to date.' : `Applied: ${applied.join(', ')}.`;
});
