import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { postgresHomeOf } from '../../../../tools/local-state.mjs';
import type { StatePaths } from '../../local/state.js';
import { foldersOf } from './installation.js';
import { Finder, type Needle } from './needles.js';
import { type Area, searchFiles } from './search-files.js';

/** Everything that the installation writes, wherever; nothing below its state folder is left out but what runs the proof. */
export function areasOf(paths: StatePaths): Area[] {
  const home = postgresHomeOf(paths.root);
  const { logs, temporary, redis } = foldersOf(paths);
  const isWal = (path: string) => path.includes('pg_wal/');
  const known = [home, paths.content, `${paths.content}-deletions`, logs, temporary, redis].map(
    (folder) => `${folder}/`,
  );
  return [
    { name: 'database files', folder: home, has: (path) => !isWal(path) },
    { name: 'write-ahead log', folder: home, has: isWal },
    { name: 'content store', folder: paths.content },
    { name: 'deletion ledger', folder: `${paths.content}-deletions` },
    { name: 'queue in Redis', folder: redis },
    { name: 'logs of the services', folder: logs },
    { name: 'temporary files', folder: temporary },
    // PostgreSQL's log, keys, and whatever else there is.
    {
      name: 'all else',
      folder: paths.root,
      has: (path) => !known.some((folder) => join(paths.root, path).startsWith(folder)),
    },
  ];
}

/** Every plant in every form, in a file for this: the search must find each. @throws Error if it does not */
export function checkSearch({ root }: StatePaths, plants: readonly Needle[]): void {
  const folder = join(root, 'check');
  mkdirSync(folder);
  // As lines, so that a form never continues into the next one.
  writeFileSync(join(folder, 'all'), Buffer.concat(plants.flatMap(({ bytes }) => [bytes, Buffer.from('\n')])));
  const { found } = searchFiles([{ name: 'check', folder }], new Finder(plants));
  rmSync(folder, { recursive: true });
  const wanted = new Set(plants.map(({ plant, form }) => `${plant}, ${form}`));
  for (const { plant, form } of found) wanted.delete(`${plant}, ${form}`);
  if (wanted.size > 0) throw new Error(`The search does not find ${[...wanted].join('; ')}.`);
}
