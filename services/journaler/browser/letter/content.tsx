import type { DocumentAnswer, TextAnswer } from '@indbakke/shared/api';
import { useEffect, useState } from 'preact/hooks';
import { call } from '../api.js';
import { ErrorAlert } from '../errors.js';
import { inBoth, useTexts } from '../language.js';
import { FilePreview } from './file-preview.js';
import { FileWay } from './file-way.js';
import { hrefOfFile, isShown } from './files.js';
import { isSafe, ScanInstead } from './scan.js';

const texts = inBoth({
  da: {
    title: 'Brevet',
    reading: 'Henter brevet …',
    empty: 'Brevet har ingen tekst.',
    noFile: 'Der fulgte ingen fil med.',
    truncated: 'Resten er i filen.',
    download: 'Hent hoveddokumentet',
    notShown: 'Hoveddokumentet kan ikke vises her.',
  },
  en: {
    title: 'The letter',
    reading: 'Loading the letter …',
    empty: 'The letter has no text.',
    noFile: 'No file came with it.',
    truncated: 'The rest is in the file.',
    download: 'Download the main document',
    notShown: 'The main document cannot be shown here.',
  },
});

/** The main document: as text where it is text or HTML, else as a PDF or image. */
export function Content({ letter }: { readonly letter: DocumentAnswer }) {
  const own = useTexts(texts);
  const [answer, setAnswer] = useState<TextAnswer>();
  const [error, setError] = useState<unknown>();
  const isGone = letter.contentRemovedAt !== null;
  const main = letter.documents.find(({ role }) => role === 'main')?.files ?? [];
  const isAwaited = main.length > 0 && main.every(({ status }) => status !== 'stored');
  const isClosed = main.length > 0 && !isAwaited && !main.some((file) => file.status === 'stored' && isSafe(file));
  useEffect(() => {
    if (!isGone && !isAwaited && !isClosed)
      call<TextAnswer>('GET', `/incoming-documents/${letter.id}/text`).then(setAnswer, setError);
  }, [letter.id, isGone, isAwaited, isClosed]);
  if (isGone) return null;
  const shown = main.find(isShown);
  const [first] = main;
  const isText = typeof answer?.text === 'string';
  return (
    <section aria-labelledby="content-title" class="content">
      <h2 id="content-title">{own.title}</h2>
      <ErrorAlert error={error} />
      {isAwaited && <FileWay fileFetch={letter.distribution?.fileFetch ?? undefined} />}
      {isClosed && <ScanInstead files={main} />}
      {!answer && !error && !isAwaited && !isClosed && <p aria-busy="true">{own.reading}</p>}
      {isText && <div class="text">{answer.text || own.empty}</div>}
      {answer?.isTruncated && <p class="hint">{own.truncated}</p>}
      {answer && !isText && shown && <FilePreview letterId={letter.id} file={shown} />}
      {answer && !first && <p>{own.noFile}</p>}
      {answer && !isText && !shown && first?.mayOpen && (
        <p>
          {own.notShown}{' '}
          <a href={hrefOfFile(letter.id, first)} download>
            {own.download}
          </a>
        </p>
      )}
    </section>
  );
}
