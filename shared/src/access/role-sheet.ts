import { CONSTRAINED_ROLES, ROLES, type Role, uriOf } from './roles.js';

/** What a municipality needs to know to give a role to its people: in Danish, since they read it. */
interface RoleInDanish {
  readonly allows: string;
  /** Which job functions usually have it. */
  readonly jobFunctions: string;
}

const IN_DANISH: Record<Role, RoleInDanish> = {
  'IndkomneDokumenter.Læs': {
    allows:
      'Ser post, der er tildelt en selv eller ens team eller foreslået til en egen sag; også for den, man er stedfortræder for. Følger ændringer i den.',
    jobFunctions: 'Sagsbehandler, teamkoordinator',
  },
  'IndkomneDokumenter.SeAlle': {
    allows: 'Udvider Læs til al post i kommunen, undtagen på sager, der er begrænset til andre.',
    jobFunctions: 'Modtagelse, teamleder, superbruger',
  },
  'IndkomneDokumenter.Journaliser': {
    allows:
      'Journaliserer post på sager og tager en journalisering tilbage. Overtager eller afslår post, som en anden kommune tilbyder.',
    jobFunctions: 'Sagsbehandler, administrativ medarbejder',
  },
  'IndkomneDokumenter.Afvis': {
    allows:
      'Afviser post med en begrundelse, oplyser, hvad der skete med den, genåbner den og sætter post under juridisk bevaring. Tilbyder post på en flyttet sag til den kommune, som har sagen nu.',
    jobFunctions: 'Modtagelse, sagsbehandler',
  },
  'IndkomneDokumenter.SendVidere': {
    allows:
      'Sender afvist post videre til en anden myndighed med Fordelingskomponenten, hvor leverandøren har slået det til.',
    jobFunctions: 'Modtagelse',
  },
  'IndkomneDokumenter.Tildel': {
    allows: 'Tildeler post til en sagsbehandler eller et team.',
    jobFunctions: 'Modtagelse, teamleder',
  },
  'DigitalPost.Slet': {
    allows: 'Sletter afvist post for altid, bekræfter og fortryder sletning, og sætter og ophæver juridisk bevaring.',
    jobFunctions: 'Få betroede medarbejdere',
  },
  'Indbakke.Opsætning': {
    allows:
      'Sætter kommunen, dens kontaktpunkter og adressebog op, kontrollerer, at post kommer frem, og ser tilbageholdt post.',
    jobFunctions: 'Superbruger, lokal administrator',
  },
  'Indbakke.Drift': {
    allows: 'Ser køer, karantæne og tilbageholdt post og handler på dem.',
    jobFunctions: 'Driftsmedarbejder hos leverandøren eller i kommunens it-afdeling',
  },
  'Indbakke.Karantæne': {
    allows: 'Henter leverancer, der ikke kunne læses. De kan indeholde personoplysninger.',
    jobFunctions: 'Få betroede driftsmedarbejdere',
  },
  'Indbakke.System': {
    allows: 'Er fagsystemet selv: registrerer sager og sendte breve og følger alle ændringer.',
    jobFunctions: 'Ingen personer',
  },
  'Indbakke.UsikreFiler': {
    allows:
      'Åbner filer, hvor der er fundet skadelig kode, eller som ikke kunne undersøges for virus, i post, man ellers ser. Hver åbning står i loggen.',
    jobFunctions: 'Få betroede it-sikkerhedsmedarbejdere',
  },
  'Revisionslog.Læs': {
    allows: 'Læser loggen over, hvem der har gjort hvad, og danner en udskrift til en borger.',
    jobFunctions: 'Databeskyttelsesrådgiver, kontrolmedarbejder',
  },
  'Indbakke.Aktindsigt': {
    allows: 'Danner en pakke med al post om en borger, når der er søgt aktindsigt.',
    jobFunctions: 'Medarbejder, der behandler aktindsigt',
  },
};

/** The page for whoever maps job functions to roles, as Markdown. A test keeps docs/roller.md equal to it. */
export function roleSheet(): string {
  const rows = (Object.keys(ROLES) as Role[]).map((role) => {
    const { allows, jobFunctions } = IN_DANISH[role];
    const cells = [
      role,
      `\`${uriOf('<system>', role)}\``,
      allows,
      CONSTRAINED_ROLES.has(role) ? 'KLE, orgenhed, foelsomhed, itsystem' : 'ingen',
      jobFunctions,
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return `# Roller

Til den, der knytter kommunens jobfunktionsroller til brugersystemroller i Fælleskommunalt Administrationsmodul. \`<system>\` er
den adresse, som systemet er registreret med hos KOMBIT. Siden dannes af koden: \`npm run -s municipality -- roles\`.

| rolle | URI | giver ret til | dataafgrænsninger | typiske jobfunktioner |
| --- | --- | --- | --- | --- |
${rows.join('\n')}

En dataafgrænsning holdes op mod det kontaktpunkt, som posten kom til: dets KLE-nummer, organisatoriske enhed, følsomhed og
it-system. Post til et kontaktpunkt, hvor det ikke er angivet, vises kun for den, der ikke er afgrænset.
`;
}
