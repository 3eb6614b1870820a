import { BIG_MEMO_BYTES } from '../testkit/big-memo.js';
import { advertisementIsDeleted } from './acts/advertisement-is-deleted.js';
import { bigMemoArrives } from './acts/big-memo-arrives.js';
import { caseworkerJournalizes } from './acts/caseworker-journalizes.js';
import { doorsStayClosed } from './acts/closed-doors.js';
import { coreRegisters } from './acts/core-registers.js';
import { endOfTheDay } from './acts/end-of-the-day.js';
import { messagesArrive } from './acts/messages-arrive.js';
import { repliesFindTheirCase } from './acts/replies-find-their-case.js';
import { schoolDistributes } from './acts/school-distributes.js';
import { openDay } from './day.js';
import { withOwnStack } from './own-stack.js';
import { MUNICIPALITY } from './people.js';
import { runDay } from './run-day.js';
import { Story } from './story.js';

const story = new Story();

/** A day in a municipality, on a new stack that is removed at the end. */
process.exitCode = await runDay(story, async (signal) => {
  story.begin(`A day in ${MUNICIPALITY.name}. Creating a database takes a few seconds.`);
  return withOwnStack(signal, async (stack) => {
    const day = await openDay(story, stack);

    await coreRegisters(day);
    await messagesArrive(day);
    const { seconds } = await bigMemoArrives(day);
    await repliesFindTheirCase(day);
    await caseworkerJournalizes(day);
    await doorsStayClosed(day);
    await advertisementIsDeleted(day);
    const documents = await schoolDistributes(day);
    const { sent, accepted, held, duplicates, refused } = await endOfTheDay(day, documents);

    return [
      `${sent} messages sent, ${accepted} accepted, ${held} held, ${duplicates} duplicates, ${refused} refused`,
      `${documents.length} documents from Fordelingskomponenten`,
      `${BIG_MEMO_BYTES} bytes in ${seconds} s`,
      'zip equal',
      'deleted for good',
    ];
  });
});
