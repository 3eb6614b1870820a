import { AsyncLocalStorage } from 'node:async_hooks';
import { createLogger, format, transports } from 'winston';
import { Problem } from '../errors/index.js';

const correlation = new AsyncLocalStorage<string>();

/** Runs `work`; every line that it logs has this correlation id. */
export function withCorrelation<T>(correlationId: string, work: () => T): T {
  return correlation.run(correlationId, work);
}

export function currentCorrelationId(): string | undefined {
  return correlation.getStore();
}

/** Ids, codes, counts and times; never a CPR number, name, title, file name or content. */
export type LogFields = Record<string, string | number | boolean | undefined>;

export interface Log {
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  debug(event: string, fields?: LogFields): void;
}

export type LogLevel = 'error' | 'warn' | 'info' | 'debug' | 'silent';

/** Writes JSON lines to standard output: time, level, service, event, correlationId and the fields. */
export function createLog(service: string, level: LogLevel): Log {
  const logger = createLogger({
    silent: level === 'silent',
    level: level === 'silent' ? 'error' : level,
    format: format.printf(({ level: lineLevel, message: event, ...fields }) =>
      JSON.stringify({ time: new Date().toISOString(), level: lineLevel, service, event, ...fields }),
    ),
    transports: [new transports.Console()],
  });
  const write = (lineLevel: Exclude<LogLevel, 'silent'>) => (event: string, fields?: LogFields) => {
    logger.log({ level: lineLevel, message: event, correlationId: correlation.getStore(), ...fields });
  };
  return { info: write('info'), warn: write('warn'), error: write('error'), debug: write('debug') };
}

/**
 * What may be logged of an error: its name, code and stack frames. Not its message: those of the database, parsers and the
 * operating system quote values, which may be personal.
 */
export function describeError(error: unknown): LogFields {
  if (error instanceof Problem) {
    const { detail, path } = error.logged;
    return { code: error.code, detail, path, ...causeOf(error.cause) };
  }
  if (!(error instanceof Error)) return { error: typeof error };
  const { code } = error as { code?: unknown };
  return {
    error: error.name,
    ...(typeof code === 'string' && { errorCode: code }),
    at: stackFrames(error),
  };
}

function causeOf(cause: unknown): LogFields {
  if (cause === undefined) return {};
  const { error, code, errorCode, at } = describeError(cause);
  return { cause: error ?? code, causeCode: errorCode, causeAt: at };
}

/** Without the message, which precedes them: a line of it may look like one. */
function stackFrames({ stack = '', message }: Error): string {
  const at = stack.indexOf(message);
  const afterMessage = at < 0 ? '' : stack.slice(at + message.length);
  const frames = afterMessage.split('\n').filter((line) => /^\s+at /.test(line));
  return frames
    .slice(0, 6)
    .map((line) => line.trim().slice(3))
    .join(' < ');
}
