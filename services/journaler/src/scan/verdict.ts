import type { Unscannable } from '@indbakke/shared/lifecycle';
import type { ClamdAnswer } from './clamd.js';

/** What is kept of a file that was scanned. */
export type Verdict =
  | { readonly scan: 'clean'; readonly finding: null }
  | { readonly scan: 'infected'; readonly finding: string }
  | { readonly scan: 'unscannable'; readonly finding: Unscannable };

export const CLEAN: Verdict = { scan: 'clean', finding: null };
export const unscannable = (finding: Unscannable): Verdict => ({ scan: 'unscannable', finding });

// clamd.conf(5): AlertExceedsMax and AlertEncrypted find by these names what could not be looked into.
const NOT_LOOKED_INTO: readonly (readonly [prefix: string, finding: Unscannable])[] = [
  ['Heuristics.Limits.Exceeded', 'limits-exceeded'],
  ['Heuristics.Encrypted.', 'encrypted'],
];

/** @returns undefined for an error, which another attempt may not have */
export function verdictOf(answer: ClamdAnswer): Verdict | undefined {
  switch (answer.is) {
    case 'clean':
      return CLEAN;
    case 'too-large':
      return unscannable('too-large');
    case 'error':
      return undefined;
    case 'found': {
      const [, finding] = NOT_LOOKED_INTO.find(([prefix]) => answer.name.startsWith(prefix)) ?? [];
      return finding ? unscannable(finding) : { scan: 'infected', finding: shown(answer.name) };
    }
  }
}

/** Names of signatures are from outside, and are shown. */
const shown = (name: string) => name.slice(0, 128).replace(/[^\w.:/()+-]/g, '?') || '?';
