import type { Role } from '../access/index.js';
import { HOUR } from '../config/index.js';
import { danishTime } from '../danish-time/index.js';
import { DEEDS, FUNCTIONS, REFUSALS, SYSTEMS } from '../danish-words/index.js';
import type { LogRow } from './read-log.js';

// The log in plain words, as people in a municipality and citizens read it.

/** `Åbnede en fil i brevet`; a refusal with its reason. */
export function deedOf({ action, result }: LogRow): string {
  return result === 'done' ? DEEDS[action] : `${DEEDS[action]}: ${REFUSALS[result] ?? result}`;
}

/** Who did it: id and function, and for whom. */
export function doerOf({ actor, role }: LogRow): string {
  const system = actor.kind === 'system' ? SYSTEMS[actor.id] : undefined;
  const known = FUNCTIONS[role as Role];
  const who = system ?? (known ? `${actor.id} (${known})` : actor.id);
  return actor.onBehalfOf === null ? who : `${who}, for ${actor.onBehalfOf}`;
}

/** Which letter: by its dates and id. */
export function letterOf({ messageId, receivedAt, letterAt }: LogRow): string {
  if (messageId === null) return '';
  const received = receivedAt ? `modtaget ${dateOf(receivedAt)}` : '';
  const dated = letterAt ? `dateret ${dateOf(letterAt)}` : '';
  return [received, dated, messageId].filter((part) => part !== '').join(', ');
}

/** `02-11-2026 09:12:00`, in Danish time; of the hour that clocks show twice, the second one with `(vintertid)`. */
export function timeOf(at: Date): string {
  const shown = danishTime(at);
  const [day = '', time = ''] = shown.split(' ');
  const isAgain = danishTime(new Date(at.getTime() - HOUR)) === shown;
  return `${day.split('-').reverse().join('-')} ${time}${isAgain ? ' (vintertid)' : ''}`;
}

const dateOf = (at: Date) => timeOf(at).slice(0, 10);
