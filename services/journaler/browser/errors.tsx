import { ApiError } from './api.js';
import { inBoth, useLanguage, useTexts } from './language.js';

const texts = inBoth({
  da: {
    failed: 'Det gik ikke',
    correlation: 'Opgiv dette nummer, hvis du melder det',
    codes: {
      unreachable: 'Indbakke svarer ikke. Prøv igen om lidt; det, du har skrevet, er her stadig.',
      'version-changed': 'En anden har ændret brevet imens. Se, hvad der er sket, og prøv igen.',
      'not-signed-in':
        'Du er ikke logget ind længere. Log ind igen i en anden fane; det, du har skrevet, er her stadig. Prøv så igen.',
      'role-missing': 'Det har du ikke rettighed til.',
      'not-found': 'Det findes ikke, eller du kan ikke se det.',
      'rejection-told':
        'Afsenderen har fået besked om afvisningen, eller kan have fået det, så den kan ikke fortrydes.',
      'sent-on': 'Brevet er på vej til en anden myndighed, eller er sendt videre.',
      'file-on-its-way': 'En fil til dokumentet er på vej. Vent, til den er her eller er opgivet.',
      'file-held': 'En fil bliver undersøgt for virus. Prøv igen, når det er gjort.',
      'file-unsafe': 'En fil indeholder skadelig kode eller kunne ikke undersøges for virus.',
      unavailable: 'Databasen svarer ikke lige nu. Prøv igen om lidt.',
      'too-many-requests': 'Der er kommet for mange kald fra dig på kort tid. Vent lidt, og prøv igen.',
    } as Record<string, string>,
  },
  en: {
    failed: 'It did not work',
    correlation: 'State this number when you report it',
    codes: {
      'not-signed-in':
        'You are no longer signed in. Sign in again in another tab; what you typed is still here. Then try again.',
      unreachable: 'Indbakke does not answer. Try again soon; what you typed is still here.',
      'file-held': 'A file is being scanned for viruses. Try again when that is done.',
      'file-unsafe': 'A file contains malware, or could not be scanned for viruses.',
      'version-changed': 'Somebody else has changed the letter meanwhile. See what happened, and try again.',
    },
  },
});

/** What went wrong, in a sentence; read out at once. */
export function ErrorAlert({ error }: { readonly error: unknown }) {
  const own = useTexts(texts);
  const language = useLanguage();
  if (!error) return null;
  const known = error instanceof ApiError ? own.codes[error.code] : undefined;
  // The API's own sentence is English.
  const told = known ?? (error instanceof ApiError ? error.message : String(error));
  return (
    <div class="alert alert-error" role="alert">
      <p>
        <strong>{own.failed}.</strong> <span lang={known ? language : 'en'}>{told}</span>
      </p>
      {error instanceof ApiError && error.fields.length > 0 && (
        <ul lang="en">
          {error.fields.map(({ field, message }) => (
            <li key={field}>
              <code>{field}</code> {message}
            </li>
          ))}
        </ul>
      )}
      {error instanceof ApiError && error.correlationId && (
        <p class="quiet">
          {own.correlation}: <code>{error.correlationId}</code>
        </p>
      )}
    </div>
  );
}
