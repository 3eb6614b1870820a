import { parseArgs } from 'node:util';
import { registerMunicipality } from '@indbakke/shared/store';
import { runCommand } from './command.js';
import { withDatabase } from './database.js';
import { startPostgres } from './postgres.js';
import { LOCAL_DATABASE } from './stack.js';
import { statePaths } from './state.js';

const USAGE = `npm run municipality -- --cvr CVR --name NAME [--contact-point ID=NAME]… [--replies on|off] [--enquiries on|off]

Makes a municipality known: its mail is taken in from then on. Replies and enquiries go to the inbox at once, or are held
while they are off; what is not given stays as it was (on for a new one). Works on the database of npm start, or on the one that
DATABASE_OWNER_URL names.`;

await runCommand(USAGE, async () => {
  const { values } = parseArgs({
    options: {
      cvr: { type: 'string' },
      name: { type: 'string' },
      'contact-point': { type: 'string', multiple: true, default: [] },
      replies: { type: 'string' },
      enquiries: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return USAGE;
  const { cvr, name } = values;
  if (!/^\d{8}$/.test(cvr ?? '') || !name) throw new Error(`--cvr (eight digits) and --name are needed.\n\n${USAGE}`);
  const registration = {
    cvr: cvr as string,
    name,
    takesReplies: parseSwitch('--replies', values.replies),
    takesEnquiries: parseSwitch('--enquiries', values.enquiries),
    contactPoints: values['contact-point'].map(parseContactPoint),
  };
  await withOwnerUrl((ownerUrl) => registerMunicipality(ownerUrl, registration));
  return `${cvr} ${name} is known; its mail is taken in.`;
});

function parseSwitch(name: string, value: string | undefined): boolean | undefined {
  if (value === undefined) return undefined;
  if (value !== 'on' && value !== 'off') throw new Error(`${name} is on or off.`);
  return value === 'on';
}

function parseContactPoint(text: string): { id: string; name: string } {
  const [, id, name] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (!id || !name) throw new Error('A contact point is given as ID=NAME.');
  return { id, name };
}

async function withOwnerUrl(work: (ownerUrl: string) => Promise<void>): Promise<void> {
  if (process.env.DATABASE_OWNER_URL) return work(process.env.DATABASE_OWNER_URL);
  const postgres = await startPostgres({ stateDir: statePaths().root });
  try {
    await work(withDatabase(postgres.url, LOCAL_DATABASE));
  } finally {
    await postgres.stop();
  }
}
