import { randomInt } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { INTERRUPTED } from '@indbakke/shared/service';
import { BadArgument, oneOf, rejectOptionsTakenByNpm } from '../../local/command.js';
import { abortedByCtrlC } from '../../local/ctrl-c.js';
import { makeKeys, publicKeyOf } from '../../local/sftp-server.js';
import { makeCertificates, readCertificates } from './certificates.js';
import { SimulatedClock } from './clock.js';
import { FAULTS } from './faults.js';
import { CHANNELS, type Channel } from './letters.js';
import { canPlay } from './plan.js';
import { summaryOf } from './report.js';
import { Simulator, type SimulatorPlan, type SimulatorReport } from './simulator.js';

const USAGE = `npm run simulator -- --url URL [options]
npm run simulator -- --list-faults
npm run simulator -- --make-certificates DIR [--host NAME[,NAME…]]

Sends letters to a receiver of SF1606 and SF2900 as Serviceplatformen and Digital Post do, and says what became of each.

  --url URL               the receiver: https, or http to this machine
  --municipalities LIST   CVR numbers with commas between, or how many made-up ones (default: 22222222)
  --letters N             how many to send (default 100); --seconds N: for how long instead
  --rate N                letters a second, on average (default 1); --flat: without the rhythm of day and week
  --speed N               how much faster the simulated clock runs (default 1)
  --channels LIST         of ${CHANNELS.join(', ')}, in equal shares (default: mostly rest)
  --large N               share of letters of 60 to 99.5 MB (default 0.002)
  --fault NAME            plays a fault; may be given again; all = each that can be played
  --own-host HOST         by which the receiver reaches this machine, if it is on another: the fault external-entity needs it
  --fault-share N         share of the traffic that is faults, once each was played (default 0)
  --flood N               sends N old letters at once to one municipality, as SystemFetch does
  --tls DIR               the certificates that --make-certificates made
  --sftp DIR              is the SFTP server of SF2900 on this machine, with its keys and files there; --sftp-port N
  --sent FILE             letters that were sent, for replies: a line of each, CVR and messageUUID
  --inbox URL             asks the inbox API what is there at the end; --tokens FILE: a line of each, CVR and token
  --json FILE             writes the report with every letter
  --concurrency N         letters under way at once (default 32); --timeout N: seconds for an answer (default 60)
  --wait N                seconds to wait for receipts at the end (default 120)
  --seed N                the same sizes, kinds and times again; ids are new`;

