import type { DocumentCounts } from '@indbakke/shared/api';
import { useEffect, useState } from 'preact/hooks';
import { call } from '../api.js';
import { inBoth, useTexts } from '../language.js';
import { SESSION } from '../session.js';
import type { Assignment } from './bodies.js';
import { ActionForm, type ActionProps, Choice, TextField } from './form.js';

const texts = inBoth({
  da: {
    title: (count: number) => (count === 1 ? 'Tildel brevet' : `Tildel ${count} breve`),
    submit: 'Tildel',
    whom: 'Hvem skal tage sig af det?',
    user: 'En medarbejder',
    team: 'Et team',
    userId: 'Medarbejderens id',
    teamId: 'Teamets id',
  },
  en: {
    title: (count: number) => (count === 1 ? 'Assign the letter' : `Assign ${count} letters`),
    submit: 'Assign',
    whom: 'Who is to handle it?',
    user: 'A caseworker',
    team: 'A team',
    userId: 'Id of the caseworker',
    teamId: 'Id of the team',
  },
});

/** Whom letters are assigned to. It proposes who has some already, and oneself. */
export function AssignForm({ count, children, onSubmit, ...rest }: ActionProps<Assignment>) {
  const own = useTexts(texts);
  const [kind, setKind] = useState<Assignment['assignee']['kind']>('user');
  const [id, setId] = useState('');
  const known = useKnownAssignees();
  return (
    <ActionForm
      title={own.title(count)}
      submit={own.submit}
      notice={children}
      onSubmit={() => onSubmit({ assignee: { kind, id: id.trim() } })}
      {...rest}
    >
      <Choice
        legend={own.whom}
        name="kind"
        options={[
          ['user', own.user],
          ['team', own.team],
        ]}
        value={kind}
        onChoose={setKind}
      />
      <TextField
        id="assignee"
        label={kind === 'user' ? own.userId : own.teamId}
        value={id}
        onType={setId}
        max={256}
        list="known-assignees"
        isFirst
      />
      <datalist id="known-assignees">
        {known[kind].map((each) => (
          <option key={each} value={each} />
        ))}
      </datalist>
    </ActionForm>
  );
}

/** Without an answer, there is less to choose from. */
function useKnownAssignees(): Readonly<Record<'user' | 'team', readonly string[]>> {
  const [counts, setCounts] = useState<Pick<DocumentCounts, 'assignee' | 'team'>>({ assignee: [], team: [] });
  useEffect(() => {
    const stop = new AbortController();
    call<DocumentCounts>('GET', '/incoming-documents/summary', { signal: stop.signal }).then(setCounts, () => {});
    return () => stop.abort();
  }, []);
  const users = counts.assignee.flatMap(({ id }) => id ?? []);
  const teams = counts.team.map(({ id }) => id);
  return { user: [...new Set([SESSION.id, ...users])], team: [...new Set([...SESSION.teams, ...teams])] };
}
