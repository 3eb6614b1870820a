import { inBoth } from '../language.js';
import type { Rejection, TakingBack } from './bodies.js';

type Reasons = Record<Rejection['reason'], string>;
type BackReasons = Record<TakingBack['reason'], string>;

/** Codes that one chooses among, in words. */
export const CHOICES = inBoth({
  da: {
    rejection: {
      'wrong-municipality': 'Brevet er til en anden kommune',
      'wrong-department': 'Brevet er til en anden afdeling i kommunen',
      'not-for-us': 'Brevet hører ikke til i fagsystemet',
      unreadable: 'Brevet kan ikke læses',
      duplicate: 'Brevet er modtaget før',
      unwanted: 'Uønsket, fx reklame eller chikane',
      other: 'Andet',
    } satisfies Reasons as Reasons,
    takingBack: {
      'wrong-case': 'Brevet hører til en anden sag',
      'wrong-person': 'Brevet handler om en anden person',
      other: 'Andet',
    } satisfies BackReasons as BackReasons,
  },
  en: {
    rejection: {
      'wrong-municipality': 'The letter is for another municipality',
      'wrong-department': 'The letter is for another department of the municipality',
      'not-for-us': 'The letter does not belong in the case system',
      unreadable: 'The letter cannot be read',
      duplicate: 'The letter was received before',
      unwanted: 'Unwanted, such as advertising or harassment',
      other: 'Other',
    },
    takingBack: {
      'wrong-case': 'The letter belongs to another case',
      'wrong-person': 'The letter is about another person',
      other: 'Other',
    },
  },
});

export const optionsOf = <Key extends string>(words: Readonly<Record<Key, string>>) =>
  Object.entries(words) as [Key, string][];
