/** A group of an OIO Basic Privilege Profile. */
export interface BppGroup {
  /** CVR number, or a whole scope. */
  readonly scope: string;
  readonly privileges: readonly string[];
  /** Name and value. */
  readonly constraints?: readonly (readonly [string, string])[];
  /** Further attributes, as XML. */
  readonly attributes?: string;
  /** Further elements, as XML. */
  readonly more?: string;
}

const SYSTEM = 'indbakke.example.dk';
export const BPP_NAMESPACES = [
  'http://itst.dk/oiosaml/basic_privilege_profile',
  'http://digst.dk/oiosaml/basic_privilege_profile',
] as const;

/** The URI of a role of ours, by its name in it, such as indkomnedokumenter_laes. */
export const roleUri = (name: string) => `http://${SYSTEM}/roles/usersystemrole/${name}/1`;
export const constraintUri = (name: string) => `http://sts.kombit.dk/constraints/${name}/1`;

const escaped = (text: string) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/"/g, '&quot;');

/** A profile as XML: privileges before constraints, as Context Handler writes them. */
export function bppXml(groups: readonly BppGroup[], namespace: string = BPP_NAMESPACES[1]): string {
  const inner = groups.map(({ scope, privileges, constraints = [], attributes = '', more = '' }) => {
    const whole = /^\d{8}$/.test(scope) ? `urn:dk:gov:saml:cvrNumberIdentifier:${scope}` : scope;
    return `<PrivilegeGroup Scope="${escaped(whole)}" ${attributes}>
      ${privileges.map((uri) => `<Privilege>${escaped(uri)}</Privilege>`).join('')}
      ${constraints.map(([name, value]) => `<Constraint Name="${escaped(name)}">${escaped(value)}</Constraint>`).join('')}
      ${more}
    </PrivilegeGroup>`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>
    <bpp:PrivilegeList xmlns:bpp="${namespace}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">${inner.join('')}</bpp:PrivilegeList>`;
}

export const inBase64 = (text: string) => Buffer.from(text).toString('base64');
export const bpp = (groups: readonly BppGroup[]) => inBase64(bppXml(groups));
