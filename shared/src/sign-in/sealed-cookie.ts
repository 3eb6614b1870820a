import type { CookieOptions, Request, Response } from 'express';
import { z } from 'zod';
import { currentTime } from '../clock/index.js';
import { SECOND } from '../config/index.js';
import { Problem } from '../errors/index.js';
import { publicPrefixOf, publicUrlOf } from '../http/index.js';
import { type KeyRing, openText, sealText } from '../keys/index.js';

export interface SealedCookieOptions<Value> {
  readonly name: string;
  readonly value: z.ZodType<Value>;
  /** Below the prefix that a proxy takes away. */
  readonly path: string;
  readonly seconds: number;
  /** Lax only where another site leads back here, as when an issuer has signed somebody in. */
  readonly sameSite: 'strict' | 'lax';
}

// RFC 6265bis, 5.6: browsers drop a cookie whose name and value are longer, without a word.
const MAX_COOKIE = 4_096;

const Sealed = z.object({ value: z.unknown(), until: z.number() });

/** What a browser keeps for us, sealed under the key ring, until its time is over: nothing of it is in the database. */
export class SealedCookie<Value> {
  readonly #keys: KeyRing;
  readonly #options: SealedCookieOptions<Value>;

  constructor(keys: KeyRing, options: SealedCookieOptions<Value>) {
    this.#keys = keys;
    this.#options = options;
  }

  /**
   * @param until ends it sooner
   * @throws Problem too-large when a browser would not keep it
   */
  set(req: Request, res: Response, value: Value, until = Number.POSITIVE_INFINITY): void {
    const { name, seconds } = this.#options;
    const ends = Math.min(until, currentTime().getTime() + seconds * SECOND);
    const sealed = sealText(this.#keys, this.#purpose, JSON.stringify({ value, until: ends }));
    if (name.length + sealed.length > MAX_COOKIE) {
      throw new Problem('too-large', 'A browser cannot keep a cookie of so many roles, teams and data constraints.');
    }
    res.cookie(name, sealed, { ...this.#attributes(req), expires: new Date(ends) });
  }

  /** Undefined when the browser sent none, or one that was not sealed here, or whose time is over. */
  read(req: Request): Value | undefined {
    const { name } = this.#options;
    const sent = (req.get('cookie') ?? '').split(/;\s*/).find((each) => each.startsWith(`${name}=`));
    if (sent === undefined) return undefined;
    try {
      const sealed = openText(this.#keys, this.#purpose, sent.slice(name.length + 1));
      const { value, until } = Sealed.parse(JSON.parse(sealed));
      return currentTime().getTime() < until ? this.#options.value.parse(value) : undefined;
    } catch {
      return undefined;
    }
  }

  clear(req: Request, res: Response): void {
    res.clearCookie(this.#options.name, this.#attributes(req));
  }

  get #purpose(): string {
    return `cookie ${this.#options.name}`;
  }

  #attributes(req: Request): CookieOptions {
    const { path, sameSite } = this.#options;
    const secure = publicUrlOf(req).startsWith('https:');
    return { httpOnly: true, path: publicPrefixOf(req) + path, sameSite, secure };
  }
}
