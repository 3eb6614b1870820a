/** What the page to sign in says. It has no choice of language yet: who signs in for a municipality reads Danish. */
export const TEXTS = {
  title: 'Log ind',
  signedIn: 'Du er logget ind',
  opening: 'Indbakken åbnes',
  goOn: 'Gå til indbakken',
  withIssuer: 'Du logger ind hos din organisation.',
  token: 'Token',
  tokenHint: 'På en lokal installation: start den igen, så skriver den et nyt link, eller lav et token med',
  tooManyFailures:
    'Du blev ikke logget ind, og det er gået galt mange gange fra din adresse. Vent et øjeblik, før du prøver igen.',
  notSignedIn: 'Du blev ikke logget ind. Tokenet eller linket gælder ikke (længere).',
  lacksAssurance: 'Du blev ikke logget ind: login skal ske med et sikrere middel, med to faktorer.',
  fromElsewhere: 'Du blev ikke logget ind: kommunen giver ikke adgang til medarbejdere fra andre myndigheder.',
  noRights: 'Du blev ikke logget ind: du har ingen roller i indbakken, der gælder her.',
  chooseMunicipality: 'Du har roller i flere kommuner. Vælg den, du vil arbejde i.',
  municipality: 'Kommune',
  tooLarge: 'Du blev ikke logget ind: du har flere roller, teams og dataafgrænsninger, end en browser kan huske.',
  choose: 'Vælg, hvem du vil være',
  chooseHint: 'Installationen er lokal, så du kan prøve alle roller.',
  inMunicipality: (cvr: string, isTraining: boolean) => `Kommunen ${cvr}${isTraining ? ' (øvelse)' : ''}`,
  needsScript: 'Siden kræver JavaScript.',
} as const;
