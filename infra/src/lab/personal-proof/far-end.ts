import type { Env } from '@indbakke/shared/config';
import {
  type Answer,
  answerTo,
  type DistributionCall,
  faultOf,
  type Refusal,
  send,
  serveDistribution,
} from '../../local/distribution/service.js';
import { SYSTEM_ID } from '../../testkit/sending-on.js';
import { type FaultySftpServer, sftpEnv, startFaultySftpServer } from '../../testkit/sftp-server.js';
import type { Plants } from './plants.js';

/** Fordelingskomponenten: its SFTP server, and a service whose first answers to each operation are faults that tell of somebody. */
export interface FarEnd {
  readonly settings: Env;
  readonly sftp: FaultySftpServer;
  close(): Promise<void>;
}

export async function startFarEnd(plants: Plants): Promise<FarEnd> {
  const refusal = (what: string): Refusal => ({
    code: plants.number(`answer of the service: code of ${what}`),
    text: `Vedr. ${plants.word(`answer of the service: text of ${what}`)}`,
  });
  const page = (): Answer => ({ status: 503, body: `<p>${plants.word('answer of the service: page')}</p>` });
  const answers: Readonly<Record<string, ((call: DistributionCall) => Answer)[]>> = {
    FordelingsobjektAfsend: [
      () => faultOf('Client', refusal('a fault of the call')),
      page,
      (call) => answerTo(call, refusal('AFVIST')),
    ],
    FordelingskvitteringModtag: [() => faultOf('Server', refusal('a fault of the service')), page],
  };
  const sftp = await startFaultySftpServer();
  const service = await serveDistribution({
    respond: (call, res) => send(res, (answers[call.operation]?.shift() ?? answerTo)(call)),
  });
  return {
    settings: {
      ...sftpEnv(sftp),
      SF2900_SERVICE_URL: service.url,
      SF2900_RECEIPT_DELAY_SECONDS: '0',
      SF2900_SENDING: 'on',
      SF2900_SYSTEM_ID: SYSTEM_ID,
    },
    sftp,
    async close() {
      await service.close();
      await sftp.close();
    },
  };
}
