import { refusalOf } from '../../testkit/inbox-client.js';
import { type Day, findMessage } from '../day.js';
import { CONFLICTING, MEMOS } from '../memos.js';
import { CASES } from '../people.js';

/** Callers without access to a message do not learn that it exists. */
export async function doorsStayClosed({ story, caseworker, colleague, setup, neighbour }: Day): Promise<void> {
  story.act('Some doors stay closed');
  const message = await findMessage(caseworker, MEMOS.meetingAnswer);
  const file = message.documents[0]?.files[0]?.id ?? '';

  const own = await colleague.list();
  const subjects = own.items.map(({ subject }) => subject);
  story.check(`without SeAlle the colleague sees only her own case, ${CASES.school.caseId}`, subjects, [
    MEMOS.schoolForMother.subject,
  ]);
  story.check('another message does not exist for her', await refusalOf(colleague.read(message.id)), '404 not-found');
  const refusals = [neighbour.read(message.id), neighbour.file(message.id, file), neighbour.zip(message.id)].map(
    refusalOf,
  );
  story.check(
    'nor for another municipality: message, file or zip',
    await Promise.all(refusals),
    Array(3).fill('404 not-found'),
  );
  story.check('its own inbox is empty', (await neighbour.list()).items, []);

  const hers = await findMessage(colleague, MEMOS.schoolForMother);
  const rejection = colleague.reject(hers, {
    reason: 'wrong-department',
    explanation: 'Hører til i en anden afdeling',
  });
  story.check('without the role Afvis the colleague cannot reject it', await refusalOf(rejection), '403 role-missing');
  const held = await findMessage(setup, CONFLICTING, 'held');
  story.check('the held message is visible to set-up only', await refusalOf(caseworker.read(held.id)), '404 not-found');
}
