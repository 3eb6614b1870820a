/** What a scan for malware says of a file. Only one that is clean, or that nobody scans, may be opened by everybody. */
export const FILE_SCANS = {
  'not-scanned':
    'It came while scanning was off, or the scanner does not answer and the installation lets such files pass.',
  waiting: 'It is being scanned, or waits for the scanner. Nobody may open it.',
  clean: 'Nothing was found.',
  infected: 'Malware was found. It is opened only by Indbakke.UsikreFiler.',
  unscannable: 'It cannot be scanned, such as an encrypted archive. It is opened only by Indbakke.UsikreFiler.',
} as const;
export type FileScan = keyof typeof FILE_SCANS;

/** Why a file cannot be scanned. */
export const UNSCANNABLE = {
  'too-large': 'It is larger than the scanner takes (StreamMaxLength).',
  'limits-exceeded':
    'The scanner gave up inside it: too many files, too deep, too large or too slow (AlertExceedsMax).',
  encrypted: 'It is encrypted (AlertEncrypted).',
  'scanner-error': 'The scanner answered with an error, each time.',
  'no-answer': 'The scanner fell silent or died while it had the file, each time.',
  'content-unreadable': 'Its content here is not what was received.',
} as const;
export type Unscannable = keyof typeof UNSCANNABLE;

/** As the column `scan` of a file has it: `let-pass` was let pass unscanned, and is still to be scanned. null: nobody scans it. */
export type KeptScan = Exclude<FileScan, 'not-scanned'> | 'let-pass' | null;
