import type { ChangeAnswer } from '@indbakke/shared/api';
import type { Got, Received } from './lines.js';

/** A row of `events`. */
export interface Committed extends Omit<Got, 'position'> {
  /** Null when it has none yet. */
  readonly position: number | null;
}

/** All that a run has to compare when everything is quiet. */
export interface Recorded {
  /** By position. */
  readonly committed: readonly Committed[];
  /** The version of each message: as many changes were committed. */
  readonly messages: readonly { readonly id: string; readonly version: number }[];
  /** What callers were told is done. */
  readonly answered: readonly ChangeAnswer[];
  /** What each consumer of the feed got, as it came. */
  readonly consumers: Readonly<Record<string, readonly Got[]>>;
  /** What the receiver of the webhooks acknowledged, or refused since it was not signed. */
  readonly received: readonly Received[];
  /** Municipalities that have a webhook; all when absent. */
  readonly hooked?: ReadonlySet<string>;
}

/**
 * lost: committed or answered, and not got; twice: a consumer of the feed got it twice; disordered: got at another place than
 * it was committed at, or before a change that came before; invented: got as it was never committed; unsigned: a webhook
 * without a valid signature; stuck: not done when everything was due; failed: services that ended by themselves, or answered
 * with an error other than 503.
 */
export type FeedVerdict = 'lost' | 'twice' | 'disordered' | 'invented' | 'unsigned' | 'stuck' | 'failed';

export interface FeedFinding {
  readonly verdict: FeedVerdict;
  readonly what: string;
}

type Find = (verdict: FeedVerdict, what: string) => void;

/** At least once, in order, none missing: what is committed against what callers were told and consumers got. */
export function compareFeed(recorded: Recorded): FeedFinding[] {
  const { committed, messages, answered, consumers, received, hooked } = recorded;
  const findings: FeedFinding[] = [];
  const find: Find = (verdict, what) => findings.push({ verdict, what });
  const byId = new Map(committed.map((event) => [event.id, event]));
  compareCommitted(committed, messages, find);
  const changes = new Map(committed.map((event) => [`${event.messageId} ${event.version}`, event]));
  for (const { id, version, status } of answered) {
    const event = changes.get(`${id} ${version}`);
    if (event?.status !== status)
      find('lost', `a caller was told that message ${id} is ${status} in version ${version}; there is ${shown(event)}`);
  }
  for (const [name, all] of Object.entries(consumers)) {
    for (const [municipality, got] of byMunicipality(all)) {
      compareConsumer(`${name}, feed of ${municipality}`, got, byId, find);
    }
    compareIds(name, committed, new Set(all.map(({ id }) => id)), find);
  }
  const events = received.filter(({ isSigned, id }) => isSigned && id !== undefined); // without `recovered`
  for (const { isSigned, webhookId } of received)
    if (!isSigned) find('unsigned', `webhook ${webhookId} has no valid signature`);
  for (const event of events) {
    if (!isSame(event, byId.get(event.id)) || event.webhookId !== event.id)
      find('invented', `webhook ${event.webhookId} has ${shown(event)}; there is ${shown(byId.get(event.id))}`);
  }
  const pushed = committed.filter(({ municipality }) => hooked?.has(municipality) ?? true);
  compareIds('webhooks', pushed, new Set(events.map(({ id }) => id)), find);
  return findings;
}

/** Positions without gaps, and each message with all of its changes, in order. */
function compareCommitted(committed: readonly Committed[], messages: Recorded['messages'], find: Find): void {
  const versions = new Map<string, number>();
  for (const [municipality, events] of byMunicipality(committed)) {
    for (const [index, event] of events.entries()) {
      if (event.position !== index + 1)
        find('disordered', `position ${index + 1} of ${municipality} should be that of ${shown(event)}`);
      const before = versions.get(event.messageId) ?? 0;
      if (event.version !== before + 1) find('disordered', `after version ${before} comes ${shown(event)}`);
      versions.set(event.messageId, event.version);
    }
  }
  for (const { id, version } of messages) {
    if (versions.get(id) !== version)
      find('lost', `message ${id} has version ${version}, its last event ${versions.get(id)}`);
  }
}

/** Each position once, one after the other, with what was committed there. */
function compareConsumer(name: string, got: readonly Got[], byId: ReadonlyMap<string, Committed>, find: Find): void {
  const seen = new Set<string>();
  let last = 0;
  for (const event of got) {
    if (seen.has(event.id)) find('twice', `${name}: ${shown(event)}`);
    else if (!isSame(event, byId.get(event.id)))
      find('invented', `${name}: ${shown(event)}; there is ${shown(byId.get(event.id))}`);
    else if (event.position !== last + 1) find('disordered', `${name}: after position ${last} comes ${shown(event)}`);
    seen.add(event.id);
    last = event.position;
  }
}

function compareIds(name: string, committed: readonly Committed[], got: ReadonlySet<string>, find: Find): void {
  for (const event of committed) if (!got.has(event.id)) find('lost', `${name}: ${shown(event)}`);
}

function isSame(got: Got, event: Committed | undefined): boolean {
  const keys = ['municipality', 'position', 'messageId', 'version', 'status'] as const;
  return event !== undefined && keys.every((key) => got[key] === event[key]);
}

function byMunicipality<Event extends { municipality: string }>(events: readonly Event[]): Map<string, Event[]> {
  const grouped = new Map<string, Event[]>();
  for (const event of events) {
    const group = grouped.get(event.municipality);
    if (group) group.push(event);
    else grouped.set(event.municipality, [event]);
  }
  return grouped;
}

function shown(event: Committed | undefined): string {
  if (!event) return 'nothing';
  const { position, id, messageId, version, status } = event;
  return `event ${id} at ${position}: message ${messageId}, version ${version}, ${status}`;
}
