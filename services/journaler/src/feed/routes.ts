import { OPERATIONS } from '@indbakke/shared/api';
import type { Bind } from '@indbakke/shared/http';
import type { Parts } from '@indbakke/shared/service';
import type { Feed } from './feed.js';
import { forReader } from './for-reader.js';

export function bindFeed(bind: Bind, { store }: Pick<Parts, 'store'>, feed: Feed): void {
  bind(OPERATIONS.listEvents, async ({ principal, query, req, res }) => {
    const gone = new AbortController();
    const { socket } = req;
    const end = () => gone.abort('gone'); // without a reason it would cost an exception with its stack
    // Of a caller that ends its direction it is not known whether it still reads: it gets an answer without waiting.
    if (socket.readableEnded || socket.destroyed) end();
    socket.once('end', end);
    res.once('close', () => {
      socket.off('end', end);
      end();
    });
    return forReader(store, principal, await feed.read(principal.municipality, query, gone.signal));
  });
}
