import type { Role } from '../access/index.js';
import type { Action } from '../audit/index.js';
import { HOUR } from '../config/index.js';
import { danishTime } from '../danish-time/index.js';
import type { LogRow } from './read-log.js';

// The log in plain words, as people in a municipality and citizens read it.

const ACTIONS: Record<Action, string> = {
  accepted: 'Modtog brevet',
  held: 'Modtog brevet og holdt det tilbage',
  released: 'Frigav brevet til indbakken',
  journalized: 'Journaliserede brevet på en sag',
  'taken-back': 'Tog journaliseringen tilbage',
  rejected: 'Afviste brevet',
  reopened: 'Genåbnede brevet',
  'outcome-told': 'Oplyste, hvad der skete med det afviste brev',
  deleted: 'Slettede brevet',
  assigned: 'Tildelte brevet til en medarbejder eller et team',
  unassigned: 'Fjernede tildelingen af brevet',
  answered: 'Svarede på brevet',
  'answer-withdrawn': 'Lod et brev ikke længere være svar på brevet',
  'answer-delivery-told': 'Registrerede, om svaret på brevet nåede frem',
  suggested: 'Foreslog en sag til brevet',
  'taken-over': 'Overtog brevet fra en anden kommune',
  'handover-offered': 'Tilbød brevet til den kommune, som sagen er flyttet til',
  'handover-withdrawn': 'Trak tilbuddet om brevet tilbage',
  'handover-refused': 'Registrerede, at den anden kommune ikke vil have brevet',
  'handover-expired': 'Lod tilbuddet om brevet udløbe',
  'content-removed': 'Fjernede brevets indhold efter kommunens frist',
  'cause-changed': 'Holdt brevet tilbage af en anden grund',
  escalated: 'Gjorde en anden opmærksom på det tilbageholdte brev',
  'deletion-requested': 'Bad om at få brevet slettet, hvis en anden bekræfter det',
  'deletion-scheduled': 'Satte brevet til sletning',
  'deletion-confirmed': 'Bekræftede, at brevet skal slettes, og satte det til sletning',
  'deletion-cancelled': 'Fortrød sletningen af brevet',
  'legal-hold-set': 'Satte brevet under juridisk bevaring, så det ikke må slettes',
  'legal-hold-lifted': 'Ophævede den juridiske bevaring af brevet',
  'concern-marked': 'Markerede brevet som mulig underretning',
  'concern-unmarked': 'Fjernede markeringen som mulig underretning',
  'concern-assessed': 'Vurderede den mulige underretning',
  'concern-confirmed': 'Bekræftede modtagelsen over for underretteren',
  read: 'Åbnede brevet',
  'read-file': 'Åbnede en fil i brevet',
  'read-text': 'Læste brevets tekst',
  'read-zip': 'Hentede brevet med filer',
  'zip-created': 'Bestilte en zip-fil med flere breve',
  'zip-downloaded': 'Hentede en zip-fil med flere breve',
  'zip-cancelled': 'Afbrød dannelsen af en zip-fil med flere breve',
  'zip-deleted': 'Fjernede en zip-fil med flere breve',
  list: 'Så en liste over breve',
  search: 'Søgte efter breve',
  'list-ids': 'Hentede en liste over breves numre',
  'export-began': 'Begyndte at hente en liste over breve',
  exported: 'Hentede en liste over breve',
  'extract-created': 'Oprettede et fast udtræk',
  'extract-deleted': 'Slettede et fast udtræk',
  'extract-made': 'Dannede en fil af et fast udtræk',
  'read-extract': 'Hentede en fil af et fast udtræk',
  'sent-message-registered': 'Registrerede en sendt meddelelse',
  'reply-set-up': 'Gjorde en meddelelse klar til at blive sendt',
  'case-registered': 'Registrerede en sag',
  'municipality-changed': 'Ændrede kommunens opsætning',
  'contact-point-added': 'Oprettede et kontaktpunkt',
  'contact-point-changed': 'Ændrede et kontaktpunkt',
  'contact-point-removed': 'Fjernede et kontaktpunkt',
  'department-added': 'Oprettede en afdeling i adressebogen',
  'department-changed': 'Ændrede en afdeling i adressebogen',
  'department-removed': 'Fjernede en afdeling fra adressebogen',
  'training-reset': 'Satte kommunen til øvelse til at få frisk post',
  'contact-point-check-started': 'Begyndte at kontrollere et kontaktpunkt',
  'absence-set': 'Gav en medarbejder en stedfortræder',
  'absence-removed': 'Fjernede en medarbejders stedfortræder',
  'webhook-created': 'Oprettede en webhook',
  'webhook-changed': 'Ændrede en webhook',
  'webhook-deleted': 'Slettede en webhook',
  'webhook-secret-made': 'Gav en webhook en ny nøgle',
  'webhook-redelivered': 'Sendte hændelser til en webhook igen',
  'webhook-disabled': 'Slog en webhook fra, som ikke svarede',
  'log-searched': 'Søgte i loggen',
  'log-exported': 'Hentede et udtræk af loggen',
  'log-sheet-made': 'Dannede en udskrift af loggen',
  'package-created': 'Bestilte en pakke til aktindsigt',
  'package-made': 'Dannede en pakke til aktindsigt',
  'read-package': 'Lagde brevet i en pakke til aktindsigt',
  'package-downloaded': 'Hentede en pakke til aktindsigt',
  'package-deleted': 'Slettede en pakke til aktindsigt',
  'handover-received': 'Modtog et tilbud om et brev fra en anden kommune',
  'offer-refused': 'Afslog et tilbud om et brev fra en anden kommune',
  'handover-lapsed': 'Registrerede, at et tilbud om et brev er bortfaldet',
  'handovers-listed': 'Så en liste over tilbud om breve mellem kommuner',
  'quarantine-listed': 'Så listen over leverancer i karantæne',
  'quarantine-downloaded': 'Hentede en leverance i karantæne',
  'quarantine-accepted': 'Lod en leverance i karantæne kvittere',
  'quarantine-refused': 'Lod en leverance i karantæne afvise igen',
  'quarantine-removed': 'Slettede en leverance i karantæne',
  scrubbed: 'Rensede databasen for rester af det slettede',
  restored: 'Gendannede databasen fra en sikkerhedskopi',
  'ledger-accepted': 'Godkendte en afvigelse i den daglige opgørelse',
  'scrub-started': 'Startede en rensning af databasen',
  'job-retried': 'Satte et fejlet job i gang igen',
  'jobs-retried': 'Satte alle fejlede job af én slags i gang igen',
  'job-promoted': 'Satte et udsat job forrest',
  'job-removed': 'Fjernede et job fra sin kø',
  refused: 'Fik afslag',
};

