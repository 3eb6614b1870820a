import { readLocalStack, statePaths } from './state.js';

/**
 * Where Indbakke is: as given, else the local stack.
 *
 * @param usage shown when what is given is no URL
 * @throws Error when it is none, or nothing runs here
 */
export function runningUrl(given: string | undefined, usage: string): string {
  const url = given ?? readLocalStack(statePaths())?.url;
  if (url === undefined) {
    throw new Error('Indbakke is not running here. Start it with npm start, or name another one with --url.');
  }
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) {
    throw new Error(`${url} is not a URL such as http://localhost:8080.\n\n${usage}`);
  }
  return url.replace(/\/+$/, '');
}
