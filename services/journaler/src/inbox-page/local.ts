import type { Principal, Role } from '@indbakke/shared/access';
import { HOUR, SECOND } from '@indbakke/shared/config';
import type { KeyRing } from '@indbakke/shared/keys';
import { type OneTimeSecret, SealedCookie } from '@indbakke/shared/sign-in';
import { z } from 'zod';

/** Of a local stack, where whoever runs it may be anybody. */
export interface LocalSignIn {
  /** Signs in once; `npm start` prints it as a link. */
  readonly link: OneTimeSecret;
  /** CVR number of the municipality that it signs in to. */
  readonly municipality: string;
}

const CASEWORKER: readonly Role[] = [
  'IndkomneDokumenter.Læs',
  'IndkomneDokumenter.Journaliser',
  'IndkomneDokumenter.Afvis',
  'IndkomneDokumenter.Tildel',
];
const DISTRIBUTOR: readonly Role[] = [
  ...CASEWORKER,
  'IndkomneDokumenter.SeAlle',
  'IndkomneDokumenter.SendVidere',
  'DigitalPost.Slet',
];

/** Whom one can be there: as the people of the example and of training are called. */
export const PEOPLE: Readonly<Record<string, { readonly roles: readonly Role[]; readonly teams: readonly string[] }>> =
  {
    'superbruger-1': {
      roles: [...DISTRIBUTOR, 'Indbakke.Opsætning', 'Indbakke.Aktindsigt', 'Revisionslog.Læs'],
      teams: ['team-modtagelsen', 'team-it'],
    },
    'fordeler-1': { roles: DISTRIBUTOR, teams: ['team-modtagelsen'] },
    'sagsbehandler-1': { roles: CASEWORKER, teams: ['team-børn'] },
    'sagsbehandler-2': { roles: CASEWORKER, teams: ['team-børn'] },
  };

export const FIRST_PERSON = 'superbruger-1';

/** Undefined when there is nobody of that name. */
export function personOf(municipality: string, id: string): Principal | undefined {
  const person = Object.hasOwn(PEOPLE, id) ? PEOPLE[id] : undefined;
  if (!person) return undefined;
  return { municipality, actor: { kind: 'user', id }, roles: new Set(person.roles), teams: person.teams };
}

/** Of a browser that came by the link: it may choose again whom it is. */
export const localCookie = (keys: KeyRing) =>
  new SealedCookie<true>(keys, {
    name: 'indbakke-local',
    value: z.literal(true),
    path: '/inbox',
    seconds: (8 * HOUR) / SECOND,
    sameSite: 'strict',
  });