const OPTIONS = {
  url: { type: 'string' },
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

function positive(name: string, text: string, most = Number.POSITIVE_INFINITY): number {
  const number = Number(text);
  if (!(number >= 0 && number <= most) || text === '')
    throw new BadArgument(`--${name} is a number${most === 1 ? ' from 0 to 1' : ''}, not "${text}".`);
  return number;
}

function municipalitiesOf(text: string): string[] {
  if (/^\d{1,4}$/.test(text)) {
    const count = Number(text);
    if (count === 0 || count > MOST_MUNICIPALITIES)
      throw new BadArgument(`--municipalities is at most ${MOST_MUNICIPALITIES}.`);
    return Array.from({ length: count }, (_, at) => String(FIRST_MADE_UP + at));
  }
  const all = text.split(',');
  for (const cvr of all)
    if (!/^\d{8}$/.test(cvr)) throw new BadArgument(`--municipalities: "${cvr}" is no CVR number of 8 digits.`);
  return all;
}

function channelsOf(text: string | undefined): Partial<Record<Channel, number>> | undefined {
  if (text === undefined) return undefined;
  return Object.fromEntries(text.split(',').map((name) => [oneOf('channels', name, CHANNELS), 1]));
}

/** Lines of two words, by the first. */
async function readPairs(file: string): Promise<Map<string, string[]>> {
  const pairs = new Map<string, string[]>();
  for (const line of (await readFile(file, 'utf8')).split('\n').filter((each) => each.trim() !== '')) {
    const [key = '', value] = line.trim().split(/\s+/);
    if (value === undefined) throw new Error(`A line of ${file} has no second word.`);
    pairs.set(key, [...(pairs.get(key) ?? []), value]);
  }
  return pairs;
}

/** Its keys are made when they are not there. */
async function sftpOf(folder: string, port: number): Promise<NonNullable<SimulatorPlan['sftp']>> {
  await mkdir(folder, { recursive: true });
  const key = async (name: string) => {
    const file = join(folder, name);
    if (!existsSync(file)) await writeFile(file, makeKeys().privateKey, { mode: 0o600 });
    return readFileSync(file, 'utf8');
  };
  const [hostKey, userKey] = [await key('host.key'), await key('user.key')];
  return { folder: join(folder, 'served'), user: 'indbakke', publicKey: publicKeyOf(userKey), hostKey, port };
}

async function planOf(options: Options, url: string, signal: AbortSignal): Promise<SimulatorPlan> {
  const { flat, speed, flood, large, fault, letters, seconds } = options;
  const tls = options.tls === undefined ? undefined : readCertificates(options.tls);
  const channels = channelsOf(options.channels);
  const tokens = options.tokens === undefined ? new Map<string, string[]>() : await readPairs(options.tokens);
  const isSecure = url.startsWith('https:');
  const all = FAULTS.filter((each) => canPlay(each, isSecure ? tls : undefined)).map(({ name }) => name);
  return {
    url,
    municipalities: municipalitiesOf(options.municipalities),
    rate: positive('rate', options.rate),
    seed: options.seed === undefined ? randomInt(1_000_000) : wholeNumber('seed', options.seed),
    isFlat: flat,
    clock: new SimulatedClock(new Date(), positive('speed', speed)),
    concurrency: wholeNumber('concurrency', options.concurrency),
    timeoutSeconds: positive('timeout', options.timeout),
    stopSeconds: positive('wait', options.wait),
    faults: fault.includes('all') ? all : fault,
    faultShare: positive('fault-share', options['fault-share'], 1),
    signal,
    ...(seconds === undefined && { limit: wholeNumber('letters', letters ?? String(LETTERS)) }),
    ...(large !== undefined && { largeShare: positive('large', large, 1) }),
    ...(channels && { channels }),
    ...(flood !== undefined && { flood: { letters: wholeNumber('flood', flood) } }),
    ...(tls && { tls }),
    ...(options['own-host'] !== undefined && { ownHost: options['own-host'] }),
    ...(options.sftp !== undefined && {
      sftp: await sftpOf(options.sftp, wholeNumber('sftp-port', options['sftp-port'])),
    }),
    ...(options.sent !== undefined && { sentMessages: await readPairs(options.sent) }),
    ...(options.inbox !== undefined && {
      inbox: {
        url: options.inbox,
        token(municipality) {
          const [token] = tokens.get(municipality) ?? [];
          if (token === undefined) throw new Error(`--tokens has none for municipality ${municipality}.`);
          return token;
        },
      },
    }),
  };
}

/** @returns whether all is accounted for, and nothing was found */
async function simulate(options: Options, url: string, signal: AbortSignal): Promise<boolean> {
  const plan = await planOf(options, url, signal);
  const seconds = options.seconds === undefined ? undefined : positive('seconds', options.seconds);
  const simulator = await Simulator.start(plan);
  report(`simulator: ${url}, ${plan.municipalities.length} municipalities, seed ${plan.seed}`);
  if (simulator.sftp) {
    const { host, port, hostKeys } = simulator.sftp;
    report(`SFTP at ${host}:${port}, user indbakke, key ${options.sftp}/user.key, host key ${hostKeys.join(' ')}`);
  }
  const telling = setInterval(() => {
    const { sent, acknowledged, resent, open, findings } = simulator.progress;
    report(`sent ${sent}, acknowledged ${acknowledged}, resent ${resent}, open ${open}, findings ${findings}`);
  }, PROGRESS_MS);
  try {
    if (seconds === undefined) await simulator.begun;
    else await pause(seconds * 1_000, undefined, { signal }).catch(() => {});
    const outcome = await simulator.stop();
    if (options.json !== undefined) await writeJson(options.json, outcome, simulator);
    print(summaryOf(outcome));
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
