import {
  CLAIM_NAMES,
  type ClaimRules,
  CONSTRAINT_NAMES,
  type ConstraintName,
  LOCAL_RULES,
  parseRole,
  ROLES,
  type Role,
  type TokenIssuer,
  uriOf,
} from '../access/index.js';
import type { CommonConfig } from '../config/index.js';

/** Whose tokens callers may have: the users’, and the systems’ where they have an issuer of their own. */
export function tokenIssuers(config: CommonConfig, rules: ClaimRules): TokenIssuer[] {
  const { TOKEN_ISSUER: issuer, TOKEN_AUDIENCE: audience, TOKEN_JWKS: jwks, TOKEN_TYPE: type } = config;
  const { SYSTEM_TOKEN_ISSUER: ofSystems, SYSTEM_TOKEN_JWKS: keysOfSystems } = config;
  const users = { issuer, audience, jwks, type, rules };
  if (ofSystems === undefined || keysOfSystems === undefined) return [users];
  return [
    users,
    { issuer: ofSystems, audience, jwks: keysOfSystems, type, rules: LOCAL_RULES, isForSystemsOnly: true },
  ];
}

/**
 * How the claims of users are read.
 *
 * @throws Error with a sentence that begins with the setting at fault
 */
export function claimRulesOf(config: CommonConfig): ClaimRules {
  const { TOKEN_CLAIMS: preset, TOKEN_ASSURANCE, TOKEN_SECOND_FACTOR } = config;
  const isLocal = preset === 'local';
  const level = TOKEN_ASSURANCE ?? (isLocal ? 'off' : 'Substantial');
  const secondFactor = TOKEN_SECOND_FACTOR ?? (isLocal ? 'off' : 'required');
  const roles = rolesByUri(config);
  const constraints = constraintsByUri(config);
  return {
    names: { ...CLAIM_NAMES[preset], ...otherNames(config) },
    roleOf: (privilege) => roles.get(privilege),
    constraintOf: (name) => constraints.get(name.toLowerCase()),
    required: { level: level === 'off' ? undefined : level, secondFactor: secondFactor === 'required' },
  };
}

function otherNames({ TOKEN_CLAIMS: preset, TOKEN_CLAIM_NAMES: names = [] }: CommonConfig): Record<string, string> {
  const known = Object.keys(CLAIM_NAMES[preset]);
  const unknown = names.find(([name]) => !known.includes(name));
  if (unknown) throw new Error(`TOKEN_CLAIM_NAMES: ${unknown[0]} is none of ${known.join(', ')}.`);
  return Object.fromEntries(names);
}

function rolesByUri({ TOKEN_SYSTEM: system, TOKEN_ROLE_URIS: uris = [] }: CommonConfig): ReadonlyMap<string, Role> {
  const usual =
    system === undefined ? [] : (Object.keys(ROLES) as Role[]).map((role) => [uriOf(system, role), role] as const);
  const further = uris.map(([name, uri]) => {
    const role = parseRole(name);
    if (!role) throw new Error(`TOKEN_ROLE_URIS: ${name} is no role. The roles are ${Object.keys(ROLES).join(', ')}.`);
    return [uri, role] as const;
  });
  return new Map([...usual, ...further]);
}

function constraintsByUri({ TOKEN_CONSTRAINT_URIS: uris = [] }: CommonConfig): ReadonlyMap<string, ConstraintName> {
  const further = uris.map(([name, uri]) => {
    if (!isConstraint(name)) {
      throw new Error(`TOKEN_CONSTRAINT_URIS: ${name} is none of ${Object.keys(CONSTRAINT_NAMES).join(', ')}.`);
    }
    return [uri.toLowerCase(), name] as const;
  });
  // KOMBIT’s, as OpenCase, OS2rollekatalog and KITOS use them.
  const usual = Object.entries(CONSTRAINT_NAMES).map(
    ([constraint, name]) =>
      [`http://sts.kombit.dk/constraints/${name}/1`.toLowerCase(), constraint as ConstraintName] as const,
  );
  return new Map([...usual, ...further]);
}

const isConstraint = (name: string): name is ConstraintName => Object.hasOwn(CONSTRAINT_NAMES, name);
