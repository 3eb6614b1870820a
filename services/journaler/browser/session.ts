/** What a proxy has put before our paths; mostly nothing. */
export const PREFIX = new URL(import.meta.url).pathname.replace(/\/inbox\/static\/.*$/, '');

/** Who has signed in, as the server tells in the page. */
export interface Session {
  readonly municipality: string;
  readonly id: string;
  readonly roles: readonly string[];
  readonly teams: readonly string[];
  /** Of a local stack, where one may be anybody. */
  readonly isLocal?: boolean;
}

export const SESSION = JSON.parse(document.getElementById('app')?.dataset.session ?? '{}') as Session;

/** What is not shown is not allowed either: the API checks each call. */
export const hasRole = (role: string): boolean => SESSION.roles.includes(role);

/** The session is over. What one is typing in a dialog would be lost on the way: there, the refusal says what to do. */
export function goToSignIn(): void {
  if (document.querySelector('dialog[open]')) return;
  location.assign(`${PREFIX}/inbox/sign-in?to=${encodeURIComponent(location.pathname)}`);
}

const WHO = 'indbakke who';

/**
 * When somebody else signs in in another tab, this page is theirs too: the browser has one session. Else it would show one person, and
 * act as the other.
 */
export function followSignIn(): void {
  const who = keyOf('');
  addEventListener('storage', ({ key, newValue }) => {
    if (key === WHO && newValue !== who) location.reload();
  });
  try {
    localStorage.setItem(WHO, who);
  } catch {
    // forbidden: then nobody is told
  }
}

/** What this browser remembers for this person, such as the columns of the list. */
export function remember<Value>(name: string, value: Value): void {
  try {
    localStorage.setItem(keyOf(name), JSON.stringify(value));
  } catch {
    // full, or forbidden: it is not remembered then
  }
}

export function remembered<Value>(name: string, otherwise: Value): Value {
  try {
    const text = localStorage.getItem(keyOf(name));
    return text === null ? otherwise : (JSON.parse(text) as Value);
  } catch {
    return otherwise;
  }
}

const keyOf = (name: string) => `indbakke ${SESSION.municipality} ${SESSION.id} ${name}`;
