import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { cvrNumberOf } from '@indbakke/shared/ids';
import { TRAINING_MUNICIPALITY } from '../training/municipality.js';
import { type OnProgress, practise } from '../training/practise.js';
import { rejectOptionsTakenByNpm, runCommand } from './command.js';
import { issueLocalToken } from './issuer.js';
import { asOwner, registerMunicipality } from './register-municipality.js';
import { runningUrl } from './running-url.js';
import { issuerKeyOf } from './settings.js';
import { statePaths } from './state.js';
import { withOwnerUrl } from './with-owner-url.js';

const { cvr: USUAL } = TRAINING_MUNICIPALITY;

const USAGE = `npm run training -- fill [CVR] [--reset] [--url URL]

Fills a municipality to practise in with a day’s made-up mail, through the Indbakke running here or at URL: ${USUAL}, unless CVR names
another one whose file has training: true. In the database of npm start, ${USUAL} is made when it is not there.

After a stop, run it again. With --reset, all mail of the municipality is deleted for good first. No other municipality can be filled
or reset. Where tokens are not from this machine, CORE_TOKEN is one of the core of the municipality.

Uses the database of npm start, or the one named by DATABASE_OWNER_URL.`;

await runCommand(USAGE, async () => {
  rejectOptionsTakenByNpm('training', ['reset', 'url']);
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      reset: { type: 'boolean', default: false },
      url: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [action, text = USUAL, ...more] = positionals;
  if (values.help) return USAGE;
  if (action !== 'fill' || more.length > 0) throw new Error(USAGE);
  const cvr = cvrNumberOf(text);
  if (cvr === undefined) throw new Error('CVR must be a number of eight digits.');
  const url = runningUrl(values.url, USAGE);
  const target = { url, token: process.env.CORE_TOKEN || (await localCoreToken(cvr)) };
  const practice = { cvr, target, isReset: values.reset, onProgress: showProgress };
  const done = await withOwnerUrl(async (ownerUrl) => {
    if (!process.env.DATABASE_OWNER_URL && cvr === USUAL) await makeUnlessThere(ownerUrl);
    return practise((work) => asOwner(ownerUrl, 'COMMIT', work), practice);
  });
  return `${done}\n\n${whereToLook(url, cvr)}`;
});

/** What has been changed of it since stays so. */
async function makeUnlessThere(ownerUrl: string): Promise<void> {
  const { rowCount } = await asOwner(ownerUrl, 'COMMIT', (owner) =>
    owner.query('SELECT FROM municipalities WHERE cvr = $1', [USUAL]),
  );
  if (rowCount === 0) await registerMunicipality(ownerUrl, TRAINING_MUNICIPALITY);
}

function whereToLook(url: string, cvr: string): string {
  return `Look at them at ${url}/inbox. On the machine of npm start: sign in with the link that it printed, then choose
somebody of ${cvr} at ${url}/inbox/sign-in (Skift person).`;
}

async function localCoreToken(municipality: string): Promise<string> {
  const key = issuerKeyOf(statePaths());
  if (!existsSync(key)) throw new Error('Set CORE_TOKEN to a token of the core of the municipality (Indbakke.System).');
  return issueLocalToken(key, { municipality, user: 'dubu-core', roles: ['Indbakke.System'], system: true });
}

/** One line that changes on a terminal; elsewhere the last one only. */
function showProgress(...[what, done, of]: Parameters<OnProgress>): void {
  const line = `${what} ${done} of ${of}`;
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[2K${line}${done === of ? '\n' : ''}`);
  else if (done === of) process.stderr.write(`${line}\n`);
}
