// A core that follows the feed of each municipality from the last position that it has saved, until it is killed. It calls
// the services in turn.

import { setTimeout as pause } from 'node:timers/promises';
import type { EventList } from '@indbakke/shared/api';
import type { ConsumerManner, ConsumerOrder } from './children.js';
import { type Got, mend, save, saved } from './lines.js';

const RETRY_MS = 50;
const ANSWER_WITHIN_MS = 30_000;

process.on('disconnect', () => process.exit()); // the harness is gone
process.on('message', ({ urls, tokens, file, manner }: ConsumerOrder) => {
  mend(file);
  for (const [municipality, token] of Object.entries(tokens)) void follow(municipality, token, urls, file, manner);
});
process.send?.('ready');

async function follow(
  municipality: string,
  token: string,
  urls: readonly string[],
  file: string,
  { waitSeconds, restMs }: ConsumerManner,
): Promise<void> {
  let at = saved<Got>(file).findLast((event) => event.municipality === municipality)?.position ?? 0;
  for (let turn = 0; ; turn += 1) {
    const query = `after=${at}${waitSeconds > 0 ? `&wait=${waitSeconds}` : ''}`;
    const answer = await ask(`${urls[turn % urls.length]}/api/v1/events?${query}`, token);
    if (!answer) {
      await pause(RETRY_MS);
      continue;
    }
    save(
      file,
      answer.events.map(({ position, id, messageId, version, status }): Got => {
        return { municipality, position, id, messageId, version, status };
      }),
    );
    at = answer.next;
    if (restMs > 0) await pause(restMs);
  }
}

/** @returns undefined when the services are away */
async function ask(url: string, token: string): Promise<EventList | undefined> {
  const headers = { authorization: `Bearer ${token}` };
  let response: Response;
  try {
    response = await fetch(url, { headers, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    if (response.ok) return (await response.json()) as EventList;
  } catch {
    return undefined;
  }
  if (response.status !== 503) process.send?.(`a consumer of the feed was answered ${response.status}`);
  return undefined;
}
