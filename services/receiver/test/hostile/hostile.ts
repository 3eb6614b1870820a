import { writeMemo } from '../../../../infra/src/testkit/write-memo.js';
import type { RawConnection } from '../support/raw-http.js';

/**
 * One hostile file or peer and the answer it must get: `accepted`, the code of the refusal, or what HTTP itself says
 * (`http 400`). Whatever the answer, the process lives on, and nothing but an accepted message is left.
 */
export type Answer = string;

/** A body that is sent as a whole. */
export interface HostileBody {
  readonly body: () => string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  readonly path?: string;
  readonly answer: Answer;
}

/** A peer that plays a script over a connection of its own. It gives the answer that it got. */
export interface HostilePeer {
  readonly play: (connection: RawConnection) => Promise<Answer>;
  readonly answer: Answer;
  /** The answer comes when the receiver has waited long enough (MAX_UPLOAD_SECONDS, or a while after the last byte). */
  readonly waits?: true;
}

export type Hostile = HostileBody | HostilePeer;

/** By its fault. */
export type HostileList = Readonly<Record<string, Hostile>>;

export const MEMO = 'https://DigitalPost.dk/MeMo-1';

/** A letter that is accepted when nothing is done to it. */
export const good = (): string => writeMemo({ subject: 'Emne' }).toString();
export const goodWith = (change: (xml: string) => string, answer: Answer): HostileBody => ({
  body: () => change(good()),
  answer,
});

/** As the letter's subject, written as it is. */
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

/** The bytes in the place of the letter's subject. */
export function bytesInSubject(bytes: readonly number[], answer: Answer): HostileBody {
  return {
    body() {
      const [head = '', tail = ''] = good().split('Emne');
      return Buffer.concat([Buffer.from(head), Buffer.from(bytes), Buffer.from(tail)]);
    },
    answer,
  };
}
