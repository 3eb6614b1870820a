/** What can go wrong with a file on the SFTP server. `again`: whether a retry can succeed. */
export const SFTP_FAULTS = {
  'own-key': { again: true, sentence: 'Our key for the SFTP server cannot be read. See SF2900_SFTP_KEY_FILE.' },
  'cannot-connect': { again: true, sentence: 'The SFTP server does not answer.' },
  'wrong-host-key': {
    again: true,
    sentence:
      'The SFTP server shows another host key than those of SF2900_SFTP_HOST_KEYS: it has a new key, or is another server.',
  },
  'sign-in-refused': { again: true, sentence: 'The SFTP server refuses our user or our key.' },
  cut: { again: true, sentence: 'The connection to the SFTP server was lost, or stood still for too long.' },
  refused: { again: true, sentence: 'The SFTP server refuses us access to the file or its folder.' },
  failed: { again: true, sentence: 'The SFTP server failed.' },
  'wrong-name': {
    again: false,
    sentence: 'The file has a name that is none, or that holds a path or control characters.',
  },
  'name-taken': {
    again: true,
    sentence: 'Several documents wait for a file of the same name, so whose it is cannot be told.',
  },
  'not-there': { again: true, sentence: 'The SFTP server does not have the file, or not yet.' },
  'no-file': {
    again: false,
    sentence: 'What has the name of the file on the SFTP server is a folder, a link or a device.',
  },
  empty: { again: true, sentence: 'The file on the SFTP server is empty, or not written yet.' },
  'too-large': { again: false, sentence: 'The file on the SFTP server is larger than SF2900_MAX_FILE_BYTES.' },
  changed: {
    again: true,
    sentence: 'The file on the SFTP server was changed while it was read, or is not as large as the server says.',
  },
  exists: { again: false, sentence: 'The SFTP server already has a file of that name.' },
  'no-room': { again: true, sentence: 'The SFTP server could not store the file: its disk may be full.' },
} as const satisfies Readonly<Record<string, { readonly again: boolean; readonly sentence: string }>>;

export type SftpFaultCode = keyof typeof SFTP_FAULTS;

const OF_THE_SENDER: ReadonlySet<SftpFaultCode> = new Set<SftpFaultCode>([
  'wrong-name',
  'name-taken',
  'not-there',
  'no-file',
  'empty',
  'too-large',
  'changed',
]);

/** Has no cause: the library's errors hold the name of the file. */
export class SftpFault extends Error {
  readonly code: SftpFaultCode;

  constructor(code: SftpFaultCode) {
    super(SFTP_FAULTS[code].sentence);
    this.name = 'SftpFault';
    this.code = code;
  }

  /** Whether it is ours, or the server’s: the sender of the file cannot mend it. */
  get isOurs(): boolean {
    return !OF_THE_SENDER.has(this.code);
  }

  /** Whether a retry can succeed. */
  get again(): boolean {
    return SFTP_FAULTS[this.code].again;
  }
}

// draft-ietf-secsh-filexfer-02, 7 (the version that servers speak); 14 and 15 are of later drafts.
const FAULT_OF_STATUS: Readonly<Record<string, SftpFaultCode>> = {
  2: 'not-there',
  3: 'refused',
  14: 'no-room',
  15: 'no-room',
};

/** The fault of a library's error: a status that the server answered, or the end of the connection. */
export function faultOf(error: unknown): SftpFault {
  if (error instanceof SftpFault) return error;
  const { code } = error as { readonly code?: string | number };
  return new SftpFault(FAULT_OF_STATUS[code ?? ''] ?? (typeof code === 'number' ? 'failed' : 'cut'));
}
