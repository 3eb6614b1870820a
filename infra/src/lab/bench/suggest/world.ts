import type { Random } from '../../random.js';
import type { Entry } from './memo.js';

/** CVR numbers that no authority has. The first is the one that every bench has. */
export const MUNICIPALITIES = ['22222222', '33333333', '44444444'] as const;
/** With IndkomneDokumenter.Læs alone: they see what is suggested for their cases. The same ids in every municipality. */
export const CASEWORKERS = Array.from({ length: 6 }, (_, at) => `sagsbehandler-${at + 1}`);
/** With IndkomneDokumenter.SeAlle, and named in some restricted cases. */
export const LEADER = 'leder-1';
/** With IndkomneDokumenter.SeAlle, and named in no restricted case. */
export const SEES_ALL = 'ser-alle-1';

/** As the core writes it into what it sends (OWN_SYSTEM_ID). All municipalities have the same system. */
export const OUR_SYSTEM = 'DUBU';

export interface Person {
  /** CPR or CVR number, in digits. */
  readonly id: string;
  readonly idType: 'CPR' | 'CVR';
  readonly name: string;
}

export type Relation = 'child' | 'mother' | 'father' | 'guardian' | 'professional';

export interface Party {
  readonly person: Person;
  /** null: the core does not tell it. */
  readonly relation: Relation | null;
}

export interface Case {
  readonly municipality: string;
  readonly id: string;
  readonly parties: readonly Party[];
  /** null where the core has told no more of the case than that a letter was sent from it. */
  readonly told: {
    readonly status: 'open' | 'closed' | 'moved';
    readonly movedTo: string | null;
    readonly movedFrom: string | null;
    readonly caseworker: string;
    readonly restrictedTo: readonly string[] | null;
  } | null;
}

/** What the municipality sent. */
export interface Letter {
  readonly uuid: string;
  readonly messageId: string;
  readonly of: Case;
  readonly to: Person;
  /** Whether the core tells to whom it was sent. */
  readonly recipientIsTold: boolean;
}

/** A PUT of the core. */
export interface Registration {
  readonly municipality: string;
  /** Below /api/v1. */
  readonly path: string;
  readonly body: object;
}

/** Families, their cases and the letters of the municipalities, and what the cores tell of them. */
export class World {
  readonly random: Random;
  /** What the cores tell before any message is sent: cases, then letters. */
  readonly cases: Registration[] = [];
  readonly letters: Registration[] = [];
  readonly #ordinary = new Map<string, Case[]>();
  readonly #numbers = new Map<string, number>();

