import type { InboxCheck } from './inbox.js';
import { CHANNELS, type Channel, type LetterRecord } from './letters.js';

/** Something that a correct receiver does not do. */
export interface Finding {
  readonly what: string;
  readonly messageUUID?: string;
}

export interface FaultFigures {
  readonly played: number;
  readonly failed: number;
  /** Why it is never played. */
  readonly notPlayed?: string;
}

export interface SimulatorReport {
  readonly url: string;
  readonly seconds: number;
  /** Letters that were offered once or more: the sum of the next three. */
  readonly sent: number;
  readonly acknowledged: number;
  /** As a correct receiver must, or may. */
  readonly refused: number;
  /** Neither: not accounted for. */
  readonly open: number;
  /** Letters that came and were never offered: the time was up before there was a place for them. */
  readonly neverSent: number;
  /** Attempts after the first of each letter. */
  readonly resent: number;
  /** Of acknowledged letters. */
  readonly bytes: number;
  /** Of those sent. */
  readonly byChannel: Readonly<Record<Channel, number>>;
  /** Why attempts failed: errorCodes and what was no answer, with how often. */
  readonly failedAttempts: Readonly<Record<string, number>>;
  /** Milliseconds to a positive receipt. */
  readonly took: { readonly p50: number; readonly p95: number; readonly p99: number; readonly longest: number };
  readonly faults: Readonly<Record<string, FaultFigures>>;
  /** What is expected and was not checked, a sentence each. */
  readonly unchecked: readonly string[];
  /** Files on the SFTP server that the receiver has not fetched. */
  readonly filesNotFetched: number;
  /** It was ended before all was sent and accounted for. */
  readonly isInterrupted: boolean;
  /** The receiver took no letter for seven days of simulated time. */
  readonly isSwitchedOff: boolean;
  /** Only when it was told how to ask. */
  readonly inbox: InboxCheck | undefined;
  readonly findings: readonly Finding[];
  /** Of all; `findings` has the first. */
  readonly findingCount: number;
  /** Every letter has its end, what is acknowledged is in the inbox once, and nothing was found. */
  readonly isGood: boolean;
}

export function figuresOf(letters: Iterable<LetterRecord>) {
  const byChannel = Object.fromEntries(CHANNELS.map((channel) => [channel, 0])) as Record<Channel, number>;
  const byStatus = { acknowledged: 0, refused: 0, open: 0 };
  let [sent, neverSent, bytes] = [0, 0, 0];
  const took: number[] = [];
  for (const letter of letters) {
    if (letter.attempts === 0) {
      neverSent += 1;
      continue;
    }
    sent += 1;
    byStatus[letter.status] += 1;
    byChannel[letter.channel] += 1;
    if (letter.status === 'acknowledged') bytes += letter.bytes;
    if (letter.tookMs !== undefined) took.push(letter.tookMs);
  }
  took.sort((one, other) => one - other);
  const share = (part: number) => Math.round(took[Math.min(took.length - 1, Math.floor(took.length * part))] ?? 0);
  return {
    sent,
    ...byStatus,
    neverSent,
    byChannel,
    bytes,
    took: { p50: share(0.5), p95: share(0.95), p99: share(0.99), longest: share(1) },
  };
}

/** A transmissionId names one transmission: letters that share one have been taken for each other. */
export function sharedTransmissions(letters: Iterable<LetterRecord>): Finding[] {
  const first = new Set<string>();
  const findings: Finding[] = [];
  for (const { transmissionId, messageUUID } of letters) {
    if (transmissionId === undefined) continue;
    if (first.has(transmissionId))
      findings.push({ what: 'the receipt has the transmissionId of another letter', messageUUID });
    first.add(transmissionId);
  }
  return findings;
}

const SHOWN = 40;

/** Of codes of Node that a tester may meet first. */
const NO_CA = 'the certificate of the receiver is not of a CA that --tls has';
const MEANINGS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  ENOTFOUND: 'no such host',
  CERT_HAS_EXPIRED: 'the certificate of the receiver has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate of the receiver is for another host',
  SELF_SIGNED_CERT_IN_CHAIN: NO_CA,
  DEPTH_ZERO_SELF_SIGNED_CERT: NO_CA,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: NO_CA,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: NO_CA,
  timeout: 'no answer in the time of --timeout',
};

