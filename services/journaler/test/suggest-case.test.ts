import type { PartyRelation } from '@indbakke/shared/lifecycle';
import { describe, expect, it } from 'vitest';
import { type Lookup, type Reference, type SentMessage, suggestCase } from '../src/suggestion/suggest-case.js';

/** What the core has registered, as plain tables. */
interface Registered {
  readonly byUuid?: Record<string, SentMessage>;
  readonly byId?: Record<string, SentMessage[]>;
  readonly cases?: readonly string[];
  readonly partyTo?: readonly string[];
  readonly relationIn?: Record<string, PartyRelation>;
}

function lookup({ byUuid = {}, byId = {}, cases = [], partyTo = [], relationIn = {} }: Registered): Lookup {
  return {
    sentByUuid: (uuid) => byUuid[uuid],
    sentById: (id) => byId[id] ?? [],
    knowsCase: (caseId) => cases.includes(caseId),
    senderIsParty: (caseId) => partyTo.includes(caseId),
    senderRelation: (caseId) => relationIn[caseId] ?? null,
  };
}

const sentFrom = (caseId: string, senderIsRecipient: boolean | undefined = false): SentMessage => ({
  caseId,
  senderIsRecipient,
});
const toUnknown = (caseId: string): SentMessage => ({ caseId, senderIsRecipient: undefined });
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
    expect(suggestCase(references, lookup(registered))).toMatchObject({ caseId: 'K-1', basis, sender: 'other' });
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

    it('which party the sender is, of the suggested case and no other', () => {
      const relationIn = { 'K-1': 'father', 'K-2': 'child' } as const;
      expect(suggestCase([uuid('u')], lookup({ byUuid: { u: sentFrom('K-1') }, relationIn }))?.party).toBe('father');
      expect(suggestCase([uuid('u')], lookup({ byUuid: { u: sentFrom('K-3') }, relationIn }))?.party).toBeNull();
    });

    it.each<[string, SentMessage[], string | null]>([
      ['the recipient', [sentFrom('K-1', true)], null],
      ['another than the recipient', [sentFrom('K-1', false)], 'not-the-recipient'],
      ['an unknown one, when the recipient is not told', [toUnknown('K-1')], null],
      ['the recipient of one of several', [sentFrom('K-1', false), sentFrom('K-1', true)], null],
      ['maybe the recipient of one of several', [sentFrom('K-1', false), toUnknown('K-1')], null],
      ['the recipient of none', [sentFrom('K-1', false), sentFrom('K-1', false)], 'not-the-recipient'],
    ])('with a warning or none: %s', (_who, sent, warning) => {
      expect(suggestCase([id('i')], lookup({ byId: { i: sent } }))?.warning).toBe(warning);
    });

    it('without a warning when only the case is named, since no letter is', () => {
      expect(suggestCase([caseId('K-1')], lookup({ cases: ['K-1'] }))?.warning).toBeNull();
    });

    it('neither: a party to another case', () => {
      const registered = { byUuid: { u: sentFrom('K-1') }, partyTo: ['K-2'] };
      expect(suggestCase([uuid('u')], lookup(registered))?.sender).toBe('other');
    });
  });
});
