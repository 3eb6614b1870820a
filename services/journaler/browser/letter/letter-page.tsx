import type { DocumentAnswer } from '@indbakke/shared/api';
import { useEffect, useState } from 'preact/hooks';
import { call } from '../api.js';
import { ErrorAlert } from '../errors.js';
import { Title } from '../frame.js';

/** One letter. */
export function LetterPage({ id }: { readonly id: string }) {
  const [letter, setLetter] = useState<DocumentAnswer>();
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    call<DocumentAnswer>('GET', `/incoming-documents/${id}`).then(setLetter, setError);
  }, [id]);
  return (
    <>
      <ErrorAlert error={error} />
      {letter && <Title>{letter.subject}</Title>}
    </>
  );
}
