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
        withTenantConnection: async (municipality, work) => {
          const operation = this.#operation.getStore();
          const name = operation === undefined ? 'suggestion' : isDelivery(operation) ? 'message' : operation;
          const result = await store.withTenantConnection(municipality, async (connection) => {
            const done = await work(connection);
            this.#pass(`${name}-written`);
            return done;
          });
          this.#pass(`${name}-committed`);
          return result;
        },
      },
      blobs: {
        create: () => blobs.create(),
        remove: (name) => blobs.remove(name),
        discard: (name) => blobs.discard(name),
        list: () => blobs.list(),
        free: () => blobs.free(),
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

/** By the last part of its path. */
function isDelivery(operation: string): boolean {
  return operation === 'PostModtag' || operation === 'soap';
}
