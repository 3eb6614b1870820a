import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { BrokenOff, readFlowing, type Source, sourceOf, streamOf, type Take } from '../../src/flow/index.js';

const soon = () => new Promise<void>((resolve) => setImmediate(resolve));

async function* letters(): AsyncGenerator<Buffer> {
  for (const letter of 'abcdef') yield Buffer.from(letter);
}

describe('a stream that flows', () => {
  it('gives all in order, one at a time, whether it must wait or not', async () => {
    let [seen, taking] = ['', false];
    const take: Take = (chunk) => {
      expect(taking).toBe(false);
      seen += chunk;
      if (seen.length % 2 === 0) return undefined;
      taking = true;
      return soon().then(() => {
        taking = false;
      });
    };
    await readFlowing(Readable.from(letters(), { objectMode: false }), take);
    expect(seen).toBe('abcdef');
  });

  it('is left open and paused when the taking fails, at once or later, and gives nothing more', async () => {
    const full = new Error('disk full');
    const throwing: Take = () => {
      throw full;
    };
    for (const take of [throwing, () => soon().then(throwing as () => never)]) {
      const stream = new PassThrough();
      stream.write('a');
      let taken = 0;
      const counting: Take = (chunk) => {
        taken += 1;
        return take(chunk);
      };
      await expect(readFlowing(stream, counting)).rejects.toBe(full);
      stream.write('b');
      await soon();
      expect([taken, stream.destroyed, stream.isPaused()]).toEqual([1, false, true]);
      expect(stream.listenerCount('data') + stream.listenerCount('error')).toBe(0);
    }
  });

  it('that breaks off says so only when what is being taken has been taken', async () => {
    const [stream, gone] = [new PassThrough(), new Error('gone')];
    let release = () => {};
    const events: string[] = [];
    const reading = readFlowing(stream, () =>
      new Promise<void>((resolve) => {
        release = resolve;
      }).then(() => void events.push('taken')),
    ).catch((error: Error) => events.push(`${error.constructor.name}: ${(error.cause as Error).message}`));
    stream.write('a');
    await soon();
    stream.destroy(gone);
    await soon();
    expect(events).toEqual([]);
    release();
    await reading;
    expect(events).toEqual(['taken', 'BrokenOff: gone']);
  });

  it('that was closed before its end, or before it was read, is broken off', async () => {
    const closed = new PassThrough();
    closed.destroy();
    await soon();
    const closing = new PassThrough();
    setImmediate(() => closing.destroy());
    for (const stream of [closed, closing]) {
      await expect(readFlowing(stream, () => undefined)).rejects.toBeInstanceOf(BrokenOff);
    }
  });

  it('can be stopped, before and in the middle', async () => {
    const late = new Error('late');
    const reading = new AbortController();
    setImmediate(() => reading.abort(late));
    for (const stop of [AbortSignal.abort(late), reading.signal]) {
      await expect(readFlowing(new PassThrough(), () => undefined, stop)).rejects.toMatchObject({ cause: late });
    }
  });
});

describe('a source as a stream', () => {
  it('gives the same bytes, however slowly it is read', async () => {
    const bytes = Buffer.alloc(300_000, 'abcdefg');
    const source: Source = (take) => readFlowing(Readable.from([bytes, bytes]), take);
    expect((await buffer(streamOf(source))).equals(Buffer.concat([bytes, bytes]))).toBe(true);
    let length = 0;
    for await (const chunk of streamOf(source)) {
      await soon();
      length += chunk.length;
    }
    expect(length).toBe(600_000);
  });

  it('fails as the source does', async () => {
    const gone = new Error('gone');
    await expect(buffer(streamOf(() => Promise.reject(gone)))).rejects.toBe(gone);
  });

  it('stops the source when it is destroyed, also while that waits', async () => {
    const body = new PassThrough();
    let ended: Promise<unknown> = Promise.resolve();
    const source: Source = (take, stop) => {
      const reading = readFlowing(body, take, stop);
      ended = reading.catch((error: Error) => error);
      return reading;
    };
    for (const written of [1, 100_000]) {
      const stream = streamOf(source);
      body.write(Buffer.alloc(written));
      await soon();
      stream.destroy();
      expect(await ended).toBeInstanceOf(BrokenOff);
    }
  });
});

describe('what is iterated over as a source', () => {
  it('waits for what must be waited for', async () => {
    let seen = '';
    await sourceOf(letters())(async (chunk) => {
      await soon();
      seen += chunk;
    });
    expect(seen).toBe('abcdef');
  });
});
