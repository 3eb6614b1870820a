import { ArchiverConfig } from '@indbakke/archiver';
import { JournalerConfig } from '@indbakke/journaler';
import { OperationsConfig } from '@indbakke/operations';
import { ReceiverConfig } from '@indbakke/receiver';
import { readConfig, showConfig } from '@indbakke/shared/config';
import { runCommand } from './command.js';
import { ofNpmStart } from './of-npm-start.js';

const USAGE = 'npm run config    prints the settings of the services in this environment, without secrets';

const SERVICES = {
  receiver: ReceiverConfig,
  journaler: JournalerConfig,
  archiver: ArchiverConfig,
  operations: OperationsConfig,
};
// npm start sets this once its PostgreSQL runs; any value will do, because secrets are not shown.
const EMBEDDED = { DATABASE_URL: 'postgres://embedded' };

await runCommand(USAGE, async () => {
  const npmStart = await ofNpmStart();
  const env = npmStart
    ? { ...(!process.env.DATABASE_URL_FILE && EMBEDDED), ...npmStart.settings(process.env) }
    : process.env;
  return Object.entries(SERVICES)
    .map(([name, schema]) => `# ${name}\n${showConfig(schema, readConfig(schema, env)).join('\n')}`)
    .join('\n\n');
});
