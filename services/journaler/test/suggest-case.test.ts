import { describe, expect, it } from 'vitest';
import { type Lookup, type Reference, type SentMessage, suggestCase } from '../src/suggestion/suggest-case.js';

/** What the core has registered, as plain tables. */
interface Registered {
  readonly byUuid?: Record<string, SentMessage>;
  readonly byId?: Record<string, SentMessage[]>;
  readonly cases?: readonly string[];
  readonly partyTo?: readonly string[];
}

function lookup({ byUuid = {}, byId = {}, cases = [], partyTo = [] }: Registered): Lookup {
  return {
    sentByUuid: (uuid) => byUuid[uuid],
    sentById: (id) => byId[id] ?? [],
    knowsCase: (caseId) => cases.includes(caseId),
    senderIsParty: (caseId) => partyTo.includes(caseId),
  };
}

const sentFrom = (caseId: string, senderIsRecipient = false): SentMessage => ({ caseId, senderIsRecipient });
const uuid = (value: string): Reference => ({ kind: 'message-uuid', value });
const id = (value: string): Reference => ({ kind: 'message-id', value });
const caseId = (value: string): Reference => ({ kind: 'case-id', value });

describe('suggestCase', () => {
  it('suggests nothing without references', () => {
    expect(suggestCase([], lookup({ cases: ['K-1'] }))).toBeNull();
  });

  it('suggests nothing when no reference is known', () => {
    expect(suggestCase([uuid('u'), id('i'), caseId('K-1')], lookup({}))).toBeNull();
  });

  it.each([
    ['a sent message by its UUID', [uuid('u')], 'message-uuid'],
    ['a sent message by the core’s own id', [id('i')], 'message-id'],
    ['a case by its number', [caseId('K-1')], 'case-id'],
  ])('finds %s and says so', (_name, references, basis) => {
    const registered = { byUuid: { u: sentFrom('K-1') }, byId: { i: [sentFrom('K-1')] }, cases: ['K-1'] };
    expect(suggestCase(references, lookup(registered))).toEqual({ caseId: 'K-1', basis, sender: 'other' });
  });

  it('uses the first known reference, which is the strongest', () => {
    const registered = { byUuid: { newer: sentFrom('K-new'), older: sentFrom('K-old') }, cases: ['K-number'] };
    expect(
      suggestCase([uuid('unknown'), uuid('newer'), uuid('older'), caseId('K-number')], lookup(registered)),
    ).toMatchObject({ caseId: 'K-new', basis: 'message-uuid' });
  });

  it('goes on to weaker evidence when a text id names sent messages of two cases', () => {
    const registered = { byId: { i: [sentFrom('K-1', true), sentFrom('K-2')] }, cases: ['K-3'] };
    expect(suggestCase([id('i'), caseId('K-3')], lookup(registered))).toMatchObject({
      caseId: 'K-3',
      basis: 'case-id',
    });
  });

  it('uses a text id that names two sent messages of one case', () => {
    const registered = { byId: { i: [sentFrom('K-1'), sentFrom('K-1')] } };
    expect(suggestCase([id('i')], lookup(registered))).toMatchObject({ caseId: 'K-1', basis: 'message-id' });
  });

  describe('says how well the sender fits', () => {
    it('the recipient of the sent message', () => {
      const registered = { byUuid: { u: sentFrom('K-1', true) }, partyTo: ['K-1'] };
      expect(suggestCase([uuid('u')], lookup(registered))?.sender).toBe('recipient-of-the-letter');
    });

    it('the recipient of one of several sent messages with the same text id', () => {
      const registered = { byId: { i: [sentFrom('K-1'), sentFrom('K-1', true)] } };
      expect(suggestCase([id('i')], lookup(registered))?.sender).toBe('recipient-of-the-letter');
    });

    it('a party to the case', () => {
      const registered = { byUuid: { u: sentFrom('K-1') }, partyTo: ['K-1'] };
      expect(suggestCase([uuid('u')], lookup(registered))?.sender).toBe('party-to-the-case');
    });

    it('neither: a party to another case', () => {
      const registered = { byUuid: { u: sentFrom('K-1') }, partyTo: ['K-2'] };
      expect(suggestCase([uuid('u')], lookup(registered))?.sender).toBe('other');
    });
  });
});
