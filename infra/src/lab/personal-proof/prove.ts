import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DELIVERY_ERRORS } from '@indbakke/shared/errors';
import { HAS_CLAMD, startClamd } from '../../testkit/clamd.js';
import { startCollector } from '../../testkit/collector.js';
import { runSql } from '../../testkit/database.js';
import { NOT_DURABLE, withOwnState } from '../../testkit/own-state.js';
import { type Relay, startRelay } from '../../testkit/relay.js';
import { areasOf, checkSearch } from '../plants/areas.js';
import { foldersOf, type OwnInstallation, startInstallation } from '../plants/installation.js';
import { Finder } from '../plants/needles.js';
import { Callers, deliverLetters, emptyQuarantine, passThroughAll } from '../plants/pass-through.js';
import { type Found, type Searched, searchFiles } from '../plants/search-files.js';
import { callBadly } from './bad-calls.js';
import { badDeliveries, breakOff, deliverTo, ENDPOINTS, SF2900 } from './bad-deliveries.js';
import { asRequest, badDistributions } from './bad-distributions.js';
import { deliverDocuments, distributeAll } from './distributions.js';
import { startFarEnd } from './far-end.js';
import { breakAll, failWebhooks } from './faults.js';
import { readPages } from './pages.js';
import { Plants } from './plants.js';
import { deliverUnsafe, untilScanned } from './scans.js';
import { watch } from './watch.js';

export interface ProofOptions {
  readonly queue: 'PostgreSQL' | 'Redis';
  readonly signal: AbortSignal;
  readonly onProgress: (line: string) => void;
}

export interface PersonalProof {
  readonly queue: string;
  /** Where clamd is installed. */
  readonly isScanned: boolean;
  readonly plants: number;
  /** Of letters and documents, how many plants were found where they may be: in the database. */
  readonly inDatabase: number;
  readonly inLetters: number;
  /** Errors of deliveries that were not reached. */
  readonly notReached: readonly string[];
  readonly searched: readonly Searched[];
  readonly found: readonly Found[];
}

const MAX_BYTES = 2_000_000;

// docs/backup.md, what PostgreSQL writes to its own log
const POSTGRES_LOG = {
  log_min_error_statement: 'panic',
  log_min_duration_statement: '-1',
  log_error_verbosity: 'terse',
  log_parameter_max_length_on_error: '0',
};

/** Plants everywhere, and searches whatever those can see who may see no messages. */
export function prove({ queue, signal, onProgress }: ProofOptions): Promise<PersonalProof> {
  return withOwnState(async (paths) => {
    const collector = await startCollector();
    const plants = new Plants();
    const farEnd = await startFarEnd(plants);
    let relay: Relay | undefined;
    const clamd = HAS_CLAMD ? await startClamd() : undefined;
    const installation = await startInstallation(paths, queue, signal, {
      postgres: { ...NOT_DURABLE, ...POSTGRES_LOG },
      async env({ url }) {
        relay = await startRelay(url);
        return {
          ...farEnd.settings,
          ...(clamd && { CLAMD_URL: clamd.url }),
          DATABASE_URL: relay.url,
          OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
          MAX_MESSAGE_BYTES: String(MAX_BYTES),
          SF2900_MAX_FILE_BYTES: String(MAX_BYTES),
          SMALL_CONTENT_BYTES: '16384',
        };
      },
    }).catch(async (error) => {
      await clamd?.close(); // a process of its own
      throw error;
    });
    const evidence = new Evidence(join(paths.root, 'evidence'));
    const { temporary } = foldersOf(paths);
    const watching = watch(installation.pid, temporary, paths.root);
    try {
      onProgress(`queue on ${queue}: letters pass through everything`);
      await failWebhooks(installation, plants);
      const letters = await deliverLetters(installation, 0);
      for (const { name, plants: each } of letters)
        for (const [what, value] of Object.entries(each)) plants.know(`${name}: ${what}`, value);
      await untilScanned(installation, letters);
      const documents = await deliverDocuments(installation, plants);
      const inLetters = new Set(plants.needles.map(({ plant }) => plant));
      const unsafe = clamd && (await deliverUnsafe(installation, plants));
      await passThroughAll(installation, letters);

      onProgress('bad deliveries');
      evidence.keep('refusals', await deliverBadly(installation, plants));
      await emptyQuarantine(installation, false);
      onProgress('bad calls; documents pass through everything, with faults at the far end');
      // Which waits for its next attempts, most of the time.
      const [refusals, distributed] = await Promise.all([
        callBadly(installation, plants),
        distributeAll(installation, farEnd, documents, plants),
      ]);
      evidence.keep('refusals', refusals);
      await breakOff(installation.url, plants);
      evidence.keepPages(await readPages(installation));
      onProgress(
        'the database refuses, and goes away; a file is unsafe, and the scanner goes away; content is spoiled',
      );
      evidence.keep(
        'refusals',
        await breakAll(installation, { relay: relay as Relay, clamd }, { letters, unsafe, distributed }, plants),
      );
      const pages = await readPages(installation);
      evidence.keepPages(pages);

      evidence.keep('jobs', await readJobs(installation));
      await runSql(installation.ownerUrl, 'CHECKPOINT');
      const { processes, names } = watching.end();
      evidence.keep('processes', [processes]);
      evidence.keep('names of files', [names]);
      await installation.stop();
      evidence.keep('traces', collector.bodies);

      onProgress('searching');
      checkSearch(paths, plants.needles);
      const finder = new Finder(plants.needles);
      const [database, , ...others] = areasOf(paths);
      const allowed = searchFiles(database ? [database] : [], finder).found;
      const isEvidence = (path: string) => path.startsWith('evidence/');
      const areas = others.map((area) =>
        area.name === 'all else'
          ? { ...area, has: (path: string) => (area.has?.(path) ?? true) && !isEvidence(path) }
          : area,
      );
      const { searched, found } = searchFiles([...areas, ...evidence.areas()], finder);
      const inDatabase = new Set(allowed.map(({ plant }) => plant).filter((plant) => inLetters.has(plant)));
      return {
        queue,
        isScanned: clamd !== undefined,
        plants: plants.count,
        inLetters: inLetters.size,
        inDatabase: inDatabase.size,
        notReached: codesNotReached(String(pages['/metrics'])),
        searched,
        found,
      };
    } finally {
      watching.end();
      await installation.stop();
      await relay?.close();
      await farEnd.close();
      await clamd?.close();
      await collector.close();
    }
  });
}

