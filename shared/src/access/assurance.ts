/** What the issuer must say of how a user signed in. */
export interface RequiredAssurance {
  /** Lowest level of assurance; undefined = any, also none. */
  readonly level: Level | undefined;
  readonly secondFactor: boolean;
}

/** What a user who signed in may lack. */
export type Assurance = 'level' | 'second-factor';

/** National standard for identities’ levels of assurance (NSIS 2.0.1), lowest first. */
const LEVELS = ['Low', 'Substantial', 'High'] as const;
export type Level = (typeof LEVELS)[number];

// RFC 8176, 2: authentication by more than one factor.
const MULTIPLE_FACTORS = 'mfa';

/** How a user signed in, as the claims say it. */
interface SignedIn {
  readonly assurance?: string | undefined;
  /** Of the means alone, without how well the identity is known. */
  readonly authenticatorAssurance?: string | undefined;
  readonly factors: readonly string[];
}

/** What is lacking; undefined = nothing. A means of level Substantial has two factors (NSIS 2.0.1, 3.2). */
export function assuranceOf(signedIn: SignedIn, required: RequiredAssurance): Assurance | undefined {
  const { assurance, authenticatorAssurance, factors } = signedIn;
  if (required.level && rankOf(assurance) < rankOf(required.level)) return 'level';
  const hasTwo = factors.includes(MULTIPLE_FACTORS) || rankOf(authenticatorAssurance) >= rankOf('Substantial');
  return required.secondFactor && !hasTwo ? 'second-factor' : undefined;
}

/** Also as a URI, as it is requested: https://data.gov.dk/concept/core/nsis/loa/Substantial. */
function rankOf(level: string | undefined): number {
  const name = level?.trim().replace(/^.*\//, '').toLowerCase();
  return LEVELS.findIndex((each) => each.toLowerCase() === name);
}
