/** The roles that the API knows, each with what it lets its holder do. */
export const ROLES = {
  'IndkomneDokumenter.Læs':
    'Sees what is assigned to the caller or the caller’s teams, or suggested for a case of the caller’s.',
  'IndkomneDokumenter.SeAlle': 'Widens Læs to all pending, journalized and rejected mail of the municipality.',
  'IndkomneDokumenter.Journaliser': 'Confirms that a message is on a case, and takes that back.',
  'IndkomneDokumenter.Afvis': 'Rejects mail with a reason, and reopens it.',
  'IndkomneDokumenter.Tildel': 'Gives mail to a caseworker or a team.',
  'DigitalPost.Slet': 'Deletes rejected mail for good.',
  'Indbakke.Opsætning': 'Sets the municipality up, and sees held mail.',
  'Indbakke.Drift': 'Operations: queues, and held mail.',
  'Indbakke.System': 'The DUBU core itself: registers what it sent and which cases exist.',
  'Revisionslog.Læs': 'Reads the audit log.',
} as const;

export type Role = keyof typeof ROLES;

const byFoldedName = new Map(Object.keys(ROLES).map((role) => [fold(role), role as Role]));

/** The role of this name, upper or lower case: releases of DUBU spell DigitalPost.Slet in two ways. */
export function parseRole(name: string): Role | undefined {
  return byFoldedName.get(fold(name.normalize('NFC')));
}

/** In lower case, Danish letters only: the Kelvin sign is not a k. */
function fold(name: string): string {
  return name.replace(/[A-ZÆØÅ]/g, (letter) => letter.toLowerCase());
}
