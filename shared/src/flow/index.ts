/** How bytes flow through the intake: handed on chunk by chunk, with a promise only where something must be waited for. */

import { finished, Readable } from 'node:stream';

export { BLOCK_SIZE, giveBlockBack, isInBlock, PIECE_SIZE, takeBlock } from './blocks.js';

/**
 * Takes the next chunk. A promise: what follows comes only when it is fulfilled. When it throws or rejects nothing
 * follows.
 */
export type Take = (chunk: Buffer) => Promise<void> | undefined;

/**
 * Gives chunks of any size, one after the other, and resolves when the last one has been taken. Not an iterator: one costs
 * several promises a chunk, of which 100 MB has 1600.
 *
 * @param stop ends it before its time
 * @throws what `take` throws, and when it breaks off or is stopped. By then nothing is under way in `take`.
 */
export type Source = (take: Take, stop?: AbortSignal) => Promise<void>;

/** A stream was not read to its end. `cause` is its own error, or the reason why it was stopped. */
export class BrokenOff extends Error {}

/**
 * Reads a stream as a {@link Source} does. The stream is not closed; if it was not read to its end it is paused.
 *
 * @throws what `take` throws, unchanged; else BrokenOff
 */
export function readFlowing(stream: Readable, take: Take, stop?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    let taking = false;
    let end: { readonly error: unknown } | undefined;

    const settle = (error: unknown) => {
      stream.off('data', onData);
      stopWatching();
      stop?.removeEventListener('abort', onStop);
      stream.pause();
      if (error) reject(error);
      else resolve();
    };
    const onEnd = (cause?: unknown) => {
      end ??= { error: cause && new BrokenOff('The stream broke off.', { cause }) };
      if (!taking) settle(end.error);
    };
    const onStop = () => onEnd(stop?.reason);
    const onData = (chunk: Buffer) => {
      try {
        const wait = take(chunk);
        if (wait === undefined) return;
        taking = true;
        stream.pause();
        wait.then(onTaken, settle);
      } catch (error) {
        settle(error);
      }
    };
    const onTaken = () => {
      taking = false;
      if (end) settle(end.error);
      else stream.resume();
    };

    const stopWatching = finished(stream, { writable: false }, onEnd);
    stop?.addEventListener('abort', onStop);
    if (stop?.aborted) onStop();
    else stream.on('data', onData);
  });
}

/** A source as a stream, for who needs one. To destroy the stream stops the source. */
export function streamOf(source: Source): Readable {
  const stopped = new AbortController();
  let goOn = () => {};
  const stream = new Readable({
    read: () => goOn(),
    destroy(error, done) {
      stopped.abort(error ?? new Error('The stream was destroyed.'));
      goOn();
      done(error);
    },
  });
  const push: Take = (chunk) => {
    if (stream.push(chunk)) return undefined;
    return new Promise((resolve) => {
      goOn = resolve;
    });
  };
  source(push, stopped.signal).then(
    () => stream.push(null),
    (error: Error) => stream.destroy(error),
  );
  return stream;
}

/** What is iterated over as a source. */
export function sourceOf(chunks: AsyncIterable<Buffer>): Source {
  return async (take, stop) => {
    for await (const chunk of chunks) {
      stop?.throwIfAborted();
      await take(chunk);
    }
  };
}
