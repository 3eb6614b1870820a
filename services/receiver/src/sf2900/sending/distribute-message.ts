import { HOUR, SECOND } from '@indbakke/shared/config';
import { announce } from '@indbakke/shared/crash-points';
import { danishDayOf } from '@indbakke/shared/danish-time';
import { Problem } from '@indbakke/shared/errors';
import { cprNumberOf, cvrNumberOf } from '@indbakke/shared/ids';
import { describeError } from '@indbakke/shared/log';
import type { JobContext, JobDefinition } from '@indbakke/shared/queue';
import type { Parts } from '@indbakke/shared/service';
import { z } from 'zod';
import type { DistributionClient } from '../service/client.js';
import type { DocumentParty } from '../service/document.js';
import type { Failure } from '../service/outcome.js';
import { sendObject } from '../service/send-object.js';
import { SftpFault } from '../sftp/faults.js';
import { type SftpSettings, withSftp } from '../sftp/session.js';
import { type OutgoingFile, outgoingFileOf } from './outgoing-file.js';
import { type Distribution, noteFailure, noteUploaded, recordReceipt, takeDistribution } from './rows.js';

const DistributeData = z.object({
  distributionId: z.uuid(),
  municipality: z.string().regex(/^\d{8}$/),
  /** The n-th time that it is due, n of the job id. */
  run: z.int().min(1),
});
export type DistributeData = Readonly<z.infer<typeof DistributeData>>;

/**
 * Why it exists: a rejected message is sent on to another authority (SF2900 2.4, FordelingsobjektAfsend). The row in
 * `onward_distributions` is the outbox, which the request itself writes (sendOn): it is due until Fordelingskomponenten has taken the
 * message, or refused it, or it is given up. The row has the time of the next attempt, so a job makes one.
 */
export const DISTRIBUTE_MESSAGE: JobDefinition<DistributeData> = {
  name: 'distribute-message',
  data: DistributeData,
  idOf: ({ distributionId, run }) => `${distributionId}-${run}`,
  // 1 s + 2 s outlasts a lost connection to the database; after that the sweep takes over.
  attempts: 3,
  backoffMs: SECOND,
  // 1 GiB at 2.4 Mbit/s, as for a file that comes.
  deadlineMs: HOUR,
};

/** After so long, a job may be lost: longer than it may take. */
export const DISTRIBUTION_OVERDUE_SECONDS = 2 * 3_600;

export interface SendingParts extends Pick<Parts, 'store' | 'blobs' | 'keys' | 'log' | 'scanning'> {
  readonly sftp: SftpSettings;
  readonly client: DistributionClient;
  /** Folder of the SFTP server. */
  readonly folder: string;
  /** UUID of this system. */
  readonly systemId: string;
}

/**
 * Puts the file on the SFTP server, and then tells Fordelingskomponenten of it. Returns quietly when that is done already, or this
 * job is of an older run. A retry has the same name of the file and the same transaction, so that it is sent once.
 */
export function createDistributeHandler(parts: SendingParts) {
  const { store, log } = parts;
  return async (data: DistributeData, { signal }: Pick<JobContext, 'signal'>): Promise<void> => {
    const distribution = await takeDistribution(store, data);
    if (!distribution) return;
    const failure = await distribute(parts, distribution, signal);
    if (!failure) return;
    const outcome = await noteFailure(store, distribution, failure);
    const { id: messageId } = distribution.message;
    const { code, status } = failure;
    const faultCodes = failure.faultCodes?.join(' ');
    const noted = { messageId, code, status, faultCodes, attempts: distribution.attempts + 1 };
    if (outcome === 'given-up') log.error('distribution-given-up', noted);
    else log.info('distribution-not-sent', noted);
  };
}

interface SendingFailure extends Partial<Pick<Failure, 'status' | 'faultCodes'>> {
  readonly code: string;
  readonly again: boolean;
}

async function distribute(
  parts: SendingParts,
  distribution: Distribution,
  signal: AbortSignal,
): Promise<SendingFailure | undefined> {
  try {
    const file = await outgoingFileOf(parts, distribution);
    if (distribution.status === 'waiting') await upload(parts, distribution, file, signal);
    const failure = await send(parts, distribution, file);
    return failure && { ...failure, again: true };
  } catch (error) {
    if (error instanceof SftpFault) return { code: signal.aborted ? 'cut' : error.code, again: error.again };
    if (error instanceof Problem && error.code === 'file-held') return { code: error.code, again: true };
    if (error instanceof Problem && CONTENT_FAULTS.has(error.code)) return { code: error.code, again: false };
    if (signal.aborted) return { code: 'cut', again: true };
    parts.log.error('distribution-failed', describeError(error));
    return { code: 'not-sent', again: true };
  }
}

const CONTENT_FAULTS: ReadonlySet<string> = new Set(['content-gone', 'content-damaged', 'file-unsafe']);

async function upload(
  { store, sftp, folder }: SendingParts,
  distribution: Distribution,
  file: OutgoingFile,
  signal: AbortSignal,
): Promise<void> {
  async function* bytes(): AsyncGenerator<Buffer> {
    for await (const each of file.open()) {
      signal.throwIfAborted();
      yield each;
    }
  }
  await withSftp(sftp, (session) => session.upload(folder, nameOf(distribution, file), bytes())).catch((error) => {
    // The name is of this distribution alone, so an attempt before this one has put it there.
    if (!(error instanceof SftpFault && error.code === 'exists')) throw error;
  });
  announce('distribution-uploaded');
  await noteUploaded(store, distribution);
  announce('distribution-noted');
}

const nameOf = ({ distributionId }: Distribution, { extension }: OutgoingFile) => `${distributionId}${extension}`;

/** @returns why it was not sent */
async function send(
  { store, client, systemId }: SendingParts,
  distribution: Distribution,
  file: OutgoingFile,
): Promise<Failure | undefined> {
  const { distributionId, municipality, recipient, kle, message, at } = distribution;
  const facet = distribution.facet ?? undefined;
  const outcome = await sendObject(client, {
    municipality,
    callId: distributionId,
    context: {
      transactionId: distributionId,
      distributionId: undefined,
      sender: municipality,
      municipality: recipient,
      routing: distribution.receiver === null ? { kle, facet } : { actor: distribution.receiver },
    },
    fileName: nameOf(distribution, file),
    document: {
      id: message.id,
      kle,
      facet,
      key: message.id,
      title: message.title,
      description: 'Afvist og sendt videre',
      letterDate: danishDayOf(message.letterAt),
      registeredAt: at,
      systemId,
      file,
      party: partyOf(message),
    },
  });
  announce('distribution-told');
  if (outcome.code !== 'sent' && outcome.code !== 'refused') return outcome;
  const { code, reason } = outcome.receipt;
  await recordReceipt(store, distribution, { kind: 'technical', code, reason });
  return undefined;
}

/** Whom the message concerns, else the person who sent it. */
function partyOf({ concerningId, senderId }: Distribution['message']): DocumentParty | undefined {
  const cpr = cprNumberOf(concerningId ?? '') ?? (concerningId ? undefined : cprNumberOf(senderId ?? ''));
  if (cpr !== undefined) return { kind: 'Person', urn: `urn:oio:cpr-nr:${cpr}` };
  const cvr = cvrNumberOf(concerningId ?? '');
  return cvr === undefined ? undefined : { kind: 'Virksomhed', urn: `urn:oio:cvr-nr:${cvr}` };
}
