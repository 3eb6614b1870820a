import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

const LINES = 14;

interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Processor time by function (self time) in a profile, without idle time. */
export function readProfile(file: string): string[] {
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, 'utf8')) as CpuProfile;
  const nameOf = new Map(nodes.map(({ id, callFrame }) => [id, describe(callFrame)]));
  const time = new Map<string, number>();
  for (const [index, id] of samples.entries()) {
    const where = nameOf.get(id) ?? '?';
    time.set(where, (time.get(where) ?? 0) + (timeDeltas[index] ?? 0));
  }
  const idle = time.get('(idle)') ?? 0;
  const all = [...time.values()].reduce((sum, own) => sum + own, 0);
  const busy = all - idle;
  const largest = [...time].filter(([where]) => where !== '(idle)').sort(([, a], [, b]) => b - a);
  return [
    `busy ${percent(busy, all)} of the time`,
    ...largest.slice(0, LINES).map(([where, own]) => `${percent(own, busy).padStart(4)}  ${where}`),
  ];
}

function percent(part: number, whole: number): string {
  return `${Math.round((100 * part) / whole)} %`;
}

function describe({ functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame']): string {
  const name = functionName || '(anonymous)';
  return url ? `${name}  ${placeOf(url)}:${lineNumber + 1}` : name;
}

function placeOf(url: string): string {
  const inPackage = url.split('/node_modules/').at(-1) ?? url;
  return inPackage === url && url.startsWith('file:') ? url.split('/').slice(-3).join('/') : inPackage || basename(url);
}
