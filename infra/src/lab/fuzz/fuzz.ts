import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Random } from '../random.js';
import { judge, type Verdict, wrongVerdicts } from './judge.js';
import { hasXmllint } from './libxml2-opinion.js';
import { mutateBytes, mutateTree } from './mutate.js';
import { anyMessage, writeTree } from './tree.js';

/** The folder of found cases; the path works from the sources and from the build. */
export const FOUND = fileURLToPath(new URL('../../../../services/receiver/test/hostile/found/', import.meta.url));

export interface FuzzOptions {
  readonly seconds: number;
  readonly seed: number;
  /** Some messages are also sent to it over HTTP. */
  readonly stack?: FuzzTarget | undefined;
  /** Ends the run early. */
  readonly signal?: AbortSignal;
  /** Called with each message’s number before it is judged. */
  readonly onMessage?: (number: number) => void;
  readonly onProgress?: (line: string) => void;
  /** Called once for each kind of failure, with a message reduced to what causes it. */
  readonly onFailure: (failure: string, message: Buffer) => void;
}

/** A running receiver that messages are sent to. */
export interface FuzzTarget {
  /** @returns what is wrong with the answer or the stored state */
  send(message: Buffer, verdict: Verdict, chance: Random): Promise<string | undefined>;
}

export interface FuzzResult {
  readonly messages: number;
  readonly overHttp: number;
  readonly seconds: number;
  readonly accepted: number;
  readonly refused: number;
  readonly refusals: Readonly<Record<string, number>>;
  /** Failures by kind. */
  readonly failures: Readonly<Record<string, number>>;
}

export const RECIPIENT = '22222222';
const PROGRESS_MS = 10_000;
const HTTP_EVERY = 50;
/** Messages per run of xmllint. */
const BATCH = 200;
const CHUNKS = [1, 2, 3, 7, 64, 1_000, 65_536];

export async function fuzz({
  seconds,
  seed,
  stack,
  signal,
  onMessage,
  onProgress,
  onFailure,
}: FuzzOptions): Promise<FuzzResult> {
  const started = performance.now();
  const counts = { messages: 0, overHttp: 0, accepted: 0, refused: 0 };
  const refusals: Record<string, number> = {};
  const failures: Record<string, number> = {};
  const unchecked: { message: Buffer; verdict: Verdict }[] = [];
  const fail = async (failure: string, message: Buffer, judgeAgain: Judge | undefined) => {
    failures[failure] = (failures[failure] ?? 0) + 1;
    if (failures[failure] === 1) onFailure(failure, judgeAgain ? await shrink(message, failure, judgeAgain) : message);
  };
  const checkWithLibxml2 = async () => {
    const judged = hasXmllint ? unchecked.splice(0) : [];
    for (const [at, failure] of (await wrongVerdicts(judged)).entries()) {
      if (failure !== undefined) await fail(failure, judged[at]?.message as Buffer, verdictByLibxml2);
    }
  };
  const elapsed = () => (performance.now() - started) / 1_000;
  let nextProgress = PROGRESS_MS / 1_000;

  while (elapsed() < seconds && !signal?.aborted) {
    onMessage?.(counts.messages);
    const chance = new Random(Math.imul(seed, 0x9e3779b1) + counts.messages);
    const message = anyMutant(chance);
    const verdict = await judgeWith(message, chance);
    counts.messages += 1;
    if (verdict.code === undefined) counts.accepted += 1;
    else counts.refused += 1;
    if (verdict.code !== undefined) refusals[verdict.code] = (refusals[verdict.code] ?? 0) + 1;

    if (verdict.failure !== undefined) {
      await fail(verdict.failure, message, verdictByXml2js);
    } else {
      unchecked.push({ message, verdict });
      if (unchecked.length === BATCH) await checkWithLibxml2();
      if (stack && counts.messages % HTTP_EVERY === 0) {
        const failure = await stack.send(message, verdict, chance);
        counts.overHttp += 1;
        if (failure !== undefined) await fail(failure, message, undefined);
      }
    }
    if (elapsed() > nextProgress) {
      nextProgress += PROGRESS_MS / 1_000;
      onProgress?.(`${Math.round(elapsed())} s: ${counts.messages} messages, ${counts.overHttp} of them over HTTP`);
    }
  }
  await checkWithLibxml2();
  return { ...counts, seconds: Math.round(elapsed()), refusals, failures };
}

/** A valid message, usually with faults in its elements, its bytes or both. */
function anyMutant(chance: Random): Buffer {
  const tree = anyMessage(chance, RECIPIENT);
  const kind = chance.below(8);
  if (kind < 4) mutateTree(tree, chance);
  const bytes = Buffer.from(writeTree(tree, chance));
  return kind === 7 || kind < 2 ? bytes : mutateBytes(bytes, chance);
}

function judgeWith(message: Buffer, chance: Random): Promise<Verdict> {
  const size = chance.pick(CHUNKS);
  // Not one byte at a time: for 70 KB that would take most of the run.
  const minSize = Math.ceil(message.length / (chance.oneIn(10) ? 2_000 : 50));
  return judge(message, () => Math.max(minSize, 1 + chance.below(size)));
}

const SHRINK_MS = 2_000;

/** @returns the failure of a message, if any */
type Judge = (message: Buffer) => Promise<string | undefined>;

const verdictByXml2js: Judge = async (message) => (await judge(message, () => 65_536)).failure;
const verdictByLibxml2: Judge = async (message) =>
  (await wrongVerdicts([{ message, verdict: await judge(message, () => 65_536) }]))[0];

/** Removes what the failure does not need, for up to SHRINK_MS. */
async function shrink(message: Buffer, failure: string, judgeAgain: Judge): Promise<Buffer> {
  const until = performance.now() + SHRINK_MS;
  let best = message;
  for (let size = Math.ceil(best.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < best.length && performance.now() < until; ) {
      const shorter = Buffer.concat([best.subarray(0, at), best.subarray(at + size)]);
      if ((await judgeAgain(shorter)) === failure) best = shorter;
      else at += size;
    }
  }
  return best;
}

/** Saves a found case; the tests read all of them. @returns its file name */
export function saveFinding(failure: string, message: Buffer): string {
  const name = failure
    .replace(/^accepted, but \w+ refuses it: /, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 80)
    .replace(/^-|-$/g, '');
  mkdirSync(FOUND, { recursive: true });
  writeFileSync(`${FOUND}${name}.xml`, message);
  return `${name}.xml`;
}

/** The last line of output. */
export function lastLine({ messages, seconds, accepted, refused, failures }: FuzzResult): string {
  const failed = Object.values(failures).reduce((sum, count) => sum + count, 0);
  return `fuzz: ${messages} messages in ${seconds} s, accepted ${accepted}, refused ${refused}, failures ${failed}`;
}
