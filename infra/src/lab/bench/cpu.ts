import { readdirSync, readFileSync } from 'node:fs';

const TICK_MS = 10; // USER_HZ is 100 on every Linux that Node runs on

/** Processor time of a process so far, in ms; NaN without /proc. */
export function cpuMsOf(pid: number): number {
  const fields = statOf(pid);
  return fields ? (Number(fields[USER]) + Number(fields[SYSTEM])) * TICK_MS : Number.NaN;
}

/** The same including children, ended ones too: PostgreSQL has one per connection. */
export function cpuMsOfFamily(pid: number): number {
  const parent = statOf(pid);
  if (!parent) return Number.NaN;
  const ended = (Number(parent[USER_OF_ENDED]) + Number(parent[SYSTEM_OF_ENDED])) * TICK_MS;
  const children = readdirSync('/proc').filter(
    (name) => /^\d+$/.test(name) && statOf(Number(name))?.[PARENT] === String(pid),
  );
  return children.reduce((sum, child) => sum + (cpuMsOf(Number(child)) || 0), cpuMsOf(pid) + ended);
}

// proc(5), counted from field 3, which follows the name in parentheses.
const [PARENT, USER, SYSTEM, USER_OF_ENDED, SYSTEM_OF_ENDED] = [1, 11, 12, 13, 14] as const;

function statOf(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