const FUNCTIONS: Record<Role, string> = {
  'IndkomneDokumenter.Læs': 'medarbejder, ser egne breve',
  'IndkomneDokumenter.SeAlle': 'medarbejder, ser alle breve',
  'IndkomneDokumenter.Journaliser': 'medarbejder, journaliserer',
  'IndkomneDokumenter.Afvis': 'medarbejder, afviser',
  'IndkomneDokumenter.Tildel': 'medarbejder, fordeler post',
  'DigitalPost.Slet': 'medarbejder, sletter',
  'Indbakke.Opsætning': 'administrator',
  'Indbakke.Drift': 'drift',
  'Indbakke.Karantæne': 'drift, henter fra karantæne',
  'Indbakke.System': 'fagsystem',
  'Revisionslog.Læs': 'læser loggen',
  'Indbakke.Aktindsigt': 'medarbejder, aktindsigt',
};

const SYSTEMS: Readonly<Record<string, string>> = {
  serviceplatformen: 'Digital Post (automatisk)',
  indbakke: 'Indbakke (automatisk)',
};

const REFUSALS: Readonly<Record<string, string>> = {
  'role-missing': 'manglede en rettighed',
  'not-found': 'måtte ikke se det, eller det fandtes ikke',
};

/** `Åbnede en fil i brevet`; a refusal with its reason. */
export function deedOf({ action, result }: LogRow): string {
  return result === 'done' ? ACTIONS[action] : `${ACTIONS[action]}: ${REFUSALS[result] ?? result}`;
}

/** Who did it: id and function, and for whom. */
export function doerOf({ actor, role }: LogRow): string {
  const system = actor.kind === 'system' ? SYSTEMS[actor.id] : undefined;
  const known = FUNCTIONS[role as Role];
  const who = system ?? (known ? `${actor.id} (${known})` : actor.id);
  return actor.onBehalfOf === null ? who : `${who}, for ${actor.onBehalfOf}`;
}

/** Which letter: by its dates and id. */
export function letterOf({ messageId, receivedAt, letterAt }: LogRow): string {
  if (messageId === null) return '';
  const received = receivedAt ? `modtaget ${dateOf(receivedAt)}` : '';
  const dated = letterAt ? `dateret ${dateOf(letterAt)}` : '';
  return [received, dated, messageId].filter((part) => part !== '').join(', ');
}

/** `02-11-2026 09:12:00`, in Danish time; of the hour that clocks show twice, the second one with `(vintertid)`. */
export function timeOf(at: Date): string {
  const shown = danishTime(at);
  const [day = '', time = ''] = shown.split(' ');
  const isAgain = danishTime(new Date(at.getTime() - HOUR)) === shown;
  return `${day.split('-').reverse().join('-')} ${time}${isAgain ? ' (vintertid)' : ''}`;
}

const dateOf = (at: Date) => timeOf(at).slice(0, 10);
