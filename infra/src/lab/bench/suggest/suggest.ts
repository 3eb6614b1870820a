import { atLeast, type Bench, type Outcome, type Size } from '../bench.js';
import type { Place } from '../place.js';
import { judge, type Score, type Shown, scoreOf } from './judge.js';
import { difference, play } from './play.js';
import { KINDS, tellStories } from './stories.js';
import { MUNICIPALITIES } from './world.js';

const SEED = 20261126;
const MESSAGES = 10_000;
const QUICK_MESSAGES = 300;
const MIN_PRECISION = 1;
const MIN_RECALL = 0.95;
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
  const { precision, recall, ...counts } = all;
  return {
    columns: ['kind', 'messages', 'answerable', 'suggested', 'right', 'wrong', 'missed', 'precision', 'recall'],
    rows: [...kinds, ['all', all] as const].map(([kind, score]) => rowOf(kind, score)),
    figures: { ...counts, precision: floored(precision), recall: floored(recall) },
    goals: [
      { ...atLeast('precision', precision, MIN_PRECISION), measured: shareOf(precision) },
      { ...atLeast('recall on the answerable', recall, MIN_RECALL), measured: shareOf(recall) },
    ],
    notes: [
      `Who writes, what and why is told first, and the right answer is the case of that; then the message is written. Nothing of it looks up. ${MUNICIPALITIES.length} municipalities, one core each, all with the same system and the same numbers of cases and letters.`,
      'The cores register cases and letters over HTTP, all three services run, and messages come on 16 connections; what a core tells afterwards it tells right after the receipt.',
      'Right: case, basis, how the sender fits, which party it is, warning, status, municipality that the case moved to or came from, and caseworker; and exactly those see the message who may: two users with SeAlle, one of whom some restricted cases name, and caseworkers with Læs alone.',
      'Answerable: it belongs to a case of the municipality, and what the rules count says which. A kind with none must get no suggestion.',
      'Matters of opinion. Without suggestion: our own letter that its recipient forwards to us, since ReplyData may be the forwarder’s; a case that has moved here, answered by a letter of the municipality that it came from. With one, marked: an answer of somebody who is no party.',
      'Not among them, since both answers can be defended: a chain whose newest letter the core has not told of, and which names another case than an older letter that it has. The older letter, by its UUID, is suggested until the core tells of the newer.',
    ],
  };
}

/** Never rounded up to 1. */
const floored = (share: number) => Math.floor(share * 10_000) / 10_000;
const shareOf = (share: number) => floored(share).toFixed(4);

function rowOf(kind: string, { precision, recall, ...counts }: Score): string[] {
  const { messages, answerable, suggested, right, wrong, missed } = counts;
  const shares = [precision, recall].map((share) => (Number.isNaN(share) ? '' : shareOf(share)));
  return [kind, ...[messages, answerable, suggested, right, wrong, missed].map(String), ...shares];
}
