import { atLeast, type Bench, type Outcome, type Size } from '../bench.js';
import type { Place } from '../place.js';
import { judge, type Score, type Shown, scoreOf } from './judge.js';
import { difference, play } from './play.js';
import { KINDS, tellStories } from './stories.js';

const SEED = 20261126;
const MESSAGES = 10_000;
const QUICK_MESSAGES = 300;
const SHOWN_DIFFERENCES = 20;

export const suggest: Bench = {
  name: 'suggest',
  measures: 'Suggested cases of synthetic messages with known answers: precision, and recall on the answerable.',
  mustMeetGoals: true,

  async run(place: Place, size: Size): Promise<Outcome> {
    const scenario = tellStories(SEED, size.quick ? QUICK_MESSAGES : MESSAGES);
    const shown = await play(place, scenario);
    const nothing: Shown = new Map();
    const judged = scenario.messages.map((message) => ({
      message,
      verdict: judge(message, shown.get(message.uuid) ?? nothing),
    }));
    const differing = judged.filter(({ verdict }) => verdict === 'wrong' || verdict === 'missed');
    for (const { message } of differing.slice(0, SHOWN_DIFFERENCES)) {
      process.stdout.write(`${difference(message, shown.get(message.uuid) ?? nothing)}\n`);
    }
    const scores = Object.keys(KINDS).map(
      (kind) => [kind, scoreOf(judged.filter(({ message }) => message.kind === kind))] as const,
    );
    return outcomeOf(scores, scoreOf(judged));
  },
};

export function outcomeOf(kinds: readonly (readonly [kind: string, score: Score])[], all: Score): Outcome {
  return {
    columns: ['kind', 'messages', 'answerable', 'suggested', 'right', 'wrong', 'missed', 'precision', 'recall'],
    rows: [...kinds, ['all', all] as const].map(([kind, score]) => rowOf(kind, score)),
    figures: { ...all },
    goals: [atLeast('precision', all.precision, 1), atLeast('recall on the answerable', all.recall, 0.95)],
    notes: [],
  };
}

function rowOf(kind: string, { precision, recall, ...counts }: Score): string[] {
  const { messages, answerable, suggested, right, wrong, missed } = counts;
  const shares = [precision, recall].map((share) => (Number.isNaN(share) ? '' : share.toFixed(3)));
  return [kind, ...[messages, answerable, suggested, right, wrong, missed].map(String), ...shares];
}
