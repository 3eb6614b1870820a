import type { ComponentChildren } from 'preact';
import { Title } from '../frame.js';
import { inBoth, useTexts } from '../language.js';
import { Link, type Path } from '../router.js';
import { hasRole } from '../session.js';
import { Absences } from './absences.js';
import { Changes } from './changes.js';
import { COLUMNS } from './columns.js';
import {
  CONTACT_POINT_TEXTS,
  CONTACT_POINTS,
  ContactPoint,
  ContactPointList,
  NewContactPoint,
} from './contact-points.js';
import { DEPARTMENT_TEXTS, DEPARTMENTS, Department, DepartmentList, NewDepartment } from './departments.js';
import { Held } from './held.js';
import { ImportPage } from './import.js';
import { Municipality } from './municipality.js';

const texts = inBoth({
  da: {
    setUp: 'Opsætning',
    municipality: 'Kommunen',
    points: 'Kontaktpunkter',
    departments: 'Adressebog',
    held: 'Tilbageholdt post',
    absences: 'Fravær',
    changes: 'Ændringer',
    notAllowed: 'Opsætningen er for den, der har rollen Indbakke.Opsætning.',
    noSuchPage: 'Siden findes ikke.',
  },
  en: {
    setUp: 'Set-up',
    municipality: 'Municipality',
    points: 'Contact points',
    departments: 'Address book',
    held: 'Held mail',
    absences: 'Absence',
    changes: 'Changes',
    notAllowed: 'The set-up is for who has the role Indbakke.Opsætning.',
    noSuchPage: 'There is no such page.',
  },
});

/** What the municipality has set up. */
export function SetUpPage({ path }: { readonly path: Path }) {
  const own = useTexts(texts);
  if (!hasRole('Indbakke.Opsætning')) {
    return (
      <>
        <Title>{own.setUp}</Title>
        <p>{own.notAllowed}</p>
      </>
    );
  }
  const tab = (to: Path, title: string, isHere: boolean) => (
    <li>
      <Link class="tab" to={to} isHere={isHere}>
        {title}
      </Link>
    </li>
  );
  return (
    <>
      <nav class="set-up-tabs" aria-label={own.setUp}>
        <ul class="no-max-width">
          {tab('/set-up', own.municipality, path === '/set-up')}
          {tab('/set-up/contact-points', own.points, path.includes('contact-point'))}
          {tab('/set-up/departments', own.departments, path.includes('department'))}
          {tab('/set-up/held', own.held, path === '/set-up/held')}
          {tab('/set-up/absences', own.absences, path === '/set-up/absences')}
          {tab('/set-up/changes', own.changes, path === '/set-up/changes')}
        </ul>
      </nav>
      {/* The key: another page begins anew, with the focus on its heading. */}
      <div class="set-up" key={path}>
        <PageOf path={path} />
      </div>
    </>
  );
}

function PageOf({ path }: { readonly path: Path }): ComponentChildren {
  const own = useTexts(texts);
  const points = useTexts(CONTACT_POINT_TEXTS);
  const departments = useTexts(DEPARTMENT_TEXTS);
  const columns = useTexts(COLUMNS);
  const [, point] = /^\/set-up\/contact-points\/([^/]+)$/.exec(path) ?? [];
  const [, department] = /^\/set-up\/departments\/([^/]+)$/.exec(path) ?? [];
  if (point !== undefined) return <ContactPoint id={decodeURIComponent(point)} />;
  if (department !== undefined) return <Department id={decodeURIComponent(department)} />;
  switch (path) {
    case '/set-up':
      return <Municipality />;
    case '/set-up/contact-points':
      return <ContactPointList />;
    case '/set-up/new-contact-point':
      return <NewContactPoint />;
    case '/set-up/import-contact-points':
      return <ImportPage kind={CONTACT_POINTS} own={points} columns={columns.contactPoints} />;
    case '/set-up/departments':
      return <DepartmentList />;
    case '/set-up/new-department':
      return <NewDepartment />;
    case '/set-up/import-departments':
      return <ImportPage kind={DEPARTMENTS} own={departments} columns={columns.departments} />;
    case '/set-up/held':
      return <Held />;
    case '/set-up/absences':
      return <Absences />;
    case '/set-up/changes':
      return <Changes />;
    default:
      return <Title>{own.noSuchPage}</Title>;
  }
}
