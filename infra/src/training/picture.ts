import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeOneTimeSecret } from '@indbakke/shared/sign-in';
import { repository } from '../../../tools/local-state.mjs';
import { runCommand } from '../local/command.js';
import { withDatabase } from '../local/database.js';
import { issueLocalToken } from '../local/issuer.js';
import { startPostgres } from '../local/postgres/postgres.js';
import { asOwner, registerMunicipality } from '../local/register-municipality.js';
import { issuerKeyOf, LOCAL_DATABASE } from '../local/settings.js';
import { startLocalStack } from '../local/stack.js';
import { openBrowser } from '../testkit/browser.js';
import { withOwnState } from '../testkit/own-state.js';
import { TRAINING_MUNICIPALITY } from './municipality.js';
import { practise } from './practise.js';

const FILE = 'docs/pictures/inbox.png';
const MAX_BYTES = 150_000;
const SIZE = { width: 1_400, height: 900 };
/** Who is seen there. */
const PERSON = 'superbruger-1';

/** The picture of README: the inbox page with the training letters, on a stack that is removed at the end. */
await runCommand('', async () => {
  const picture = await withOwnState(async (paths) => {
    const { cvr } = TRAINING_MUNICIPALITY;
    const link = makeOneTimeSecret();
    const env = { PORT: '0', LOG_LEVEL: 'silent', SHUTDOWN_SECONDS: '5' };
    const running = await startLocalStack({ paths, env, links: { inbox: { link, municipality: cvr } } });
    const postgres = await startPostgres({ stateDir: paths.root }); // that of the stack
    try {
      const ownerUrl = withDatabase(postgres.url, LOCAL_DATABASE);
      await registerMunicipality(ownerUrl, TRAINING_MUNICIPALITY);
      const core = { municipality: cvr, user: 'dubu-core', roles: ['Indbakke.System'], system: true };
      const target = { url: running.url, token: await issueLocalToken(issuerKeyOf(paths), core) };
      await practise((work) => asOwner(ownerUrl, 'COMMIT', work), { cvr, target, isReset: false });
      return await take(`${running.url}/inbox`, link.secret);
    } finally {
      await postgres.stop();
      await running.close();
    }
  });
  if (picture.length > MAX_BYTES)
    throw new Error(`The picture has ${picture.length} bytes; ${MAX_BYTES} are the most.`);
  writeFileSync(join(repository, FILE), picture);
  return `${FILE}: ${picture.length} bytes`;
});

async function take(url: string, secret: string): Promise<Buffer> {
  const browser = await openBrowser();
  try {
    const { page } = await browser.open({ locale: 'da-DK', timezoneId: 'Europe/Copenhagen', viewport: SIZE });
    await page.goto(`${url}/sign-in/once?secret=${secret}`);
    await page.waitForURL(url);
    await page.getByText(PERSON).first().waitFor();
    await page.locator('main tbody tr').nth(5).waitFor();
    // Suggestions come by themselves.
    await page.locator('.of-suggestion .quiet').first().waitFor();
    return await page.screenshot();
  } finally {
    await browser.close();
  }
}
