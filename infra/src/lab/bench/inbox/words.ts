import { Random } from '../../random.js';

/** Words of subjects in this field, the most frequent first. */
const WORDS = `
om underretning barn vedrørende svar til jeres brev skole sag møde børn og familie for oplysninger referat mor far samtale
fra udtalelse henvendelse status bekymring børnehave forældre indkaldelse lærer støtte anmodning rapport afgørelse ansøgning
på undersøgelse børnefaglig udsat opfølgning fravær kommune dagtilbud plejefamilie statusrapport ny aftale anbringelse pædagog
samvær bilag notat sagsbehandler sundhedsplejerske handleplan psykolog politi trivsel netværksmøde mail udredning hjemmet
partshøring aktindsigt fuldmagt samtykke barnets plan kontaktperson aflastning klage bopæl forældremyndighed vold skilsmisse
institution ung unge efterværn sygehus læge henvisning journal skolevægring misbrug alkohol stofmisbrug kriminalitet
bekymringsskrivelse familiebehandling specialskole tilsyn plejeforældre handicap diagnose autisme adhd tabt arbejdsfortjeneste
merudgifter bevilling ophør forlængelse revurdering frist påmindelse rykker kvittering orientering videresendt søskende
bror søster bedsteforældre mormor farmor onkel stedfar stedmor værge advokat bisidder tolk tolkebistand sprog flytning
adresse telefon kontakt ændring aflysning udsættelse afbud ferie sommerferie juleferie weekend efterskole kostskole
gymnasium fritidshjem klub fritid sport svømning transport kørsel taxa cykel bus tøj briefing bidrag økonomi regning
udlæg kvitteringer betaling overførsel konto børnebidrag børnetilskud boligstøtte bolig husleje udsættelsessag krisecenter
kvindekrisecenter herberg akut døgnvagt vagttelefon nat aften morgen eftermiddag uge måned torsdag mandag tirsdag onsdag
fredag lørdag søndag januar februar marts april maj juni juli august september oktober november december
skoleleder inspektør klasselærer klasse matematik dansk læsning ordblind talepædagog logopæd fysioterapeut ergoterapeut
motorik søvn spisning vægt højde vaccination tandlæge tandpleje syn hørelse briller allergi astma medicin epilepsi diabetes
psykiatri børnepsykiatri ungdomspsykiatri angst depression selvskade selvmordstanker spiseforstyrrelse traume sorg krise
dødsfald begravelse barsel graviditet jordemoder fødsel spædbarn tvillinger adoption faderskab navneændring pas statsborgerskab
opholdstilladelse asyl flygtning uledsaget integration danskundervisning praktik job fritidsjob uddannelse vejledning
ungdomsuddannelse produktionsskole fgu erhvervsskole mentor mentorordning støttekontaktperson gruppeforløb forældrekursus
familierådgivning familiehus familiekonsulent socialrådgiver socialtilsyn ankestyrelsen familieretshuset retten dom kendelse
afhøring videoafhøring børnehus overgreb seksuelle krænkelse mobning digital billeder chat internet spil computer
hjemmeundervisning skoleskift klasseskift overgang skolestart indskrivning udmeldelse venteliste pladsanvisning friplads
søskenderabat frokost madordning ernæring hygiejne lus rengøring indeklima støj legeplads tur udflugt lejrskole samarbejde
samarbejdsaftale tværfagligt koordinering overlevering overdragelse afslutning evaluering målsætning delmål indsats forebyggende
tidlig opsporing screening test resultat vurdering kompetencer ressourcer netværk belastning risiko beskyttelse omsorg
omsorgssvigt forsømmelse utryghed konflikt mægling samspil tilknytning udvikling adfærd vredesudbrud hjælp spørgsmål
`
  .trim()
  .split(/\s+/);

/** How many subjects there are; messages take one of them. A power of two. */
export const SUBJECTS = 65_536;
/** In every fourth subject or so. */
export const COMMON_WORD = 'barn';
/** In no subject; `fill` adds it to some messages. */
export const RARE_WORD = 'luftballon';
export const MISSING_WORD = 'sæbekassebil';

/** Subjects of 3 to 8 words whose frequency falls with their rank as in natural language (Zipf and Mandelbrot). */
export function makeSubjects(): string[] {
  const random = new Random(1);
  const weighted = WORDS.flatMap((word, rank) => Array<string>(Math.ceil(4_000 / (rank + 2.7))).fill(word));
  return Array.from({ length: SUBJECTS }, () => {
    const text = Array.from({ length: random.between(3, 8) }, () => random.pick(weighted)).join(' ');
    return text.charAt(0).toUpperCase() + text.slice(1);
  });
}
