/** Where Redis, or what knows of it, is: redis://user:password@host:6379/0. TLS with rediss; several hosts with commas between. */
export interface RedisUrl {
  readonly isSecure: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** At least one. */
  readonly hosts: readonly RedisHost[];
  readonly database: number | undefined;
}

export interface RedisHost {
  readonly host: string;
  readonly port: number | undefined;
}

const REDIS_URL =
  /^(?<scheme>rediss?):\/\/(?:(?<username>[^@:/?#]*)(?::(?<password>[^@/?#]*))?@)?(?<hosts>[^@/?#]+)(?:\/(?<database>\d{0,5}))?$/;
const HOST = /^(?:\[(?<address>[\da-f:.]+)\]|(?<name>[\w.-]+))(?::(?<port>\d{1,5}))?$/i;

/** @returns undefined when it is none */
export function readRedisUrl(text: string): RedisUrl | undefined {
  const { scheme, username, password, hosts = '', database } = REDIS_URL.exec(text)?.groups ?? {};
  const read = hosts.split(',').map((host) => readHost(host.trim()));
  if (scheme === undefined || read.includes(undefined)) return undefined;
  try {
    return {
      isSecure: scheme === 'rediss',
      username: username ? decodeURIComponent(username) : undefined,
      password: password ? decodeURIComponent(password) : undefined,
      hosts: read.filter((host) => host !== undefined),
      database: database ? Number(database) : undefined,
    };
  } catch {
    return undefined; // a % that is not of a percent-encoded character
  }
}

function readHost(text: string): RedisHost | undefined {
  const { address, name, port } = HOST.exec(text)?.groups ?? {};
  const host = address ?? name;
  return host === undefined ? undefined : { host, port: port ? Number(port) : undefined };
}
