export const HANDOVER_STATUSES = {
  open: 'The other municipality may take or refuse it.',
  taken: 'The other municipality has a copy; the message here is rejected as handed over.',
  refused: 'The other municipality does not want it; the message here is as it was.',
  withdrawn: 'The offering municipality has withdrawn it.',
  expired: 'Nobody decided in time.',
  void: 'The message was handled otherwise meanwhile, or its case is not the other municipality’s any more.',
} as const;
export type HandoverStatus = keyof typeof HANDOVER_STATUSES;

export const HANDOVER_REFUSALS = {
  'not-our-case': 'The case is not ours.',
  'have-it-already': 'We have, or had, the same message already.',
  other: 'Another reason.',
} as const;
export type HandoverRefusal = keyof typeof HANDOVER_REFUSALS;
