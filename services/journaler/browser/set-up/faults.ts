import { ApiError } from '../api.js';
import type { Language } from '../language.js';

/** What the API says of a field. */
export interface Fault {
  /** Such as `heldRules.0.contact`; of a table, the name of the column. Empty: of the whole. */
  readonly field: string;
  /** Of a table: where it is in the file. */
  readonly line?: number;
  /** English, as the API has it. */
  readonly text: string;
}

const EXISTS = ['contact-point-exists', 'department-exists'];
const NOT_OF_A_FIELD = /^and \d+ more$/;

/** The faults of a call that was refused as it does not fit the description; none when it was refused otherwise. */
export function faultsOf(error: unknown): Fault[] {
  if (!(error instanceof ApiError)) return [];
  if (EXISTS.includes(error.code)) return [{ field: 'id', text: 'is there already' }];
  if (error.code !== 'bad-request') return [];
  return error.message
    .replace(/\.$/, '')
    .split('; ')
    .filter((each) => !NOT_OF_A_FIELD.test(each))
    .map((each) => {
      const [, place, text] = /^(body[\w.-]*|line \d+[\w.-]*): (.*)$/s.exec(each) ?? [];
      if (place === undefined || text === undefined) return { field: '', text: each };
      const [, line, column] = /^line (\d+)\.?(.*)$/.exec(place) ?? [];
      if (line !== undefined) return { field: column ?? '', line: Number(line), text };
      return { field: place.replace(/^body\.?/, ''), text };
    });
}

const IN_DANISH: readonly (readonly [RegExp, string])[] = [
  [/^is missing$|^Too small: expected string.*/, 'skal udfyldes'],
  [/^Too big: expected string to have <=(\d+) .*/, 'må højst være på $1 tegn'],
  [/^Too small: expected \w+ to be >=?(\d+)$/, 'skal være mindst $1'],
  [/^Too big: expected \w+ to be <=?(\d+)$/, 'må højst være $1'],
  [/^Too big: expected array to have <=(\d+) .*/, 'må højst have $1 rækker'],
  [/^Too small: expected array.*/, 'har ingen rækker under overskrifterne'],
  [/^is there already$/, 'findes allerede. Ret det, der er der, eller brug et andet id'],
  [/^must be a number$|^must be a whole number$/, 'skal være et helt tal'],
  [/^must be true or false$/, 'skal være ja eller nej'],
  [/^must be an e-mail address$/, 'skal være en mailadresse'],
  [/^must be 1 to 64 letters.*/, 'skal være 1 til 64 bogstaver fra a til z, cifre, - og _'],
  [/^must be another user$/, 'skal være en anden'],
  [/^must be after the beginning$/, 'skal være efter begyndelsen'],
  [/^must be an id; me and none.*/, 'skal være et id; me og none er ord i filteret'],
  [/^must not contain .*/, 'har tegn, som ikke kan bruges'],
  [/^is for messages that are held$/, 'er kun for post, der holdes tilbage'],
  [/^goes with escalateAfterHours$/, 'og antallet af timer hører sammen: udfyld begge eller ingen af dem'],
  [/^is unknown$|^has an unknown field$/, 'er ikke en kolonne, som Indbakke kender'],
  [/^must have each id once$/, 'har samme id flere gange'],
  [/^must have each heading once$/, 'skal have hver overskrift én gang'],
  [/^has a cell without a heading$/, 'har en celle uden overskrift'],
  [/^The body is not in UTF-8$/, 'Filen er ikke gemt som UTF-8. Vælg “CSV UTF-8” i Excel, eller gem den som .xlsx'],
  [/^The body is no such table, or is damaged$/, 'Filen kan ikke læses som en tabel, eller den er beskadiget'],
];
const ONE_OF = /^must be (.+ or .+)$/;

/** What is wrong, as the end of a sentence that begins with the field. */
export function faultInWords({ text }: Fault, language: Language): string {
  if (language === 'en') return text;
  const known = IN_DANISH.find(([pattern]) => pattern.test(text));
  if (known) return text.replace(...known);
  const [, choices] = ONE_OF.exec(text) ?? [];
  return choices ? `skal være ${choices.replaceAll(' or ', ' eller ')}` : `kan ikke bruges (${text})`;
}
