import { requireMunicipality } from '@indbakke/shared/access';
import { CaseId, CaseLine, type CaseLineAnswer, MAX_CASE_LINES, NDJSON, type OPERATIONS } from '@indbakke/shared/api';
import { currentTime } from '@indbakke/shared/clock';
import { KiB, MiB } from '@indbakke/shared/config';
import { Problem } from '@indbakke/shared/errors';
import {
  type Call,
  describeProblem,
  type Line,
  logProblem,
  parseLine,
  readLines,
  toProblem,
} from '@indbakke/shared/http';
import type { Parts } from '@indbakke/shared/service';
import { z } from 'zod';
import { requestDueSuggestions } from '../suggestion/request-due-suggestions.js';
import { refuseOwnMove } from './register.js';
import { storeCases } from './store-cases.js';

export type BatchParts = Pick<Parts, 'store' | 'keys' | 'queues' | 'log'>;

/** 200 parties and 200 users with the longest ids, in a generous spelling. */
const MAX_LINE_BYTES = 256 * KiB;
/** In one transaction: more would hold the locks of all these cases for longer, and save little. */
const BATCH = 200;
/** Long lines are stored sooner, so that as much is in memory whatever they hold. */
const BATCH_BYTES = MiB;

/** A line that was read: a case to be stored, or what is wrong with it. */
interface ReadLine {
  readonly line: number;
  readonly caseId: string | null;
  readonly given: CaseLine | Problem;
}

/**
 * Registers the cases of a body, a line each, as they come, and answers each with a line. Only one batch of them is in memory.
 * The answer does not wait for its reader, since many callers read only when they have sent all; it is a few MB at most.
 *
 * @throws Problem not-found for an unknown municipality; bad-request for a body that is cut off: what was answered is stored
 */
export async function registerCases(
  parts: BatchParts,
  { principal, req, res }: Call<typeof OPERATIONS.registerCases>,
): Promise<void> {
  const { municipality } = principal;
  await requireMunicipality((statement) => parts.store.query(municipality, statement, 'kept'), municipality);
  res.type(NDJSON);
  /** Why the database is away: the other lines need not wait for it one batch after the other. */
  let away: Problem | undefined;
  let batch: ReadLine[] = [];
  let bytes = 0;
  const ids = new Set<string>();
  const flush = async () => {
    const cases = batch.flatMap(({ given }) => (given instanceof Problem ? [] : [given]));
    const outcomes = away ?? (await store(parts, principal, cases));
    if (outcomes instanceof Problem && isAway(outcomes)) away = new Problem('unavailable', NOT_TRIED);
    const answers = batch.map((line) => answerTo(line, outcomes));
    batch = [];
    bytes = 0;
    ids.clear();
    res.write(answers.map((answer) => `${JSON.stringify(answer)}\n`).join(''));
  };
  let lines = 0;
  for await (const line of readLines(req, MAX_LINE_BYTES)) {
    const read = readLine(line, ++lines, municipality);
    const { given } = read;
    const isFull = batch.length === BATCH || bytes >= BATCH_BYTES;
    // A case that comes twice is stored twice, in order.
    if (isFull || (!(given instanceof Problem) && ids.has(given.caseId))) await flush();
    batch.push(read);
    bytes += line.bytes?.length ?? 0;
    if (!(given instanceof Problem)) ids.add(given.caseId);
    if (lines > MAX_CASE_LINES) break;
  }
  if (batch.length > 0) await flush();
  res.end();
}

const NOT_TRIED = 'The database does not answer, so the line was not tried. Send it again later.';
const isAway = ({ code }: Problem) => code === 'unavailable' || code === 'unknown-outcome';

function readLine({ number: line, bytes }: Line, count: number, municipality: string): ReadLine {
  const fault = (detail: string) => ({
    line,
    caseId: null,
    given: new Problem('bad-request', detail, { path: 'line' }),
  });
  if (count > MAX_CASE_LINES) return fault(`A body has at most ${MAX_CASE_LINES} lines: send the rest in another.`);
  if (!bytes) return fault(`The line is longer than ${MAX_LINE_BYTES / KiB} KiB.`);
  try {
    const given = parseLine(CaseLine, bytes);
    refuseOwnMove(given, municipality, 'line');
    return { line, caseId: given.caseId, given };
  } catch (error) {
    return { line, caseId: caseIdIn(bytes), given: toProblem(error) };
  }
}

/** Of a line that is refused for something else. */
function caseIdIn(bytes: Buffer): string | null {
  try {
    const { caseId } = parseLine(z.looseObject({ caseId: CaseId }), bytes);
    return caseId;
  } catch {
    return null;
  }
}

/** @returns the outcome of each case, or why none could be stored */
async function store(
  { store, keys, queues, log }: BatchParts,
  principal: Call<typeof OPERATIONS.registerCases>['principal'],
  cases: readonly CaseLine[],
): Promise<Awaited<ReturnType<typeof storeCases>> | Problem> {
  if (cases.length === 0) return new Map();
  const { municipality } = principal;
  try {
    const outcomes = await store.withTenantConnection(municipality, (connection) =>
      storeCases(connection, keys, { principal, at: currentTime() }, cases),
    );
    // The cases are stored, and the sweep requests what is not requested here.
    const ids = cases.map(({ caseId }) => caseId);
    await requestDueSuggestions({ store, queues }, municipality, ids).catch((error) =>
      logProblem(log, toProblem(error)),
    );
    return outcomes;
  } catch (error) {
    const problem = toProblem(error);
    logProblem(log, problem);
    return problem;
  }
}

function answerTo({ line, caseId, given }: ReadLine, outcomes: Awaited<ReturnType<typeof store>>): CaseLineAnswer {
  if (given instanceof Problem) return { line, caseId, status: 'invalid', problem: describeProblem(given) };
  if (outcomes instanceof Problem) return { line, caseId, status: 'failed', problem: describeProblem(outcomes) };
  return { line, caseId, status: outcomes.get(given.caseId) as CaseLineAnswer['status'], problem: null };
}
