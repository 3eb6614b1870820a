import { Problem } from '@indbakke/shared/errors';
import { type Place, pathOf, trimSpace, type XmlElement } from '@indbakke/shared/xml';
import { NAMESPACES } from '../format.js';

export type { Place } from '@indbakke/shared/xml';

/** The children of this name, whatever comes between. */
export function all(place: Place | undefined, name: string): Place[] {
  const found = place?.element.children.filter(({ uri, local }) => local === name && NAMESPACES.has(uri)) ?? [];
  return found.map((element) => ({ element, ...(place && { parent: place }) }));
}

/** The place that a path of names leads to, by the first child of each name. */
export function at(place: Place | undefined, ...names: string[]): Place | undefined {
  return names.reduce<Place | undefined>((here, name) => all(here, name)[0], place);
}

/** The text there; undefined where there is none. */
export function textAt(place: Place | undefined, ...names: string[]): string | undefined {
  const found = at(place, ...names);
  return (found && trimSpace(found.element.text)) || undefined;
}

/** A place without which the request means nothing, and of which there is one. @throws Problem not-sf2900 with its path */
export function needed(place: Place, ...names: string[]): Place {
  return names.reduce((here, name) => {
    const [found, other] = all(here, name);
    if (other) throw new Problem('not-sf2900', 'The element must be there once.', { path: pathOf(other) });
    return found ?? missing(here, name);
  }, place);
}

/** The value there, in its normal form. @throws Problem not-sf2900 with its path when it is missing or wrong */
export function neededValue(
  place: Place,
  name: string,
  normal: (text: string) => string | undefined,
  what: string,
): string {
  const found = needed(place, name);
  const value = normal(trimSpace(found.element.text));
  if (value === undefined) throw new Problem('not-sf2900', `There is no ${what} here.`, { path: pathOf(found) });
  return value;
}

function missing(place: Place, name: string): never {
  throw new Problem('not-sf2900', 'The element is missing.', { path: `${pathOf(place)}/${name}` });
}

export const rootPlace = (element: XmlElement): Place => ({ element });
