import type { DepartmentAnswer } from '@indbakke/shared/api';
import { ApiError, call } from '../api.js';
import { inBoth, useTexts } from '../language.js';
import { EditEntryPage, type EntryKind, EntryListPage, NewEntryPage } from './entries.js';
import { Checkbox, TextField } from './fields.js';
import { useWords } from './labels.js';
import { isOn, textIn, textOf, textOrNull, type Values } from './values.js';

export const DEPARTMENT_TEXTS = inBoth({
  da: {
    title: 'Adressebog',
    intro: 'De afdelinger, som afvist post kan sendes videre til.',
    add: 'Ny afdeling',
    addTitle: 'Ny afdeling',
    import: 'Indlæs fra CSV eller Excel',
    importTitle: 'Indlæs afdelinger',
    none: 'Der er ingen afdelinger endnu.',
    added: 'Afdelingen er oprettet.',
    removed: (name: string) => `Afdelingen ${name} er fjernet.`,
    remove: 'Fjern afdelingen',
    askRemove: (name: string) => `Skal ${name} fjernes? Breve, der er sendt videre til den, viser stadig navnet.`,
    saved: 'Gemt.',
    on: 'aktiv',
    off: 'ikke aktiv',
    state: 'Tilstand',
    idHint: '1 til 64 bogstaver fra a til z, cifre, - og _, for eksempel teknik-og-miljoe.',
    activeHint: 'Post kan sendes videre til den.',
    noteHint: 'Hvad afdelingen tager, eller hvordan den vil have det.',
  },
  en: {
    title: 'Address book',
    intro: 'The departments where rejected mail can be sent on to.',
    add: 'New department',
    addTitle: 'New department',
    import: 'Import from CSV or Excel',
    importTitle: 'Import departments',
    none: 'There are no departments yet.',
    added: 'The department is added.',
    removed: (name) => `The department ${name} is removed.`,
    remove: 'Remove the department',
    askRemove: (name) => `Remove ${name}? Letters that were sent on to it still show its name.`,
    saved: 'Saved.',
    on: 'active',
    off: 'not active',
    state: 'State',
    idHint: '1 to 64 letters from a to z, digits, - and _, such as teknik-og-miljoe.',
    activeHint: 'Mail can be sent on to it.',
    noteHint: 'What the department takes, or how it wants it.',
  },
});

const valuesOf = (department: Omit<DepartmentAnswer, 'id' | 'version'>): Values => ({
  name: department.name,
  email: textOf(department.email),
  phone: textOf(department.phone),
  address: textOf(department.address),
  note: textOf(department.note),
  isActive: department.isActive,
});

const bodyOf = (values: Values) => ({
  name: textIn(values, 'name'),
  email: textOrNull(values, 'email'),
  phone: textOrNull(values, 'phone'),
  address: textOrNull(values, 'address'),
  note: textOrNull(values, 'note'),
  isActive: isOn(values, 'isActive'),
});

export const DEPARTMENTS: EntryKind<DepartmentAnswer> = {
  name: 'department',
  path: '/departments',
  of: 'department',
  empty: { id: '', ...valuesOf({ name: '', email: null, phone: null, address: null, note: null, isActive: true }) },
  valuesOf,
  bodyOf,
};

export function DepartmentList() {
  const own = useTexts(DEPARTMENT_TEXTS);
  const { fields } = useWords();
  return (
    <EntryListPage
      kind={DEPARTMENTS}
      own={own}
      intro={own.intro}
      headings={[fields.name ?? '', fields.email ?? '', fields.phone ?? '', own.state, fields.id ?? '']}
      cells={({ id, email, phone, isActive }) => [
        email ?? '–',
        phone ?? '–',
        isActive ? own.on : <strong>{own.off}</strong>,
        <code class="id" key="id">
          {id}
        </code>,
      ]}
    />
  );
}

export function NewDepartment() {
  const own = useTexts(DEPARTMENT_TEXTS);
  return (
    <NewEntryPage kind={DEPARTMENTS} own={own}>
      <TextField name="id" hint={own.idHint} isRequired />
      <DepartmentFields />
    </NewEntryPage>
  );
}

/** The API has no call for one: the address book is short. */
async function readDepartment(id: string): Promise<DepartmentAnswer> {
  const { items } = await call<{ items: DepartmentAnswer[] }>('GET', '/departments');
  const found = items.find((each) => each.id === id);
  if (!found) throw new ApiError({ code: 'not-found' });
  return found;
}

export function Department({ id }: { readonly id: string }) {
  const own = useTexts(DEPARTMENT_TEXTS);
  return (
    <EditEntryPage
      kind={DEPARTMENTS}
      own={own}
      id={id}
      read={() => readDepartment(id)}
      savedText={own.saved}
      fields={() => <DepartmentFields />}
    />
  );
}

function DepartmentFields() {
  const own = useTexts(DEPARTMENT_TEXTS);
  return (
    <>
      <TextField name="name" isRequired />
      <TextField name="email" />
      <TextField name="phone" />
      <TextField name="address" />
      <TextField name="note" hint={own.noteHint} isLong />
      <Checkbox name="isActive" hint={own.activeHint} />
    </>
  );
}
