// 10 s, 20 s, 40 s … up to a quarter of an hour.
const FIRST_RETRY_SECONDS = 10;
const LAST_RETRY_SECONDS = 900;

/** How long to wait after an attempt that failed. @param attempts before that one */
export function retrySeconds(attempts: number): number {
  return Math.min(LAST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2 ** Math.min(attempts, 10));
}
