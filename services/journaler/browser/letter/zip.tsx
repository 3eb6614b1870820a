import type { DocumentAnswer } from '@indbakke/shared/api';
import { useState } from 'preact/hooks';
import { inBoth, useTexts } from '../language.js';
import { PREFIX } from '../session.js';
import { isSafe } from './scan.js';

const texts = inBoth({
  da: {
    title: 'Hent som zip',
    cover: 'Følgeseddel',
    options: { none: 'Uden', masked: 'Med fødselsdato i stedet for CPR-nummer', full: 'Med hele CPR-numre' },
    download: 'Hent zip',
    incomplete:
      'Filer, der er usikre eller ikke er her, er ikke med. Derfor er der altid en følgeseddel, som nævner dem.',
    held: 'Brevet kan hentes, når filerne er undersøgt for virus.',
  },
  en: {
    title: 'Download as zip',
    cover: 'Cover sheet',
    options: {
      none: 'Without',
      masked: 'With the date of birth in place of CPR numbers',
      full: 'With whole CPR numbers',
    },
    download: 'Download zip',
    incomplete: 'Files that are unsafe or not here are not in it. So it always has a cover sheet, which names them.',
    held: 'The letter can be downloaded when its files are scanned for viruses.',
  },
});

type Cover = 'none' | 'masked' | 'full';

/** Main document and attachments in one file, to be sent on. */
export function Zip({ letter }: { readonly letter: DocumentAnswer }) {
  const { id, documents } = letter;
  const own = useTexts(texts);
  const [chosen, setCover] = useState<Cover>('none');
  const files = documents.filter(({ role }) => role !== 'technical').flatMap((document) => document.files);
  const isHeld = files.some(({ scan }) => scan === 'waiting');
  const isIncomplete = files.some((file) => file.status !== 'stored' || (file.scan !== 'waiting' && !isSafe(file)));
  // The archiver puts this one into it then.
  const cover = isIncomplete && chosen === 'none' ? 'masked' : chosen;
  const query = cover === 'none' ? '' : `?include=cover&cover=${cover}`;
  return (
    <details>
      <summary>{own.title}</summary>
      <div class="zip">
        {isIncomplete && <p>{own.incomplete}</p>}
        {isHeld && <p>{own.held}</p>}
        <label class="form-label" for="cover">
          {own.cover}
        </label>
        <select
          id="cover"
          class="form-input"
          value={cover}
          onChange={({ currentTarget: { value } }) => setCover(value as Cover)}
        >
          {Object.entries(own.options)
            .filter(([value]) => !(isIncomplete && value === 'none'))
            .map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
        </select>
        {!isHeld && (
          <a class="button button-secondary" href={`${PREFIX}/api/v1/incoming-documents/${id}/zip${query}`} download>
            {own.download}
          </a>
        )}
      </div>
    </details>
  );
}
