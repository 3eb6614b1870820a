import { describeError, type Log } from '../log/index.js';

const METHODS = ['debug', 'info', 'log', 'warn', 'error', 'trace', 'dir'] as const;

/**
 * From now on what libraries print, Node's warnings and the error that ends this process are lines of the log too. Without
 * their texts, which may quote values: the line names the place instead.
 */
export function onlyJson(log: Log): void {
  for (const method of METHODS) {
    console[method] = () => log.warn('printed', { method, at: describeError(new Error()).at });
  }
  process.removeAllListeners('warning'); // Node's own, which prints
  process.on('warning', (warning) => log.warn('node-warning', describeError(warning)));
  process.on('uncaughtException', (error) => {
    log.error('crashed', describeError(error));
    process.exit(1);
  });
}
