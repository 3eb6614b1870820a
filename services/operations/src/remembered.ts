/** Reads again only when what it read is older than this. */
export function remembered<T>(milliseconds: number, read: () => Promise<T>): () => Promise<T> {
  let reading: Promise<T> | undefined;
  let at = 0;
  return () => {
    if (!reading || Date.now() - at > milliseconds) {
      at = Date.now();
      reading = read();
      reading.catch(() => {
        reading = undefined;
      });
    }
    return reading;
  };
}
