import { describe, expect, it } from 'vitest';
import { type Lookup, type Reference, type SentMessage, suggestCase } from '../src/suggestion/suggest-case.js';

/** What the core has told, as plain tables. */
interface Told {
  readonly byUuid?: Record<string, SentMessage>;
  readonly byId?: Record<string, SentMessage[]>;
  readonly cases?: readonly string[];
  readonly partyTo?: readonly string[];
}

function lookup({ byUuid = {}, byId = {}, cases = [], partyTo = [] }: Told): Lookup {
  return {
    sentByUuid: (uuid) => byUuid[uuid],
    sentById: (id) => byId[id] ?? [],
    knowsCase: (caseId) => cases.includes(caseId),
    senderIsParty: (caseId) => partyTo.includes(caseId),
  };
}

const letterOf = (caseId: string, senderIsRecipient = false): SentMessage => ({ caseId, senderIsRecipient });
const uuid = (value: string): Reference => ({ kind: 'message-uuid', value });
const id = (value: string): Reference => ({ kind: 'message-id', value });
const caseId = (value: string): Reference => ({ kind: 'case-id', value });

describe('suggestCase', () => {
  it('suggests nothing when there is no reference', () => {
    expect(suggestCase([], lookup({ cases: ['K-1'] }))).toBeNull();
  });

  it('suggests nothing when nothing that is named is known', () => {
    expect(suggestCase([uuid('u'), id('i'), caseId('K-1')], lookup({}))).toBeNull();
  });

  it.each([
    ['a letter by its UUID', [uuid('u')], 'message-uuid'],
    ['a letter by the sender’s own id', [id('i')], 'message-id'],
    ['a case by its number', [caseId('K-1')], 'case-id'],
  ])('finds %s and says so', (_name, references, basis) => {
    const told = { byUuid: { u: letterOf('K-1') }, byId: { i: [letterOf('K-1')] }, cases: ['K-1'] };
    expect(suggestCase(references, lookup(told))).toEqual({ caseId: 'K-1', basis, sender: 'other' });
  });

  it('takes the first reference that is known: the order is the strength', () => {
    const told = { byUuid: { newer: letterOf('K-new'), older: letterOf('K-old') }, cases: ['K-number'] };
    expect(
      suggestCase([uuid('unknown'), uuid('newer'), uuid('older'), caseId('K-number')], lookup(told)),
    ).toMatchObject({ caseId: 'K-new', basis: 'message-uuid' });
  });

  it('goes on to weaker evidence when a text id names letters of two cases', () => {
    const told = { byId: { i: [letterOf('K-1', true), letterOf('K-2')] }, cases: ['K-3'] };
    expect(suggestCase([id('i'), caseId('K-3')], lookup(told))).toMatchObject({ caseId: 'K-3', basis: 'case-id' });
  });

  it('takes a text id that names two letters of one case', () => {
    const told = { byId: { i: [letterOf('K-1'), letterOf('K-1')] } };
    expect(suggestCase([id('i')], lookup(told))).toMatchObject({ caseId: 'K-1', basis: 'message-id' });
  });

  describe('tells how far the sender fits', () => {
    it('the one whom the letter was sent to', () => {
      const told = { byUuid: { u: letterOf('K-1', true) }, partyTo: ['K-1'] };
      expect(suggestCase([uuid('u')], lookup(told))?.sender).toBe('recipient-of-the-letter');
    });

    it('the recipient of one of several letters with the same text id', () => {
      const told = { byId: { i: [letterOf('K-1'), letterOf('K-1', true)] } };
      expect(suggestCase([id('i')], lookup(told))?.sender).toBe('recipient-of-the-letter');
    });

    it('a party to the case', () => {
      const told = { byUuid: { u: letterOf('K-1') }, partyTo: ['K-1'] };
      expect(suggestCase([uuid('u')], lookup(told))?.sender).toBe('party-to-the-case');
    });

    it('neither: being a party to another case does not help', () => {
      const told = { byUuid: { u: letterOf('K-1') }, partyTo: ['K-2'] };
      expect(suggestCase([uuid('u')], lookup(told))?.sender).toBe('other');
    });
  });
});
