import { writeMemo } from '../../../../infra/src/testkit/write-memo.js';
import type { RawConnection } from '../support/raw-http.js';

/**
 * The answer to a hostile file or peer: `accepted`, the code of the refusal, or the bare HTTP status (`http 400`).
 */
export type Answer = string;

export interface HostileBody {
  readonly body: () => string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  readonly path?: string;
  readonly answer: Answer;
}

/** A peer that runs a script on a connection of its own and returns the answer. */
export interface HostilePeer {
  readonly play: (connection: RawConnection) => Promise<Answer>;
  readonly answer: Answer;
  /** The answer comes only after a timeout of the receiver. */
  readonly waits?: true;
}

export type Hostile = HostileBody | HostilePeer;

/** By its fault. */
export type HostileList = Readonly<Record<string, Hostile>>;

export const MEMO = 'https://DigitalPost.dk/MeMo-1';

/** A message that is accepted as it is. */
export const good = (): string => writeMemo({ subject: 'Emne' }).toString();
export const goodWith = (change: (xml: string) => string, answer: Answer): HostileBody => ({
  body: () => change(good()),
  answer,
});

/** As the subject, unescaped. */
export const subject = (written: string, answer: Answer) =>
  goodWith((xml) => xml.replace('Emne', () => written), answer);

/** Before the root element, after the declaration. */
export const prolog = (written: string, answer: Answer) =>
  goodWith((xml) => xml.replace('<memo:Message ', () => `${written}<memo:Message `), answer);

/** Among the elements of the header. */
export const inHeader = (written: string, answer: Answer) =>
  goodWith((xml) => xml.replace('<memo:Sender>', () => `${written}<memo:Sender>`), answer);

/** As an attribute of the root. */
export const onRoot = (written: string, answer: Answer) =>
  goodWith((xml) => xml.replace(' memoVersion=', () => ` ${written} memoVersion=`), answer);

/** As the text of the only file. */
export const content = (written: string, answer: Answer) =>
  goodWith((xml) => xml.replace(/(<memo:content>)[^<]*/, (_, tag: string) => tag + written), answer);

/** Bytes in place of the subject. */
export function bytesInSubject(bytes: readonly number[], answer: Answer): HostileBody {
  return {
    body() {
      const [head = '', tail = ''] = good().split('Emne');
      return Buffer.concat([Buffer.from(head), Buffer.from(bytes), Buffer.from(tail)]);
    },
    answer,
  };
}
