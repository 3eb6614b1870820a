import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

// The rivals use the receiver's packages, in its versions; infra does not depend on them.
const fromReceiver = createRequire(fileURLToPath(import.meta.resolve('@indbakke/receiver')));

export const xml2js = fromReceiver('xml2js') as {
  readonly processors: { stripPrefix(name: string): string };
  parseStringPromise(xml: string, options: object): Promise<unknown>;
};

export const soap = fromReceiver('soap') as {
  listen(server: import('node:http').Server, options: object): unknown;
};
