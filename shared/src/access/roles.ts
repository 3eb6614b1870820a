/** The roles of the API, each with what it allows. */
export const ROLES = {
  'IndkomneDokumenter.Læs':
    'Sees messages assigned to the caller or the caller’s teams, or suggested for one of the caller’s cases; as a substitute, those of the absent colleague too. Reads their changes in the change feed.',
  'IndkomneDokumenter.SeAlle':
    'Extends Læs to all pending, journalized and rejected messages of the municipality, but those of a case that is restricted to others.',
  'IndkomneDokumenter.Journaliser':
    'Confirms that a message is on a case, and takes that back. Takes or refuses what another municipality offers.',
  'IndkomneDokumenter.Afvis':
    'Rejects messages with a reason, tells what became of them, reopens them, and puts messages under a legal hold. Offers those of a moved case to the municipality that has it now.',
  'IndkomneDokumenter.SendVidere':
    'Sends rejected messages on to another authority through Fordelingskomponenten. Of no effect where SF2900_SENDING is off.',
  'IndkomneDokumenter.Tildel': 'Assigns messages to a caseworker or a team.',
  'DigitalPost.Slet':
    'Deletes rejected messages for good, confirms and cancels deletions, and sets and lifts legal holds.',
  'Indbakke.Opsætning': 'Sets up the municipality and its webhooks, and sees held messages.',
  'Indbakke.Drift':
    'Operations: the queues and the quarantine, with a token for operations. In a token of a municipality: its held messages.',
  'Indbakke.Karantæne': 'Downloads what is in quarantine, with a token for operations.',
  'Indbakke.System': 'The DUBU core: registers sent messages, cases and webhooks, and reads the whole change feed.',
  'Indbakke.UsikreFiler':
    'Opens files in which malware was found, or that could not be scanned, of the messages that the caller sees.',
  'Revisionslog.Læs': 'Reads the audit log.',
  'Indbakke.Aktindsigt':
    'Makes access packages: everything about one citizen, whoever may see it otherwise, but what is on a case that is restricted to others.',
} as const;

export type Role = keyof typeof ROLES;

/** Those that data constraints narrow (data-constraints.ts). */
export const CONSTRAINED_ROLES: ReadonlySet<Role> = new Set<Role>([
  'IndkomneDokumenter.Læs',
  'IndkomneDokumenter.SeAlle',
  'IndkomneDokumenter.Journaliser',
  'IndkomneDokumenter.Afvis',
  'IndkomneDokumenter.SendVidere',
  'IndkomneDokumenter.Tildel',
  'DigitalPost.Slet',
]);

const byFoldedName = new Map(Object.keys(ROLES).map((role) => [fold(role), role as Role]));

/** The role with this name, whatever its case: releases of DUBU spell DigitalPost.Slet in two ways. */
export function parseRole(name: string): Role | undefined {
  return byFoldedName.get(fold(name.normalize('NFC')));
}

/** Lower case, for Danish letters only: the Kelvin sign is not a k. */
function fold(name: string): string {
  return name.replace(/[A-ZÆØÅ]/g, (letter) => letter.toLowerCase());
}

/** Names of user-system roles in URIs have no æ, ø, å and no dots (KOMBIT, adgangsstyring for brugere). @param system its address */
export function uriOf(system: string, role: Role): string {
  const name = role
    .toLowerCase()
    .replaceAll('æ', 'ae')
    .replaceAll('ø', 'oe')
    .replaceAll('å', 'aa')
    .replaceAll('.', '_');
  return `http://${system}/roles/usersystemrole/${name}/1`;
}
