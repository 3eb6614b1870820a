import { randomInt } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { appendFile, mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { INTERRUPTED } from '@indbakke/shared/service';
import { BadArgument, oneOf, rejectOptionsTakenByNpm } from '../../local/command.js';
import { abortedByCtrlC } from '../../local/ctrl-c.js';
import { fingerprintOf, makeKeys, publicKeyOf } from '../../local/sftp-server.js';
import { makeCertificates, readCertificates } from './certificates.js';
import type { SimulatorTls } from './client.js';
import { SimulatedClock } from './clock.js';
import { FAULTS } from './faults.js';
import { tryInbox } from './inbox.js';
import { CHANNELS, type Channel } from './letters.js';
import { canPlay } from './plan.js';
import { summaryOf } from './report.js';
import { SftpPlace } from './sftp.js';
import { Simulator, type SimulatorPlan, type SimulatorReport, type SimulatorSftp } from './simulator.js';

const USAGE = `npm run simulator -- --url URL [options]
npm run simulator -- --list-faults
npm run simulator -- --make-certificates DIR [--host NAME[,NAME…]]
npm run simulator -- --sftp DIR

Sends letters to a receiver of SF1606 and SF2900 as Serviceplatformen and Digital Post do, and says what became of each.

  --url URL               the receiver: https, or http to this machine
  --municipalities LIST   CVR numbers with commas between, or how many made-up ones (default: 22222222)
  --path CHANNEL=PATH     where letters go below the URL; may be given again (default: the paths of Indbakke)
  --letters N             how many to send (default 100), or --seconds N: for how long
  --rate N                letters a second, on average (default 1); --flat: without the rhythm of day and week
  --speed N               how much faster the simulated clock runs (default 1)
  --channels LIST         of ${CHANNELS.join(', ')}, in equal shares (default: mostly rest)
  --large N               share of letters of 60 to 99.5 MB (default 0.002)
  --fault NAME            plays a fault; may be given again; all = each that can be played
  --own-host HOST         by which the receiver reaches this machine, if it is on another: the fault external-entity needs it
  --fault-share N         share of the traffic that is faults, once each was played (default 0)
  --flood N               sends N old letters at once to one municipality, as SystemFetch does
  --tls DIR               the certificates that --make-certificates made; https needs it
  --sftp DIR              is the SFTP server of SF2900 on this machine, with its keys and files there; --sftp-port N
                          (default 2222). Without --url it makes the keys and shows the settings of a receiver
  --sent FILE             letters that were sent, for replies: a line of each, CVR and messageUUID
  --inbox URL             asks the inbox API what is there at the end; --tokens FILE: a line of each, CVR and token
  --json FILE             writes the report with every letter
  --concurrency N         letters under way at once (default 32); --timeout N: seconds for an answer (default 60)
  --wait N                seconds to wait for receipts at the end (default 120)
  --seed N                the same sizes, kinds and times again; ids are new`;

const OPTIONS = {
  url: { type: 'string' },
  path: { type: 'string', multiple: true, default: [] as string[] },
  municipalities: { type: 'string', default: '22222222' },
  letters: { type: 'string' },
  seconds: { type: 'string' },
  rate: { type: 'string', default: '1' },
  flat: { type: 'boolean', default: false },
  speed: { type: 'string', default: '1' },
  channels: { type: 'string' },
  large: { type: 'string' },
  fault: { type: 'string', multiple: true, default: [] as string[] },
  'own-host': { type: 'string' },
  'fault-share': { type: 'string', default: '0' },
  'list-faults': { type: 'boolean', default: false },
  flood: { type: 'string' },
  tls: { type: 'string' },
  'make-certificates': { type: 'string' },
  host: { type: 'string', default: '127.0.0.1,localhost' },
  sftp: { type: 'string' },
  'sftp-port': { type: 'string', default: '2222' },
  sent: { type: 'string' },
  inbox: { type: 'string' },
  tokens: { type: 'string' },
  json: { type: 'string' },
  concurrency: { type: 'string', default: '32' },
  timeout: { type: 'string', default: '60' },
  wait: { type: 'string', default: '120' },
  seed: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

const LETTERS = 100;
/** Numbers that no company has: made up, as many as are asked for. */
const FIRST_MADE_UP = 99_000_001;
const MOST_MUNICIPALITIES = 1_000;
const PROGRESS_MS = 5_000;

const print = (line: string) => process.stdout.write(`${line}\n`);
const report = (line: string) => process.stderr.write(`${line}\n`);

type Options = ReturnType<typeof readOptions>;

function readOptions() {
  rejectOptionsTakenByNpm('simulator', Object.keys(OPTIONS));
  return parseArgs({ options: OPTIONS }).values;
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new BadArgument(`--${name} is a whole number, not "${text}".`);
  return Number(text);
}

function positive(name: string, text: string): number {
  const number = Number(text);
  if (!(number > 0 && number < Number.POSITIVE_INFINITY))
    throw new BadArgument(`--${name} is a number above 0, not "${text}".`);
  return number;
}

function share(name: string, text: string): number {
  const number = Number(text);
  if (!(number >= 0 && number <= 1) || text === '')
    throw new BadArgument(`--${name} is a number from 0 to 1, not "${text}".`);
  return number;
}

function municipalitiesOf(text: string): string[] {
  if (/^\d{1,4}$/.test(text)) {
    const count = Number(text);
    if (count === 0 || count > MOST_MUNICIPALITIES)
      throw new BadArgument(`--municipalities is a count from 1 to ${MOST_MUNICIPALITIES}, or CVR numbers.`);
    return Array.from({ length: count }, (_, at) => String(FIRST_MADE_UP + at));
  }
  const all = text.split(',');
  for (const cvr of all)
    if (!/^\d{8}$/.test(cvr)) throw new BadArgument(`--municipalities: "${cvr}" is no CVR number of 8 digits.`);
  return all;
}

/** Where letters go, as in `rest=/letters`; a form goes where the body goes, unless it has its own. */
function pathsOf(all: readonly string[]): NonNullable<SimulatorPlan['paths']> {
  const paths = Object.fromEntries(
    all.map((each) => {
      const [, name, path] = /^(\w+)=(\/.*)$/.exec(each) ?? [];
      if (name === undefined || path === undefined)
        throw new BadArgument(`--path is like rest=/letters, not "${each}".`);
      return [oneOf('path', name, CHANNELS), path];
    }),
  );
  return paths.rest ? { form: paths.rest, ...paths } : paths;
}

function channelsOf(text: string | undefined): Partial<Record<Channel, number>> | undefined {
  if (text === undefined) return undefined;
  return Object.fromEntries(text.split(',').map((name) => [oneOf('channels', name, CHANNELS), 1]));
}

/** Lines of a CVR number and a word, by the first. */
async function readPairs(name: string, file: string): Promise<Map<string, string[]>> {
  const pairs = new Map<string, string[]>();
  const text = await unlessItFails(`--${name}: ${file} cannot be read`, () => readFile(file, 'utf8'));
  for (const [at, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const [key = '', value, more] = line.trim().split(/\s+/);
    if (!/^\d{8}$/.test(key) || value === undefined || more !== undefined)
      throw new BadArgument(`--${name}: line ${at + 1} of ${file} is not a CVR number and a word.`);
    pairs.set(key, [...(pairs.get(key) ?? []), value]);
  }
  return pairs;
}

/** @throws BadArgument with the sentence, and the code of the error */
async function unlessItFails<T>(sentence: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new BadArgument(`${sentence} (${(error as NodeJS.ErrnoException).code ?? (error as Error).message}).`);
  }
}

/** Its keys are made when they are not there. */
async function sftpOf(folder: string, port: number): Promise<SimulatorSftp> {
  await unlessItFails(`--sftp: ${folder} cannot be made`, () => mkdir(folder, { recursive: true }));
  const key = async (name: string) => {
    const file = join(folder, name);
    if (!existsSync(file)) await writeFile(file, makeKeys().privateKey, { mode: 0o600 });
    return readFileSync(file, 'utf8');
  };
  const [hostKey, userKey] = [await key('host.key'), await key('user.key')];
  return { folder: join(folder, 'served'), user: 'indbakke', publicKey: publicKeyOf(userKey), hostKey, port };
}

async function openSftp(folder: string, port: number): Promise<SftpPlace> {
  const sftp = await sftpOf(folder, port);
  return unlessItFails(`--sftp-port: nothing can listen on port ${port}`, () => SftpPlace.open(sftp));
}

const isHttps = (url: string) => url.startsWith('https:');

async function planOf(options: Options, url: string, signal: AbortSignal): Promise<SimulatorPlan> {
  const { flat, speed, flood, large, fault, letters, seconds, inbox } = options;
  if (letters !== undefined && seconds !== undefined) throw new BadArgument('Give --letters or --seconds, not both.');
  if ((inbox === undefined) !== (options.tokens === undefined))
    throw new BadArgument('--inbox and --tokens go together.');
  const isSecure = isHttps(url);
  if (isSecure && options.tls === undefined)
    throw new BadArgument('https needs --tls DIR: both sides show a certificate. --make-certificates DIR makes them.');
  const tls = options.tls === undefined ? undefined : await certificatesOf(options.tls);
  const channels = channelsOf(options.channels);
  const municipalities = municipalitiesOf(options.municipalities);
  const tokens = options.tokens === undefined ? undefined : await readPairs('tokens', options.tokens);
  for (const cvr of tokens ? municipalities : [])
    if (!tokens?.has(cvr)) throw new BadArgument(`--tokens: ${options.tokens} has no token of municipality ${cvr}.`);
  const all = FAULTS.filter((each) => canPlay(each, isSecure ? tls : undefined)).map(({ name }) => name);
  return {
    url,
    municipalities,
    paths: pathsOf(options.path),
    rate: positive('rate', options.rate),
    seed: options.seed === undefined ? randomInt(1_000_000) : wholeNumber('seed', options.seed),
    isFlat: flat,
    clock: new SimulatedClock(new Date(), positive('speed', speed)),
    concurrency: wholeNumber('concurrency', options.concurrency),
    timeoutSeconds: positive('timeout', options.timeout),
    stopSeconds: wholeNumber('wait', options.wait),
    faults: fault.includes('all') ? all : fault,
    faultShare: share('fault-share', options['fault-share']),
    signal,
    ...(seconds === undefined && { limit: wholeNumber('letters', letters ?? String(LETTERS)) }),
    ...(large !== undefined && { largeShare: share('large', large) }),
    ...(channels && { channels }),
    ...(flood !== undefined && { flood: { letters: wholeNumber('flood', flood) } }),
    ...(tls && { tls }),
    ...(options['own-host'] !== undefined && { ownHost: options['own-host'] }),
    ...(options.sftp !== undefined && {
      sftp: await openSftp(options.sftp, wholeNumber('sftp-port', options['sftp-port'])),
    }),
    ...(options.sent !== undefined && { sentMessages: await readPairs('sent', options.sent) }),
    ...(inbox !== undefined && {
      inbox: { url: inbox, token: (municipality) => tokens?.get(municipality)?.[0] ?? '' },
    }),
  };
}

function certificatesOf(folder: string): Promise<SimulatorTls> {
  const sentence = `--tls: ${folder} does not have the certificates that --make-certificates makes`;
  return unlessItFails(sentence, () => readCertificates(folder));
}

/** @returns whether all is accounted for, and nothing was found */
async function simulate(options: Options, url: string, signal: AbortSignal): Promise<boolean> {
  const plan = await planOf(options, url, signal);
  const seconds = options.seconds === undefined ? undefined : positive('seconds', options.seconds);
  // What would end it badly is found before the first letter.
  if (plan.inbox) await tryInbox(plan.inbox, plan.municipalities);
  const { json } = options;
  if (json !== undefined) await unlessItFails(`--json: ${json} cannot be written`, () => appendFile(json, ''));
  const simulator = await Simulator.start(plan);
  report(`simulator: ${url}, ${plan.municipalities.length} municipalities, seed ${plan.seed}`);
  if (simulator.sftp) report(`SFTP at ${simulator.sftp.host}:${simulator.sftp.port}`);
  const telling = setInterval(() => {
    const { sent, acknowledged, resent, open, findings, failure } = simulator.progress;
    const why = failure === undefined ? '' : `; no letter is taken just now: ${failure}`;
    report(`sent ${sent}, acknowledged ${acknowledged}, resent ${resent}, open ${open}, findings ${findings}${why}`);
  }, PROGRESS_MS);
  try {
    if (seconds === undefined) await simulator.begun;
    else await pause(seconds * 1_000, undefined, { signal }).catch(() => {});
    const outcome = await simulator.stop();
    if (options.fault.includes('all') && !isHttps(url))
      print('The faults of TLS were not played: they need https and --tls.');
    print(summaryOf(outcome));
    if (json !== undefined) await writeJson(json, outcome, simulator);
    return outcome.isGood;
  } finally {
    clearInterval(telling);
  }
}

/** Of each letter. */
const RECORDED = [
  ...['messageUUID', 'municipality', 'channel', 'kind', 'fault', 'status', 'attempts', 'bytes', 'files'],
  ...['sentAt', 'acknowledgedAt', 'tookMs', 'transmissionId', 'lastFault'],
];

/** Letter by letter: there may be many. */
async function writeJson(file: string, outcome: SimulatorReport, { letters }: Simulator): Promise<void> {
  const handle = await open(file, 'w');
  try {
    await handle.write(`${JSON.stringify(outcome).slice(0, -1)},"letters":[`);
    let before = '\n';
    for (const letter of letters) {
      await handle.write(before + JSON.stringify(letter, RECORDED));
      before = ',\n';
    }
    await handle.write('\n]}\n');
  } finally {
    await handle.close();
  }
}

async function showCertificates(folder: string, hosts: readonly string[]): Promise<void> {
  if (existsSync(join(folder, 'ca.pem')))
    throw new BadArgument(
      `--make-certificates: ${folder} has certificates, which a receiver may be using. Remove it, or name another.`,
    );
  const { cvr, uuid } = await makeCertificates(folder, hosts);
  print(`A test CA and its certificates are in ${folder}, for ten days. Our receiver takes them with:

SF1606_CALLERS=certificate
SF1606_TLS_PORT=8443
SF1606_TLS_KEY_FILE=${folder}/server.key
SF1606_TLS_CERTIFICATE_FILE=${folder}/server.pem
SF1606_TLS_ISSUERS_FILE=${folder}/ca.pem
SF1606_TLS_REVOKED_FILES=${folder}/revoked.crl
SF1606_TLS_CLIENTS=${cvr}/${uuid}`);
}

async function showSftp(folder: string, port: number): Promise<void> {
  const sftp = await sftpOf(folder, port);
  print(`The keys are in ${folder}. Our receiver fetches the files with:

SF2900=on
SF2900_SFTP_HOST=127.0.0.1
SF2900_SFTP_PORT=${port}
SF2900_SFTP_USER=${sftp.user}
SF2900_SFTP_KEY_FILE=${folder}/user.key
SF2900_SFTP_HOST_KEYS=${fingerprintOf(sftp.hostKey)}`);
}

function showFaults(): void {
  for (const { name, does, expects, needs, unseen } of FAULTS) {
    print(`${name}${needs ? ' (TLS)' : ''}\n  ${does}\n  Expected: ${expects}`);
    if (unseen) print(`  Checked only ${unseen.isChecked}: ${unseen.what}.`);
  }
}

/** @returns the exit status */
async function run(options: Options, signal: AbortSignal): Promise<number> {
  if (options.help) print(USAGE);
  else if (options['list-faults']) showFaults();
  else if (options['make-certificates'] !== undefined)
    await showCertificates(options['make-certificates'], options.host.split(','));
  else if (options.url === undefined && options.sftp !== undefined)
    await showSftp(options.sftp, wholeNumber('sftp-port', options['sftp-port']));
  else if (options.url === undefined) throw new BadArgument('Name the receiver: --url URL.');
  else if (!URL.canParse(options.url)) throw new BadArgument(`--url: "${options.url}" is no URL.`);
  else return (await simulate(options, options.url, signal)) ? 0 : 1;
  return 0;
}

const signal = abortedByCtrlC();
try {
  process.exitCode = await run(readOptions(), signal);
} catch (error) {
  const { code, message, stack, name } = error as NodeJS.ErrnoException;
  const isArgument = code?.startsWith('ERR_PARSE_ARGS') || error instanceof BadArgument;
  if (isArgument) report(`${message}\n\n${USAGE}`);
  else report(name === 'Error' ? message : (stack ?? message)); // ours are sentences
  process.exitCode = 1;
}
if (signal.aborted) process.exitCode = INTERRUPTED;
process.exit();
