import type { OwnPostgres } from '../../testkit/own-state.js';
import { FAULTS, type Fault } from './faults.js';
import { play } from './harness.js';
import type { Kill } from './kills.js';
import type { Verdict } from './ledger.js';
import { Stage } from './stage.js';
import { countOf, summaryOf } from './table.js';

/** What the harness must say of each fault, and the kills that bring it out. */
const EXPECTED: Record<Fault, { verdict: Verdict; runs: number; kills: readonly Kill[] }> = {
  'answer-before-commit': {
    verdict: 'lost',
    runs: 8,
    kills: ['message-committed', 'random', 'both', 'content-synced'],
  },
  'sweep-dropped': { verdict: 'stuck', runs: 3, kills: ['message-committed', 'random', 'folder-synced'] },
  'check-then-insert': { verdict: 'twice', runs: 10, kills: ['rejection-committed', 'random', 'postgres'] },
};

// That something is stuck is certain much sooner when no sweep can bring it.
const STUCK_AFTER_MS = 15_000;

export interface SelfTestPlan {
  readonly seed: number;
  readonly faults: readonly Fault[];
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

/** Breaks the code in each way, and sees whether it is found. @returns how many were */
export async function selfTest(postgres: OwnPostgres, plan: SelfTestPlan): Promise<number> {
  let found = 0;
  for (const fault of plan.faults) {
    const { verdict, runs, kills } = EXPECTED[fault];
    const stage = await Stage.open(postgres, fault);
    try {
      if (fault === 'check-then-insert')
        await stage.sql('DROP INDEX messages_municipality_channel_external_id_fingerprint_key');
      const { ledger } = await play(stage, {
        runs,
        kills,
        fault,
        seed: plan.seed,
        quietEvery: runs,
        stuckAfterMs: STUCK_AFTER_MS,
        signal: plan.signal,
      });
      const isFound = countOf(ledger, verdict) > 0;
      if (isFound) found += 1;
      plan.say(`${fault} (${FAULTS[fault]}): ${isFound ? 'found' : 'NOT FOUND'} in ${runs} runs: ${summaryOf(ledger)}`);
      const example = ledger.findings.find((finding) => finding.verdict === verdict);
      if (example) plan.say(`  such as ${example.verdict}, run ${example.run + 1} (${example.kill}): ${example.what}`);
    } finally {
      await stage.close();
    }
  }
  return found;
}
