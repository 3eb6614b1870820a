import { finished, Readable } from 'node:stream';

/** Takes a chunk. A promise: the next chunk comes only when it is fulfilled. */
type Take = (chunk: Buffer) => Promise<void> | undefined;

/**
 * Takes every chunk. A stream is read by its events: a promise for each chunk would cost a large message 8 % of its time.
 * If it is not read to its end, it is destroyed.
 *
 * @throws what `take` throws, or the error of the source. By then no call of `take` is pending.
 */
export async function forEachChunk(source: AsyncIterable<Buffer>, take: Take): Promise<void> {
  if (source instanceof Readable) return forEachEvent(source, take);
  for await (const chunk of source) {
    const wait = take(chunk);
    if (wait !== undefined) await wait;
  }
}

function forEachEvent(source: Readable, take: Take): Promise<void> {
  return new Promise((resolve, reject) => {
    let isTaking = false;
    let end: { readonly error: unknown } | undefined;

    const settle = (error: unknown) => {
      source.off('data', onData);
      stopWatching();
      if (!error) return resolve();
      source.destroy();
      reject(error);
    };
    const onData = (chunk: Buffer) => {
      try {
        const wait = take(chunk);
        if (wait === undefined) return;
        isTaking = true;
        source.pause();
        wait.then(onTaken, settle);
      } catch (error) {
        settle(error);
      }
    };
    const onTaken = () => {
      isTaking = false;
      if (end) settle(end.error);
      else source.resume();
    };
    const stopWatching = finished(source, { writable: false }, (error) => {
      end = { error };
      if (!isTaking) settle(error);
    });
    source.on('data', onData);
  });
}
