import { OPERATIONS } from '@indbakke/shared/api';
import type { Bind } from '@indbakke/shared/http';
import type { Feed } from './feed.js';

export function bindFeed(bind: Bind, feed: Feed): void {
  bind(OPERATIONS.listEvents, ({ principal, query, res }) => {
    const gone = new AbortController();
    res.once('close', () => gone.abort());
    return feed.read(principal.municipality, query, gone.signal);
  });
}
