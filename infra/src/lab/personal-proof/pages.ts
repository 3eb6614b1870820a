import type { OwnInstallation } from '../plants/installation.js';
import { Callers } from '../plants/pass-through.js';

/** What is shown to people and programs that may not see messages. A new page is a line here. */
const PAGES = [
  '/healthz',
  '/readyz',
  '/metrics',
  '/api/v1/docs',
  '/api/v1/openapi.json',
  '/api/v1/openapi-3.0.json',
  '/sf1606/soap?wsdl',
  '/sf2900/soap?wsdl',
  '/ops',
  '/ops?language=en',
  '/ops/failed-jobs',
  '/ops/held',
  '/ops/quarantine',
  '/ops/files',
  '/ops/webhooks',
  '/ops/scrub',
  '/ops/queues',
  '/ops/queues/api/queues',
] as const;

const STATES = ['active', 'completed', 'delayed', 'failed', 'latest', 'waiting'];

/** All of them, as an operator sees them, with every job that the queue console shows. */
export async function readPages(installation: OwnInstallation): Promise<Readonly<Record<string, Buffer>>> {
  const { url, signal } = installation;
  const token = await new Callers(installation).operatorsToken();
  const read = async (path: string) => {
    const response = await fetch(url + path, { signal, headers: { authorization: `Bearer ${token}` } });
    const body = Buffer.from(await response.arrayBuffer());
    if (response.status !== 200) throw new Error(`${path} answered ${response.status}.`);
    return Buffer.concat([Buffer.from(`${JSON.stringify([...response.headers])}\n`), body]);
  };
  const pages: Record<string, Buffer> = {};
  for (const path of PAGES) pages[path] = await read(path);
  const { queues } = JSON.parse(String(pages['/ops/queues/api/queues']).replace(/^.*\n/, '')) as {
    queues: { name: string }[];
  };
  for (const { name } of queues) {
    for (const state of STATES) {
      const path = `/ops/queues/api/queues?activeQueue=${name}&status=${state}&page=1&jobsPerPage=100`;
      pages[path] = await read(path);
    }
  }
  return pages;
}
