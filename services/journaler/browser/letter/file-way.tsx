import type { DocumentAnswer } from '@indbakke/shared/api';
import { inBoth, useFormat, useTexts } from '../language.js';

type FileFetch = NonNullable<NonNullable<DocumentAnswer['distribution']>['fileFetch']>;

const texts = inBoth({
  da: {
    waits: (since: string) => `Filen har været på vej siden ${since}.`,
    notYet: 'Den er ikke kommet endnu. Vi bliver ved med at hente den.',
    failed: 'Den kan ikke hentes lige nu. Driften har fået besked.',
    givenUp: 'Filen kom ikke. Kontakt afsenderen eller jeres drift.',
  },
  en: {
    waits: (since: string) => `The file has been on its way since ${since}.`,
    notYet: 'It has not come yet, and is looked for again and again.',
    failed: 'It cannot be fetched just now. Operations have been told.',
    givenUp: 'The file did not come. Contact the sender or your operations.',
  },
});

/** Those that the sender’s side mends (services/receiver/src/sf2900/sftp). */
const NOT_YET: ReadonlySet<string> = new Set(['not-there', 'empty', 'changed']);

interface FileWayProps {
  /** Undefined: it is not to come. */
  readonly fileFetch: FileFetch | undefined;
}

/** In place of a main document that is not here: where it is. */
export function FileWay({ fileFetch }: FileWayProps) {
  const own = useTexts(texts);
  const format = useFormat();
  if (!fileFetch || fileFetch.status === 'given-up') return <p class="alert alert-warning">{own.givenUp}</p>;
  const { since, fault } = fileFetch;
  return (
    <p class="alert alert-info">
      {own.waits(format.time(since))} {fault !== null && (NOT_YET.has(fault) ? own.notYet : own.failed)}
    </p>
  );
}
