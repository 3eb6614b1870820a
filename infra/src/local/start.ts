import { runUntilSignal } from '@indbakke/shared/service';
import { makeOneTimeSecret, type OneTimeSecret } from '@indbakke/shared/sign-in';
import { EXAMPLE_CASE, EXAMPLE_MUNICIPALITY } from './example-municipality.js';
import { startLocalStack } from './stack.js';
import { readLocalStack, statePaths } from './state.js';

const say = (line: string) => process.stdout.write(`${line}\n`);

await runUntilSignal('indbakke', async () => {
  const paths = statePaths();
  const other = readLocalStack(paths);
  if (other) {
    throw new Error(
      `Indbakke is already running on this state: ${other.url} (process ${other.pid}). Stop it first, or set STATE_DIR.`,
    );
  }
  const [operations, inbox] = [makeOneTimeSecret(), makeOneTimeSecret()];
  const links = { operations, inbox: { link: inbox, municipality: EXAMPLE_MUNICIPALITY.cvr } };
  const running = await startLocalStack({
    paths,
    env: process.env,
    onProgress: say,
    links,
    onReceipt: ({ sender, code }) => say(`Fordelingskomponenten took a business receipt for ${sender}: ${code}`),
  });
  const once = (page: string, { secret }: OneTimeSecret) => `${page}/sign-in/once?secret=${secret}`;
  const { municipality } = running;
  say(`
  Deliveries
    REST        ${running.url}/sf1606/PostModtag
    SOAP        ${running.url}/sf1606/soap?wsdl
    SF2900      ${running.url}/sf2900/soap?wsdl (documents from Fordelingskomponenten)
  Inbox API for the DUBU core
    base        ${running.url}/api/v1
    docs        ${running.url}/api/v1/docs
  Inbox page
    signs in    ${running.url}${once('/inbox', inbox)} (once)
  Operations page
    signs in    ${running.operationsUrl}${once('/ops', operations)} (once; then npm run -s token -- --operations)
    health      ${running.url}/healthz  ${running.url}/readyz
    metrics     ${running.operationsUrl}/metrics
  State         ${paths.root}${municipality ? `\n  Municipality  ${municipality.cvr} ${municipality.name}, with the case ${EXAMPLE_CASE}` : ''}

  In another terminal: npm run training -- fill (letters to look at), npm run send -- --help, npm run token -- --help. Ctrl-C stops it.
`);
  say('ready');
  return running;
});
