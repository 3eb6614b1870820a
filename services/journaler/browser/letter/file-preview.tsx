import { useEffect, useRef, useState } from 'preact/hooks';
import { download } from '../api.js';
import { ErrorAlert } from '../errors.js';
import { inBoth, useLanguage, useTexts } from '../language.js';
import { PREFIX } from '../session.js';
import type { Shown } from '../viewer/messages.js';
import { type LetterFile, nameOf } from './files.js';

const texts = inBoth({
  da: {
    title: (name: string) => `Visning af ${name}`,
    reading: 'Henter filen …',
    words: {
      page: 'Side',
      of: 'af',
      larger: 'Større',
      smaller: 'Mindre',
      failed: 'Filen kan ikke vises her. Hent den i stedet.',
      tooLarge: 'Billedet er for stort til at blive vist her. Hent det i stedet.',
    },
  },
  en: {
    title: (name: string) => `View of ${name}`,
    reading: 'Loading the file …',
    words: {
      page: 'Page',
      of: 'of',
      larger: 'Larger',
      smaller: 'Smaller',
      failed: 'The file cannot be shown here. Download it instead.',
      tooLarge: 'The image is too large to be shown here. Download it instead.',
    },
  },
});

interface FilePreviewProps {
  readonly letterId: string;
  readonly file: LetterFile;
  /** Whether one has asked for it just now, so that it has to be in sight. */
  readonly isAsked?: boolean;
}

/** A PDF or image in a frame that has no origin, no network and no way back: it is given the bytes, and that is all. */
export function FilePreview({ letterId, file, isAsked = false }: FilePreviewProps) {
  const own = useTexts(texts);
  const language = useLanguage();
  const frame = useRef<HTMLIFrameElement>(null);
  const [bytes, setBytes] = useState<ArrayBuffer>();
  const [isReady, setReady] = useState(false);
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    const stop = new AbortController();
    download(`/incoming-documents/${letterId}/files/${file.id}`, { signal: stop.signal })
      .then((blob) => blob.arrayBuffer())
      .then(setBytes, (caught) => stop.signal.aborted || setError(caught));
    return () => stop.abort();
  }, [letterId, file.id]);
  useEffect(() => {
    if (isAsked) frame.current?.scrollIntoView({ block: 'nearest' });
  }, [isAsked, file.id]);
  useEffect(() => {
    if (!bytes || !isReady) return;
    const type = file.detectedFormat ?? '';
    const shown: Shown = {
      kind: type === 'application/pdf' ? 'pdf' : 'image',
      type,
      bytes,
      language,
      words: { ...own.words, file: nameOf(file) },
    };
    // A frame without an origin cannot be named as the target.
    frame.current?.contentWindow?.postMessage(shown, '*');
  }, [bytes, isReady]);
  return (
    <div class="preview">
      <ErrorAlert error={error} />
      {!bytes && !error && <p aria-busy="true">{own.reading}</p>}
      <iframe
        ref={frame}
        title={own.title(nameOf(file))}
        sandbox="allow-scripts"
        referrerpolicy="no-referrer"
        src={`${PREFIX}/inbox/static/viewer.html`}
        onLoad={() => setReady(true)}
      />
    </div>
  );
}