/** For people. */
export function summaryOf(report: SimulatorReport): string {
  const { sent, acknowledged, refused, open, neverSent, resent, took, inbox, findings, findingCount } = report;
  const rows = (of: Readonly<Record<string, number>>) =>
    Object.entries(of)
      .filter(([, count]) => count > 0)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ');
  const lines = [
    `sent ${sent}: acknowledged ${acknowledged}, refused as expected ${refused}, open ${open}; resent ${resent}`,
    `channels: ${rows(report.byChannel)}; ${(report.bytes / 1e6).toFixed(1)} MB acknowledged in ${report.seconds.toFixed(0)} s`,
  ];
  if (acknowledged > 0)
    lines.push(`receipts: median ${took.p50} ms, p95 ${took.p95} ms, p99 ${took.p99} ms, longest ${took.longest} ms`);
  if (neverSent > 0) lines.push(`never sent, since the time was up: ${neverSent}`);
  const failed = Object.entries(report.failedAttempts)
    .map(([code, count]) => `${count} × ${code}${MEANINGS[code] ? ` (${MEANINGS[code]})` : ''}`)
    .join(', ');
  if (failed !== '') lines.push(`attempts without a positive receipt: ${failed}`);
  for (const [name, { played, failed, notPlayed }] of Object.entries(report.faults)) {
    const how = notPlayed === undefined ? `played ${played}` : `not played: ${notPlayed}`;
    lines.push(`fault ${name}: ${how}${failed > 0 ? `, FAILED ${failed}` : ''}`);
  }
  for (const what of report.unchecked) lines.push(`not checked: ${what}`);
  if (report.filesNotFetched > 0) lines.push(`files not fetched by SFTP: ${report.filesNotFetched}`);
  if (report.isSwitchedOff) lines.push('SWITCHED OFF: the receiver took no letter for 7 days');
  if (inbox)
    lines.push(
      `inbox: found ${inbox.found}, missing ${inbox.missing.length}, twice ${inbox.twice.length}, refused and there ${inbox.unexpected.length}`,
      ...[...inbox.missing.slice(0, SHOWN)].map((id) => `missing: ${id}`),
    );
  const found = new Map<string, { readonly first: Finding; count: number }>();
  for (const finding of findings) {
    const kind = found.get(finding.what);
    if (kind) kind.count += 1;
    else found.set(finding.what, { first: finding, count: 1 });
  }
  for (const [what, { first, count }] of [...found].slice(0, SHOWN)) {
    const letter = first.messageUUID === undefined ? '' : ` (${first.messageUUID})`;
    lines.push(`finding: ${what}${letter}${count > 1 ? `, ${count} times` : ''}`);
  }
  if (found.size > SHOWN) lines.push(`and ${found.size - SHOWN} more kinds of findings`);
  if (findingCount > findings.length)
    lines.push(`only the first ${findings.length} of ${findingCount} findings are kept`);
  lines.push(report.isGood ? goodEnd(report) : `NOT GOOD: ${faultsOf(report).join(', ')}`);
  return lines.join('\n');
}

const goodEnd = ({ inbox }: SimulatorReport) =>
  inbox ? 'all accounted for, nothing found' : 'each letter has its receipt, nothing found';

/** What keeps it from being good. */
function faultsOf(report: SimulatorReport): string[] {
  const { sent, open, neverSent, findingCount, filesNotFetched, inbox, isInterrupted } = report;
  const counts = {
    open,
    'never sent': neverSent,
    findings: findingCount,
    'files not fetched': filesNotFetched,
    'missing in the inbox': inbox?.missing.length ?? 0,
    'twice in the inbox': inbox?.twice.length ?? 0,
    'refused and in the inbox': inbox?.unexpected.length ?? 0,
  };
  return [
    ...(isInterrupted ? ['interrupted before its end'] : []),
    ...(sent === 0 ? ['nothing was sent'] : []),
    ...Object.entries(counts).flatMap(([what, count]) => (count > 0 ? [`${what} ${count}`] : [])),
  ];
}