  /** @param families of each municipality; each has a case for each child */
  constructor(random: Random, families: number) {
    this.random = random;
    for (const municipality of MUNICIPALITIES) {
      const ordinary: Case[] = [];
      for (let family = 0; family < families; family += 1) {
        const parents = this.#parents();
        for (let child = random.between(1, 3); child > 0; child -= 1) {
          ordinary.push(this.newCase(municipality, { parties: [...parents, this.#child(), this.#school()] }));
        }
      }
      this.#ordinary.set(municipality, ordinary);
    }
  }

  /** An open case of an ordinary family. */
  someCase(municipality: string, other?: Case): Case {
    const from = this.#ordinary.get(municipality) ?? [];
    for (;;) {
      const found = this.random.pick(from);
      if (found !== other) return found;
    }
  }

  /** A registered case of the other municipality with the same number, and one here. */
  sameNumber(here: string, there: string): { readonly here: Case; readonly there: Case } {
    for (;;) {
      const found = this.someCase(here);
      const theirs = this.#ordinary.get(there)?.find(({ id }) => id === found.id);
      if (theirs) return { here: found, there: theirs };
    }
  }

  /** Numbers are counted in each municipality, so every number is in use in several. */
  newCase(
    municipality: string,
    { parties, ...told }: Partial<NonNullable<Case['told']>> & Partial<Pick<Case, 'parties'>> = {},
  ): Case {
    const made: Case = {
      municipality,
      id: this.#number(`BF ${municipality}`),
      parties: parties ?? [...this.#parents(), this.#child(), this.#school()],
      told: {
        status: 'open',
        movedTo: null,
        movedFrom: null,
        caseworker: this.random.pick(CASEWORKERS),
        restrictedTo: null,
        ...told,
      },
    };
    this.cases.push(registrationOf(made));
    return made;
  }

  /** A case of which the core tells no more than that it sent letters from it. */
  untoldCase(municipality: string): Case {
    return { municipality, id: this.#number(`BF ${municipality}`), parties: [], told: null };
  }

  /** A letter that the core tells of at once. Ids of letters are counted in each municipality, like case numbers. */
  letter(of: Case, more: Partial<Omit<Letter, 'of'>> = {}): Letter {
    const made = this.untoldLetter(of, more);
    this.letters.push(sentFrom(made));
    return made;
  }

  /** A letter that the core does not tell of. */
  untoldLetter(of: Case, more: Partial<Omit<Letter, 'of'>> = {}): Letter {
    const to = of.parties.length === 0 ? this.person() : this.random.pick(of.parties).person;
    const messageId = more.messageId ?? this.#number(`BREV ${of.municipality}`);
    return { uuid: this.random.uuid(), to, recipientIsTold: true, ...more, messageId, of };
  }

  /** An id that a core uses for several letters. */
  sharedMessageId(): string {
    return this.#number('FLET all');
  }

  /** Nobody that any case knows. No month has 51 days, and there is no month 51. */
  person(): Person {
    const number = this.#next('person');
    return { id: `4151${String(number).padStart(6, '0')}`, idType: 'CPR', name: `Borger ${number}` };
  }

  /** No CVR number begins with 0. */
  organisation(): Person {
    const number = this.#next('organisation');
    return { id: `00${String(number).padStart(6, '0')}`, idType: 'CVR', name: `Virksomhed ${number}` };
  }

  /** A party to the case, but not this person. */
  otherParty({ parties }: Case, person: Person): Person {
    return this.random.pick(parties.filter((party) => party.person !== person)).person;
  }

  shuffled<T>(items: readonly T[]): T[] {
    const left = [...items];
    return Array.from(items, () => left.splice(this.random.below(left.length), 1)[0] as T);
  }

  #parents(): Party[] {
    const told = !this.random.oneIn(5);
    return (['mother', 'father'] as const).map((relation) => ({
      person: this.person(),
      relation: told ? relation : null,
    }));
  }

  #child(): Party {
    return { person: this.person(), relation: 'child' };
  }

  #school(): Party {
    return { person: this.organisation(), relation: 'professional' };
  }

  /** @param series a prefix, and by whom it is counted */
  #number(series: string): string {
    return `${series.split(' ')[0]}-${this.#next(series)}`;
  }

  #next(series: string): number {
    const next = (this.#numbers.get(series) ?? 0) + 1;
    this.#numbers.set(series, next);
    return next;
  }
}

/** What the core tells of a case. */
export function registrationOf({ municipality, id, parties, told }: Case): Registration {
  const asParties = parties.map(({ person, relation }) => (relation ? { id: person.id, relation } : person.id));
  return { municipality, path: `/cases/${id}`, body: { ...told, parties: asParties } };
}

/** What the core tells of a letter. */
export function sentFrom({ uuid, messageId, of, to, recipientIsTold }: Letter): Registration {
  const body = { caseId: of.id, messageId, ...(recipientIsTold && { recipientId: to.id }) };
  return { municipality: of.municipality, path: `/sent-messages/${uuid}`, body };
}

/** What a letter says of itself, as the core wrote it. */
export function entryOf({ uuid, messageId, of, to }: Letter): Entry {
  return {
    messageID: messageId,
    messageUUID: uuid,
    senderID: of.municipality,
    recipientID: to.id,
    caseID: of.id,
    generatingSystemID: OUR_SYSTEM,
  };
}