/** What was seen of the installation from outside, in files to be searched. */
class Evidence {
  readonly #folder: string;
  readonly #kinds = new Set<string>();
  #files = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  keep(kind: string, what: readonly (string | Buffer)[]): void {
    const folder = join(this.#folder, kind);
    mkdirSync(folder, { recursive: true });
    this.#kinds.add(kind);
    for (const each of what) writeFileSync(join(folder, String(this.#files++)), each);
  }

  /** The metrics apart from the pages. */
  keepPages(pages: Readonly<Record<string, Buffer>>): void {
    for (const [path, page] of Object.entries(pages)) this.keep(path === '/metrics' ? 'metrics' : 'pages', [page]);
  }

  areas() {
    return [...this.#kinds].map((name) => ({ name, folder: join(this.#folder, name) }));
  }
}

/** Each over each endpoint; then those that the settings of the municipality refuse. @returns all answers */
async function deliverBadly(installation: OwnInstallation, plants: Plants): Promise<string[]> {
  const { url, signal } = installation;
  const answers: string[] = [];
  for (const endpoint of [...ENDPOINTS, { ...SF2900, wrap: asRequest }]) {
    const delivered = badDeliveries(plants, MAX_BYTES).map((delivery) => deliverTo(url, endpoint, delivery, signal));
    answers.push(...(await Promise.all(delivered)));
  }
  const distributed = badDistributions(plants).map((delivery) => deliverTo(url, SF2900, delivery, signal));
  answers.push(...(await Promise.all(distributed)));
  const caseworker = await new Callers(installation).caseworker();
  for (const action of ['refuse', 'send-again'] as const) {
    await caseworker.changeSettings({ heldRules: [{ ...RULE, action }] });
    for (const endpoint of ENDPOINTS) {
      const delivery = badDeliveries(plants, MAX_BYTES).find(({ what }) => what === 'an unknown contact point');
      if (delivery) answers.push(await deliverTo(url, endpoint, delivery, signal));
    }
  }
  await caseworker.changeSettings({ heldRules: [] });
  return answers;
}

const RULE = {
  cause: 'unknown-contact-point',
  contact: null,
  escalateAfterHours: null,
  escalateTo: null,
} as const;

/** By the counts of outcomes: every refusal of a delivery that there is. */
function codesNotReached(metrics: string): string[] {
  return Object.keys(DELIVERY_ERRORS).filter((code) => !new RegExp(`outcome="${code}"[^}]*\\} [1-9]`).test(metrics));
}

/** All that the queue has on PostgreSQL. On Redis, its file in the state folder has every command that it got. */
async function readJobs({ ownerUrl }: OwnInstallation): Promise<Buffer[]> {
  const tables = await runSql<{ name: string }>(
    ownerUrl,
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = 'bullmq'`,
  );
  const rows = await Promise.all(
    tables.map(({ name }) => runSql<{ row: string }>(ownerUrl, `SELECT to_jsonb(t)::text AS row FROM ${name} t`)),
  );
  return rows.map((table) => Buffer.from(table.map(({ row }) => row).join('\n')));
}
