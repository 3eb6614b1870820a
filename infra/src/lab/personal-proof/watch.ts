import { readdirSync, readFileSync } from 'node:fs';

export interface Watch {
  /** Stops it. @returns what was seen, each once */
  end(): { readonly processes: Buffer; readonly names: Buffer };
}

const EVERY_MS = 500;

/**
 * Looks again and again at what others on the machine can see while it is there: the command lines of all processes, the
 * environment of this one, and the names of temporary files; and of all files, at the end.
 */
export function watch(pid: number, temporary: string, root: string): Watch {
  const processes = new Set<string>();
  const names = new Set<string>();
  const listFiles = (folder: string) => {
    for (const name of tried(() => readdirSync(folder, { recursive: true, encoding: 'utf8' }), [])) names.add(name);
  };
  const look = () => {
    for (const each of tried(() => readdirSync('/proc'), []).filter((name) => /^\d+$/.test(name)))
      processes.add(tried(() => readFileSync(`/proc/${each}/cmdline`, 'latin1'), ''));
    processes.add(tried(() => readFileSync(`/proc/${pid}/environ`, 'latin1'), ''));
    listFiles(temporary);
  };
  const timer = setInterval(look, EVERY_MS);
  return {
    end() {
      clearInterval(timer);
      look();
      listFiles(root);
      return { processes: linesOf(processes), names: linesOf(names) };
    },
  };
}

const linesOf = (texts: ReadonlySet<string>) => Buffer.from([...texts].join('\n'), 'utf8');

/** What is looked at may end meanwhile. */
function tried<T>(look: () => T, otherwise: T): T {
  try {
    return look();
  } catch {
    return otherwise;
  }
}
