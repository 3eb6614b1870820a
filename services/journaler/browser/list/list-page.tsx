import type { DocumentList, DocumentSummary } from '@indbakke/shared/api';
import { useEffect, useState } from 'preact/hooks';
import { call } from '../api.js';
import { ErrorAlert } from '../errors.js';
import { Title } from '../frame.js';
import { inBoth, useFormat, useTexts } from '../language.js';
import { Link } from '../router.js';
import { WORDS } from '../words.js';

const texts = inBoth({
  da: {
    title: 'Indkomne dokumenter',
    none: 'Her er ingen breve.',
    received: 'Modtaget',
    sender: 'Afsender',
    subject: 'Emne',
    status: 'Status',
    noSubject: '(uden emne)',
  },
  en: {
    title: 'Incoming documents',
    none: 'There are no letters here.',
    received: 'Received',
    sender: 'Sender',
    subject: 'Subject',
    status: 'Status',
    noSubject: '(no subject)',
  },
});

/** Indkomne dokumenter. */
export function ListPage() {
  const own = useTexts(texts);
  const words = useTexts(WORDS);
  const format = useFormat();
  const [letters, setLetters] = useState<readonly DocumentSummary[]>();
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    call<DocumentList>('GET', '/incoming-documents?limit=50&sort=-receivedAt').then(
      ({ items }) => setLetters(items),
      setError,
    );
  }, []);
  return (
    <>
      <Title>{own.title}</Title>
      <ErrorAlert error={error} />
      {letters?.length === 0 && <p>{own.none}</p>}
      {letters && letters.length > 0 && (
        <div class="scroll">
          <table>
            <thead>
              <tr>
                <th scope="col">{own.received}</th>
                <th scope="col">{own.sender}</th>
                <th scope="col">{own.subject}</th>
                <th scope="col">{own.status}</th>
              </tr>
            </thead>
            <tbody>
              {letters.map(({ id, receivedAt, sender, subject, status }) => (
                <tr key={id}>
                  <td>{format.time(receivedAt)}</td>
                  <td>{sender.name}</td>
                  <td>
                    <Link to={`/letters/${id}`}>{subject || own.noSubject}</Link>
                  </td>
                  <td>{words.status[status]}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}
