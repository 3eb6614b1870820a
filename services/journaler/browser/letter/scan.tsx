import type { DocumentAnswer } from '@indbakke/shared/api';
import { useEffect, useState } from 'preact/hooks';
import { inBoth, useTexts } from '../language.js';
import { beginToFollow, useChanges } from '../list/changes.js';
import type { LetterFile } from './files.js';

const texts = inBoth({
  da: {
    waiting: (count: number): string =>
      count === 1
        ? 'Filen bliver undersøgt for virus. Den kan åbnes, når det er gjort.'
        : 'Filerne bliver undersøgt for virus. De kan åbnes, når det er gjort.',
    infected: 'Filen indeholder skadelig kode. Åbn den ikke, og kontakt jeres it-sikkerhed.',
    unscannable: 'Filen kunne ikke undersøges for virus.',
    of: {
      waiting: 'bliver undersøgt for virus',
      infected: 'indeholder skadelig kode',
      unscannable: 'kunne ikke undersøges for virus',
    },
    why: {
      'too-large': 'den er for stor',
      'limits-exceeded': 'den er for omfattende',
      encrypted: 'den er krypteret',
      'scanner-error': 'virusscanneren meldte fejl',
      'no-answer': 'virusscanneren svarede ikke',
      'content-unreadable': 'dens indhold er beskadiget',
    } as Readonly<Record<string, string>>,
  },
  en: {
    waiting: (count: number): string =>
      count === 1
        ? 'The file is being scanned for viruses. It can be opened when that is done.'
        : 'The files are being scanned for viruses. They can be opened when that is done.',
    infected: 'The file contains malware. Do not open it, and contact your IT security.',
    unscannable: 'The file could not be scanned for viruses.',
    of: {
      waiting: 'is being scanned for viruses',
      infected: 'contains malware',
      unscannable: 'could not be scanned for viruses',
    },
    why: {
      'too-large': 'it is too large',
      'limits-exceeded': 'there is too much in it',
      encrypted: 'it is encrypted',
      'scanner-error': 'the scanner had an error',
      'no-answer': 'the scanner did not answer',
      'content-unreadable': 'its content is damaged',
    },
  },
});

type Told = 'waiting' | 'infected' | 'unscannable';

/** What keeps a file from being opened by everybody. */
const toldOf = ({ scan }: LetterFile): Told | undefined =>
  scan === 'waiting' || scan === 'infected' || scan === 'unscannable' ? scan : undefined;

/** Whether everybody may open it. */
export const isSafe = (file: LetterFile): boolean => toldOf(file) === undefined;

export const isHeld = ({ documents }: DocumentAnswer): boolean =>
  documents.some(({ files }) => files.some(({ scan }) => scan === 'waiting'));

/** In place of a main document that is not shown: why. */
export function ScanInstead({ files }: { readonly files: readonly LetterFile[] }) {
  const own = useTexts(texts);
  const told = files.map(toldOf);
  if (told.includes('infected')) return <p class="alert alert-error">{own.infected}</p>;
  if (told.includes('unscannable')) return <p class="alert alert-warning">{own.unscannable}</p>;
  return <p class="alert alert-info">{own.waiting(files.length)}</p>;
}

/** Beside the name of a file. */
export function ScanOfFile({ file }: { readonly file: LetterFile }) {
  const own = useTexts(texts);
  const told = toldOf(file);
  if (!told) return null;
  const more = told === 'infected' ? file.scanFinding : own.why[file.scanFinding ?? ''];
  return (
    <span class={told === 'waiting' ? 'quiet' : 'caution'}>
      {' '}
      {own.of[told]}
      {told !== 'waiting' && more && ` (${more})`}
    </span>
  );
}

interface AwaitScanProps {
  readonly id: string;
  readonly onScanned: () => Promise<void>;
}

/** Reads the letter again when its files are scanned, or were just before the feed was followed. */
export function AwaitScan({ id, onScanned }: AwaitScanProps) {
  const [isFollowing, setFollowing] = useState(false);
  useEffect(() => {
    void beginToFollow()
      .then(onScanned)
      .then(() => setFollowing(true));
  }, [id]);
  return isFollowing ? <Follow id={id} onScanned={onScanned} /> : null;
}

function Follow({ id, onScanned }: AwaitScanProps) {
  useChanges(async (events) => {
    // Without events, something may have been missed.
    if (events.length === 0 || events.some(({ messageId }) => messageId === id)) await onScanned();
  });
  return null;
}
