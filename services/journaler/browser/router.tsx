import type { ComponentChildren, TargetedMouseEvent } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { PREFIX } from './session.js';

/** Paths within `/inbox`: `/`, `/letters/<id>`, `/set-up`. They hold ids only. */
export type Path = `/${string}`;

const CHANGED = 'indbakke-path';
const here = (): Path => (location.pathname.slice(`${PREFIX}/inbox`.length) || '/') as Path;
export const hrefOf = (path: Path): string => `${PREFIX}/inbox${path === '/' ? '' : path}`;

export function usePath(): Path {
  const [path, setPath] = useState(here);
  useEffect(() => {
    const follow = () => setPath(here());
    addEventListener('popstate', follow);
    addEventListener(CHANGED, follow);
    return () => {
      removeEventListener('popstate', follow);
      removeEventListener(CHANGED, follow);
    };
  }, []);
  return path;
}

/** @param replaces the present entry of the browser's history */
export function goTo(path: Path, { replaces = false } = {}): void {
  if (path === here()) return;
  history[replaces ? 'replaceState' : 'pushState'](null, '', hrefOf(path));
  dispatchEvent(new Event(CHANGED));
}

interface LinkProps {
  readonly to: Path;
  readonly class?: string;
  /** Whether it leads to the page that is shown. */
  readonly isHere?: boolean;
  readonly children: ComponentChildren;
}

/** A link that does not load the page anew, but opens in another tab where one wants that. */
export function Link({ to, class: className, isHere = false, children }: LinkProps) {
  const follow = (event: TargetedMouseEvent<HTMLAnchorElement>) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    goTo(to);
  };
  return (
    <a class={className} href={hrefOf(to)} aria-current={isHere ? 'page' : undefined} onClick={follow}>
      {children}
    </a>
  );
}
