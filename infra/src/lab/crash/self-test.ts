import type { OwnPostgres } from '../../testkit/own-state.js';
import { FAULTS, type Fault } from './faults.js';
import { play } from './harness.js';
import type { Kill } from './kills.js';
import type { Verdict } from './ledger.js';
import { Stage } from './stage.js';
import { countOf, summaryOf } from './table.js';

/** The verdict that the harness must reach for each fault, and kills that reveal it. */
const EXPECTED: Record<Fault, { verdict: Verdict; runs: number; kills: readonly Kill[] }> = {
  'answer-before-commit': {
    verdict: 'lost',
    runs: 8,
    kills: ['message-committed', 'random', 'both', 'content-synced'],
  },
  'sweep-dropped': { verdict: 'stuck', runs: 3, kills: ['message-committed', 'random', 'folder-synced'] },
  'doubt-denied': { verdict: 'lost', runs: 4, kills: ['silent'] },
  'key-forgotten': { verdict: 'lost', runs: 4, kills: ['deletion-written', 'rejection-committed'] },
  'check-then-insert': { verdict: 'twice', runs: 10, kills: ['rejection-committed', 'random', 'postgres'] },
};

// Shorter than in a normal run, because here no sweep can restore anything.
const STUCK_AFTER_MS = 15_000;

export interface SelfTestPlan {
  readonly seed: number;
  readonly faults: readonly Fault[];
  readonly signal: AbortSignal;
  readonly report: (line: string) => void;
}

/** Runs the harness with each fault. @returns how many were found */
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
      plan.report(
        `${fault} (${FAULTS[fault]}): ${isFound ? 'found' : 'NOT FOUND'} in ${runs} runs: ${summaryOf(ledger)}`,
      );
      const example = ledger.findings.find((finding) => finding.verdict === verdict);
      if (example)
        plan.report(`  for example ${example.verdict}, run ${example.run + 1} (${example.kill}): ${example.what}`);
    } finally {
      await stage.close();
    }
  }
  return found;
}
