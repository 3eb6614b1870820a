import { currentTime } from '@indbakke/shared/clock';
import { DAY, MINUTE, SECOND } from '@indbakke/shared/config';
import { observe } from '@indbakke/shared/metrics';
import { countDifferences, readAges } from './ledger/differences.js';
import { remembered } from './remembered.js';
import { readCertificates } from './sections/certificates.js';
import { readCopies } from './sections/copies.js';
import { readFileFetches } from './sections/files.js';
import { readMasterKeys } from './sections/keys.js';
import { readLastReceipt } from './sections/mail.js';
import { readOutages } from './sections/outages.js';
import { readRefusedOften } from './sections/refusals.js';
import { readRoom } from './sections/room.js';
import type { OperationsParts } from './sections/section.js';
import type { Silent } from './sections/silence.js';

const SERVICES = ['receiver', 'journaler', 'archiver', 'operations'];

type Watched = Pick<OperationsParts, 'store' | 'blobs' | 'keys' | 'metrics' | 'config' | 'silence'>;

/** What concerns the installation as a whole. */
export function observeInstallation(parts: Watched): void {
  const { store, config, metrics } = parts;

  const copies = remembered(SECOND, () => readCopies(parts));
  observe(
    metrics,
    'copies',
    'Processes by service: running, or lost without another in their place',
    ['service', 'state'],
    async () => {
      const all = await copies();
      return SERVICES.flatMap((service) =>
        (['running', 'lost'] as const).map((state) => {
          const those = all.filter((copy) => copy.state === state && copy.services.includes(service));
          return [{ service, state }, those.length] as const;
        }),
      );
    },
  );
  observe(metrics, 'versions', 'Different versions among the running processes', [], async () => {
    const running = (await copies()).filter(({ state }) => state === 'running');
    return new Set(running.map(({ version }) => version)).size;
  });
  observe(metrics, 'outage_seconds', 'For how long no receiver could store messages; 0 when one can', [], async () => {
    const [newest] = await readOutages(parts, 1);
    return newest && newest.until === null ? (currentTime().getTime() - newest.from.getTime()) / SECOND : 0;
  });
  observe(
    metrics,
    'accepted_age_seconds',
    'Time since a delivery got a receipt; none when none ever did',
    [],
    async () => {
      const at = await readLastReceipt(parts);
      return at && (currentTime().getTime() - at.getTime()) / SECOND;
    },
  );
  observe(
    metrics,
    'silent',
    'Municipalities and contact points that nothing has come to for far longer than usual',
    ['what'],
    async () => {
      const silent = await parts.silence();
      const count = (is: (each: Silent) => boolean) => silent.filter(is).length;
      return [
        [{ what: 'municipalities' }, count(({ contactPointId }) => contactPointId === null)],
        [{ what: 'contact-points' }, count(({ contactPointId }) => contactPointId !== null)],
      ];
    },
  );
  observe(metrics, 'refused_often', 'Ids that are refused again and again, and are not here', [], async () => {
    return (await readRefusedOften(parts, config.QUARANTINE_LOOP_AFTER)).length;
  });
  observe(
    metrics,
    'suggestion_waiting_seconds',
    'Age of the oldest message that waits for its suggestion run; 0 when none does',
    [],
    async () => {
      const [row] = await store.sweep<{ age: number }>(
        `SELECT coalesce(extract(epoch FROM now() - min(received_at)), 0)::float8 AS age
       FROM messages JOIN municipalities ON cvr = municipality
       WHERE suggestion_run_at IS NULL AND status = 'pending' AND NOT is_training`,
      );
      return row?.age;
    },
  );

  const files = remembered(SECOND, () => readFileFetches(store));
  observe(
    metrics,
    'files_on_their_way',
    'Files of documents from Fordelingskomponenten: waiting, stored (not removed at the far end), or given-up while the document waits',
    ['state'],
    async () => (await files()).map(({ status, count }) => [{ state: status }, count] as const),
  );
  observe(
    metrics,
    'file_waiting_seconds',
    'Since the file was promised that has been waited for longest; 0 when none is',
    [],
    async () => (await files()).find(({ status }) => status === 'waiting')?.oldestSeconds ?? 0,
  );

  observe(
    metrics,
    'ledger_differences',
    'What is not as the ledger says and nobody has accepted, by kind',
    ['kind'],
    async () => Object.entries(await countDifferences(parts)).map(([kind, count]) => [{ kind }, count] as const),
  );
  const ages = remembered(SECOND, () => readAges(parts));
  observe(
    metrics,
    'ledger_age_seconds',
    'Since the last line of the ledger was made; none when there is none yet',
    [],
    async () => (await ages()).made ?? undefined,
  );
  observe(
    metrics,
    'ledger_unread_seconds',
    'For how long the content of some day has not been compared with its hashes; it is within 30 days',
    [],
    async () => (await ages()).unread ?? undefined,
  );

  const room = remembered(SECOND, () => readRoom(parts, config.DATABASE_MAX_BYTES));
  observe(
    metrics,
    'room_bytes',
    'content-free: what the content store has left, where that is known; database: what the database takes',
    ['what'],
    async () => {
      const { content, database } = await room();
      const sizes = [
        ['content-free', content.freeBytes],
        ['database', database.bytes],
      ] as const;
      return sizes.flatMap(([what, bytes]) => (bytes === undefined ? [] : [[{ what }, bytes] as const]));
    },
  );
  observe(
    metrics,
    'full_in_days',
    'When it is full if it grows as in the last week; none when it does not grow',
    ['what'],
    async () => {
      const { content, database } = await room();
      const days = [
        ['content', content.fullInDays],
        ['database', database.fullInDays],
      ] as const;
      return days.flatMap(([what, left]) => (left === undefined ? [] : [[{ what }, left] as const]));
    },
  );
  observe(metrics, 'master_key_age_days', 'Days since the current master key was first used', [], async () => {
    const current = (await readMasterKeys(parts)).find(({ state }) => state === 'current');
    return current?.firstAt ? (currentTime().getTime() - current.firstAt.getTime()) / DAY : undefined;
  });
  const certificates = remembered(MINUTE, () => readCertificates(config.WATCH_CERTIFICATES ?? []));
  observe(
    metrics,
    'certificate_days_left',
    'Days that a certificate of WATCH_CERTIFICATES is still valid',
    ['file'],
    async () =>
      (await certificates()).flatMap(({ file, daysLeft }) =>
        daysLeft === undefined ? [] : [[{ file }, daysLeft] as const],
      ),
  );
  observe(
    metrics,
    'certificate_unreadable',
    '1 when a file of WATCH_CERTIFICATES cannot be read as a certificate',
    ['file'],
    async () => (await certificates()).map(({ file, daysLeft }) => [{ file }, Number(daysLeft === undefined)] as const),
  );
}
