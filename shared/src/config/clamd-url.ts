/** Where clamd listens: the argument of net.connect. */
export type ClamdAddress = { readonly host: string; readonly port: number } | { readonly path: string };

/** @returns undefined when it is neither tcp://host:port nor unix:/path */
export function readClamdUrl(text: string): ClamdAddress | undefined {
  if (!URL.canParse(text)) return undefined;
  const { protocol, hostname, port, pathname, host, username, search, hash } = new URL(text);
  if (username !== '' || search !== '' || hash !== '') return undefined;
  if (protocol === 'unix:') return host === '' && pathname.length > 1 ? { path: decodeURI(pathname) } : undefined;
  if (protocol !== 'tcp:' || hostname === '' || port === '' || !['', '/'].includes(pathname)) return undefined;
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) };
}
