import { describe, expect, it } from 'vitest';
import { judge, scoreOf, type Verdict } from '../src/lab/bench/suggest/judge.js';
import { KINDS, type Message, type Right, tellStories } from '../src/lab/bench/suggest/stories.js';
import { outcomeOf } from '../src/lab/bench/suggest/suggest.js';

const { messages } = tellStories(1, 600);

/** A message of this kind. */
const some = (kind: string) => messages.find((message) => message.kind === kind) as Message;
/** What its readers see, when all see this. */
const shownTo = ({ seenBy }: Message, suggestion: Right | null) =>
  new Map([...seenBy].map((user) => [user, suggestion]));

describe('the messages of the bench', () => {
  it('are of every kind, about as many of each', () => {
    const counts = Object.keys(KINDS).map((kind) => messages.filter((message) => message.kind === kind).length);
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(Math.floor(messages.length / counts.length));
  });

  it('are answerable or not by their kind', () => {
    for (const kind of Object.keys(KINDS)) {
      const answerable = new Set(
        messages.filter((message) => message.kind === kind).map(({ right }) => right !== null),
      );
      expect(answerable.size, kind).toBe(1);
    }
  });

  it('are the same for the same seed, and others for another', () => {
    expect(tellStories(1, 600)).toEqual(tellStories(1, 600));
    expect(tellStories(2, 600).messages).not.toEqual(messages);
  });

  it('include every basis, every fit of the sender, cases of every status, and hidden ones', () => {
    const values = (field: keyof Right) => new Set(messages.flatMap(({ right }) => (right ? [right[field]] : [])));
    expect(values('basis')).toEqual(new Set(['message-uuid', 'message-id', 'case-id']));
    expect(values('sender')).toEqual(new Set(['recipient-of-the-letter', 'party-to-the-case', 'other']));
    expect(values('warning')).toEqual(new Set(['not-the-recipient', null]));
    expect(values('caseStatus')).toEqual(new Set(['open', 'closed', 'moved', null]));
    expect(messages.filter(({ seenBy }) => !seenBy.has('ser-alle-1'))).not.toEqual([]);
  });
});

describe('a message is judged', () => {
  const reply = some('reply');
  const right = reply.right as Right;
  const letter = some('new letter from a party');

  it('right when all of its suggestion is', () => {
    expect(judge(reply, shownTo(reply, right))).toBe('right');
  });

  it.each<[string, Partial<Right>]>([
    ['case', { caseId: 'en-anden' }],
    ['basis', { basis: 'case-id' }],
    ['fit of the sender', { sender: 'other' }],
    ['party', { party: 'guardian' }],
    ['warning', { warning: 'not-the-recipient' }],
    ['status of the case', { caseStatus: 'closed' }],
    ['municipality', { movedTo: '33333333' }],
    ['caseworker', { caseworker: 'en-anden' }],
  ])('wrong with another %s', (_field, change) => {
    expect(judge(reply, shownTo(reply, { ...right, ...change }))).toBe('wrong');
  });

  it('missed without one, when it is answerable', () => {
    expect(judge(reply, shownTo(reply, null))).toBe('missed');
  });

  it('wrong with one, when it is not', () => {
    expect(judge(letter, shownTo(letter, null))).toBe('none');
    expect(judge(letter, shownTo(letter, right))).toBe('wrong');
  });

  it('wrong when one sees it who may not, or does not who may', () => {
    const hidden = some('restricted case');
    expect(judge(hidden, shownTo(hidden, hidden.right))).toBe('right');
    expect(judge(hidden, shownTo(hidden, hidden.right).set('ser-alle-1', hidden.right))).toBe('wrong');
    expect(judge(reply, new Map([...shownTo(reply, right)].slice(1)))).toBe('wrong');
    expect(judge(letter, new Map())).toBe('wrong');
  });
});

describe('the goals', () => {
  const goalsOf = (verdicts: readonly Verdict[]) => {
    const answerable = messages.filter((message) => message.right !== null);
    const score = scoreOf(verdicts.map((verdict, at) => ({ message: answerable[at] as Message, verdict })));
    return outcomeOf([], score).goals.map(({ met }) => met);
  };
  const of = (right: number, wrong: number, missed: number): Verdict[] => [
    ...Array<Verdict>(right).fill('right'),
    ...Array<Verdict>(wrong).fill('wrong'),
    ...Array<Verdict>(missed).fill('missed'),
  ];

  it.each([
    [of(100, 0, 0), [true, true]],
    [of(95, 0, 5), [true, true]],
    [of(94, 0, 6), [true, false]],
    [of(99, 1, 0), [false, true]],
    [of(0, 0, 100), [false, false]],
  ])('are precision 1 and recall 0.95 (%#)', (verdicts, met) => {
    expect(goalsOf(verdicts)).toEqual(met);
  });
});
