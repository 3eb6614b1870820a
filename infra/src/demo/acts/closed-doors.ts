import { refusalOf } from '../../testkit/inbox-client.js';
import { type Day, findLetter } from '../day.js';
import { CONFLICTING, MEMOS } from '../memos.js';
import { CASES } from '../people.js';

/** Who may not see a letter does not learn that it is there. */
export async function doorsStayClosed({ story, caseworker, colleague, setup, neighbour }: Day): Promise<void> {
  story.act('Some doors stay closed');
  const letter = await findLetter(caseworker, MEMOS.meetingAnswer);
  const file = letter.documents[0]?.files[0]?.id ?? '';

  const own = await colleague.list();
  const subjects = own.items.map(({ subject }) => subject);
  story.check(`without SeAlle the colleague sees case ${CASES.school.caseId}, her own, only`, subjects, [
    MEMOS.schoolForMother.subject,
  ]);
  story.check('another letter does not exist for her', await refusalOf(colleague.read(letter.id)), '404 not-found');
  const refusals = [neighbour.read(letter.id), neighbour.file(letter.id, file), neighbour.zip(letter.id)].map(
    refusalOf,
  );
  story.check(
    'nor for another municipality: neither letter nor file nor zip',
    await Promise.all(refusals),
    Array(3).fill('404 not-found'),
  );
  story.check('whose own inbox is empty', (await neighbour.list()).items, []);

  const hers = await findLetter(colleague, MEMOS.schoolForMother);
  const rejection = colleague.reject(hers, { reason: 'wrong-department' });
  story.check('without the role Afvis the colleague cannot reject it', await refusalOf(rejection), '403 role-missing');
  const held = await findLetter(setup, CONFLICTING, 'held');
  story.check('the held letter is for set-up only', await refusalOf(caseworker.read(held.id)), '404 not-found');
}
