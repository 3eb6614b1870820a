import type { OwnPostgres } from '../../../testkit/own-state.js';
import { HAS_REDIS, startOwnRedis } from '../../../testkit/redis.js';
import { Stage, withPostgres } from '../stage.js';
import { FEED_FAULTS, type FeedFault } from './faults.js';
import { type FeedOutcome, type FeedPlan, playFeed } from './run.js';

const MAX_FINDINGS_SHOWN = 40;
// Long enough for a batch with two changes of one message.
const SELF_TEST_SECONDS = 8;
// Webhooks that have failed are many when it ends.
const STUCK_AFTER_MS = 180_000;
// What is dropped never comes.
const STUCK_IN_SELF_TEST_MS = 15_000;

/** What the comparison must say of each fault, as a verdict and of whom. */
const EXPECTED: Record<FeedFault, readonly [string, string]> = {
  'event-dropped': ['lost', 'a consumer that polls'],
  'events-swapped': ['disordered', 'after version'],
  'delivery-skipped': ['lost', 'webhooks'],
};

type Print = (line: string) => void;
type Options = Omit<FeedPlan, 'queueUrl' | 'fault' | 'stuckAfterMs' | 'report'>;

/** Plays, prints what is found, and last a line of JSON. @returns whether nothing was found */
export function crashFeed(options: Options, print: Print): Promise<boolean> {
  return withPostgres(async (postgres) => {
    const { seconds, seed } = options;
    print(`crash feed: ${seconds} s, seed ${seed}`);
    const { findings, kills, figures } = await play(postgres, {
      ...options,
      stuckAfterMs: STUCK_AFTER_MS,
      report: tell,
    });
    for (const { verdict, what } of findings.slice(0, MAX_FINDINGS_SHOWN)) print(`${verdict}: ${what}`);
    const found = findings.length;
    print(
      JSON.stringify({
        name: 'crash-feed',
        seconds,
        seed,
        queue: HAS_REDIS ? 'redis' : 'postgres',
        kills,
        ...figures,
        found,
      }),
    );
    return found === 0;
  });
}

/** Plays with each fault. @returns whether the comparison found all of them */
export function testFeedItself(options: Omit<Options, 'seconds'>, print: Print): Promise<boolean> {
  return withPostgres(async (postgres) => {
    const faults = Object.keys(FEED_FAULTS) as FeedFault[];
    let found = 0;
    for (const fault of faults) {
      const { findings } = await play(postgres, {
        ...options,
        fault,
        seconds: SELF_TEST_SECONDS,
        stuckAfterMs: STUCK_IN_SELF_TEST_MS,
        report: () => {},
      });
      const [verdict, whose] = EXPECTED[fault];
      const example = findings.find((finding) => finding.verdict === verdict && finding.what.startsWith(whose));
      if (example) found += 1;
      print(`${fault} (${FEED_FAULTS[fault]}): ${example ? `found: ${verdict}: ${example.what}` : 'NOT FOUND'}`);
    }
    print(`self-test: ${found} of ${faults.length} faults found`);
    return found === faults.length;
  });
}

async function play(postgres: OwnPostgres, plan: Omit<FeedPlan, 'queueUrl'>): Promise<FeedOutcome> {
  const redis = HAS_REDIS ? await startOwnRedis(postgres.paths.root) : undefined;
  const stage = await Stage.open(postgres, plan.fault ?? 'feed');
  try {
    return await playFeed(stage, { ...plan, queueUrl: redis?.url });
  } finally {
    await stage.close();
    await redis?.close();
  }
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}
