import { call } from '../api.js';
import { type Entry, type EntryKind, inPath } from './entries.js';

/** The bytes of a table, and what they are. */
export interface Table {
  readonly type: string;
  readonly bytes: ArrayBuffer;
}

const TYPES = {
  csv: 'text/csv',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
} as const;

/** Undefined when its name is not that of a table. */
export async function tableOf(file: File): Promise<Table | undefined> {
  const [, ending] = /\.(csv|xlsx)$/i.exec(file.name) ?? [];
  if (ending === undefined) return undefined;
  return { type: TYPES[ending.toLowerCase() as keyof typeof TYPES], bytes: await file.arrayBuffer() };
}

export interface Import<E extends Entry> {
  readonly counts: { readonly added: number; readonly changed: number; readonly unchanged: number };
  /** All of the kind as they were before. */
  readonly before: readonly E[];
  readonly after: readonly E[];
}

const readAll = async <E>(path: string) => (await call<{ items: E[] }>('GET', path)).items;

/** @throws ApiError */
export async function importTable<E extends Entry>(path: EntryKind<E>['path'], file: Table): Promise<Import<E>> {
  const before = await readAll<E>(path);
  const counts = await call<Import<E>['counts']>('POST', `${path}/import`, { file });
  return { counts, before, after: await readAll<E>(path) };
}

/**
 * Removes what an import added, and puts back what it changed, but leaves what somebody has changed since.
 *
 * @throws ApiError
 */
export async function undoImport<E extends Entry>(
  { path }: EntryKind<E>,
  { before, after }: Import<E>,
): Promise<{ removed: number; restored: number; left: number }> {
  const old = new Map(before.map((each) => [each.id, each]));
  const now = new Map((await readAll<E>(path)).map((each) => [each.id, each]));
  const touched = after.filter(({ id, version }) => old.get(id)?.version !== version);
  const ours = touched.filter(({ id, version }) => now.get(id)?.version === version);
  const added = ours.filter(({ id }) => !old.has(id));
  for (const { id, version } of added) await call('DELETE', `${path}/${inPath(id)}`, { version });
  const restored = ours.flatMap(({ id }) => {
    const entry = old.get(id);
    if (!entry) return [];
    const { version: _, ...body } = entry;
    return [body];
  });
  const list = path === '/departments' ? 'departments' : 'contactPoints';
  if (restored.length > 0) await call('POST', `${path}/import`, { body: { [list]: restored } });
  return { removed: added.length, restored: restored.length, left: touched.length - ours.length };
}
