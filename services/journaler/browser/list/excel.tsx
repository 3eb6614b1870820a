import { useState } from 'preact/hooks';
import { download } from '../api.js';
import { inBoth, useTexts } from '../language.js';
import { bodyOf, type Query } from './query.js';

const texts = inBoth({
  da: { take: 'Hent som Excel', busy: 'Henter …', file: 'Indkomne dokumenter.xlsx' },
  en: { take: 'Get as Excel', busy: 'Getting it …', file: 'Incoming documents.xlsx' },
});

interface ExcelButtonProps {
  readonly query: Query;
  readonly onError: (error: unknown) => void;
}

/** The whole list as a sheet, not only this page. */
export function ExcelButton({ query: { filter, sort }, onError }: ExcelButtonProps) {
  const own = useTexts(texts);
  const [isBusy, setBusy] = useState(false);
  const take = async () => {
    if (isBusy) return;
    setBusy(true);
    onError(undefined);
    try {
      const body = { ...bodyOf(filter), sort };
      save(await download('/incoming-documents/export', { method: 'POST', body }), own.file);
    } catch (error) {
      onError(error);
    }
    setBusy(false);
  };
  return (
    <button type="button" class="button button-secondary" aria-disabled={isBusy} onClick={() => void take()}>
      {isBusy ? own.busy : own.take}
    </button>
  );
}

function save(content: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  // After the browser has begun to save it.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
