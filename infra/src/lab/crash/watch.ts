import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';
import { CRASH_POINT_CHANNEL, type CrashPointMessage } from '@indbakke/shared/crash-points';
import type { Parts, Service } from '@indbakke/shared/service';
import { Router } from 'express';
import { HARNESS_POINTS, type HarnessPoint, type Point } from './kills.js';

/** Reports every point that the services in this process pass, immediately. */
export class Watch {
  readonly #passed: (point: Point) => void;
  readonly #operation = new AsyncLocalStorage<string>();

  constructor(passed: (point: Point) => void) {
    this.#passed = passed;
    subscribe(CRASH_POINT_CHANNEL, (message) => passed((message as CrashPointMessage).point));
  }

  /** The same parts, watched. */
  parts(parts: Parts): Parts {
    const { store, blobs } = parts;
    return {
      ...parts,
      store: {
        ...store,
        withTenantConnection: (municipality, work) =>
          store.withTenantConnection(municipality, async (connection) => {
            const result = await work(connection);
            // Only intake and suggestions use it, and only intake is a request.
            this.#passed(this.#operation.getStore() === undefined ? 'suggestion-written' : 'message-written');
            return result;
          }),
        withTenant: async (municipality, work) => {
          const operation = this.#operation.getStore() ?? '';
          const result = await store.withTenant(municipality, async (tx) => {
            const done = await work(tx);
            this.#pass(`${operation}-written`);
            return done;
          });
          this.#pass(`${operation}-committed`);
          return result;
        },
      },
      blobs: {
        create: () => blobs.create(),
        remove: (name) => blobs.remove(name),
        list: () => blobs.list(),
        check: () => blobs.check(),
        open: async (name, range) => {
          const reader = await blobs.open(name, range);
          if (this.#operation.getStore() === 'zip') this.#passed('zip-read');
          return reader;
        },
      },
    };
  }

  /** The same service; a request’s operation is the last part of its path. */
  service(service: Service): Service {
    const router = Router();
    router.use((req, _res, next) => this.#operation.run(req.path.split('/').at(-1) ?? '', next));
    router.use(service.router);
    return { ...service, router };
  }

  #pass(point: string): void {
    if (Object.hasOwn(HARNESS_POINTS, point)) this.#passed(point as HarnessPoint);
  }
}
