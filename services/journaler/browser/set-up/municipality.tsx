import type { MunicipalityAnswer } from '@indbakke/shared/api';
import { useContext, useState } from 'preact/hooks';
import { call } from '../api.js';
import { Title } from '../frame.js';
import { inBoth, useLanguage, useTexts } from '../language.js';
import { Edit } from './edit.js';
import { Checkbox, ChoiceField, FormContext, PersonField, TextField } from './fields.js';
import { useWords } from './labels.js';
import { isOn, numberIn, personIn, personValues, textIn, textOf, textOrNull, type Values } from './values.js';

const texts = inBoth({
  da: {
    title: 'Kommunens indstillinger',
    of: (name: string, cvr: string) => `${name}, CVR-nummer ${cvr}`,
    training: 'Kommunen er til øvelse: al dens post er opdigtet.',
    takesIn: 'Hvad kommunen modtager her',
    isLive: 'Ellers holdes al post tilbage, indtil kommunen sættes i drift.',
    letters: 'Kommunens egne breve',
    replyDays: 'Så mange dage har borgeren til at svare. Tomt: ingen frist.',
    late: 'Et brev er forsinket, når dets egen dato er flere dage ældre end modtagelsen.',
    team: 'Id for teamet. Tomt: ingen bestemt.',
    deletion: 'Sletning og opbevaring',
    deletionNeedsTwo: 'En anden person skal bekræfte hver sletning.',
    access: 'Adgang',
    acceptsDelegation: 'Gælder roller, som kommunen har givet en anden myndigheds medarbejdere.',
    deletionDelayDays: '0 til 14. 0: brevet slettes med det samme.',
    removeContent: 'Indholdet fjernes for altid. Tomt: aldrig.',
    flag: 'Så en medarbejder kan slette dem. Tomt: aldrig.',
    held: 'Når post holdes tilbage',
    heldHint: 'For hver årsag: hvad der sker, og hvem der får besked.',
    warnings: 'Det ser forkert ud:',
    warning: {
      'nobody-named': (cause: string) => `Ingen får besked, når post holdes tilbage af denne grund: ${cause}.`,
      'no-contact-points': () =>
        'Der er ingen kontaktpunkter. Har der aldrig været nogen, modtages post til alle; ellers holdes den tilbage.',
      'no-place-for-replies': () =>
        'Borgeren må svare, og svar modtages her, men intet aktivt kontaktpunkt er til svar.',
    } satisfies Record<MunicipalityAnswer['warnings'][number]['code'], (cause: string) => string>,
  },
  en: {
    title: 'Settings of the municipality',
    of: (name, cvr) => `${name}, CVR number ${cvr}`,
    training: 'The municipality is one to practise in: all its mail is made up.',
    takesIn: 'What the municipality receives here',
    isLive: 'Otherwise all mail is held until the municipality goes live.',
    letters: 'The municipality’s own letters',
    replyDays: 'So many days the citizen has to answer. Empty: no limit.',
    late: 'A letter is late when its own date is more days older than its receipt.',
    team: 'Id of the team. Empty: nobody in particular.',
    deletion: 'Deletion and retention',
    deletionNeedsTwo: 'Another person must confirm each deletion.',
    access: 'Access',
    acceptsDelegation: 'Of roles that the municipality gave to people of another authority.',
    deletionDelayDays: '0 to 14. 0: the letter is deleted at once.',
    removeContent: 'The content is removed for good. Empty: never.',
    flag: 'So that a caseworker can delete them. Empty: never.',
    held: 'When mail is held',
    heldHint: 'For each cause: what is done, and who is told.',
    warnings: 'This looks wrong:',
    warning: {
      'nobody-named': (cause) => `Nobody is told when mail is held for this reason: ${cause}.`,
      'no-contact-points': () =>
        'There are no contact points. If there never were, mail to any is accepted; else it is held.',
      'no-place-for-replies': () =>
        'Citizens may answer, and replies are received here, but no active contact point is for replies.',
    },
  },
});

const SWITCHES = [
  'isLive',
  'takesReplies',
  'takesEnquiries',
  'lettersAnswerable',
  'deletionNeedsTwo',
  'acceptsDelegation',
] as const;

function valuesOf(answer: MunicipalityAnswer): Values {
  const rules = answer.heldRules.flatMap((rule, at) =>
    Object.entries({
      [`heldRules.${at}.action`]: rule.action,
      ...personValues(`heldRules.${at}.contact`, rule.contact),
      [`heldRules.${at}.escalateAfterHours`]: textOf(rule.escalateAfterHours),
      ...personValues(`heldRules.${at}.escalateTo`, rule.escalateTo),
    }),
  );
  return {
    ...Object.fromEntries(SWITCHES.map((name) => [name, answer[name]])),
    name: answer.name,
    replyDays: textOf(answer.replyDays),
    lateAfterDays: textOf(answer.lateAfterDays),
    closedCaseTeam: textOf(answer.closedCaseTeam),
    deletionDelayDays: textOf(answer.deletionDelayDays),
    removeContentAfterDays: textOf(answer.removeContentAfterDays),
    flagRejectedAfterDays: textOf(answer.flagRejectedAfterDays),
    ...Object.fromEntries(rules),
  };
}

const bodyOf = (values: Values, { heldRules }: MunicipalityAnswer) => ({
  ...Object.fromEntries(SWITCHES.map((name) => [name, isOn(values, name)])),
  name: textIn(values, 'name'),
  replyDays: numberIn(values, 'replyDays', null),
  lateAfterDays: numberIn(values, 'lateAfterDays', undefined),
  closedCaseTeam: textOrNull(values, 'closedCaseTeam'),
  deletionDelayDays: numberIn(values, 'deletionDelayDays', undefined),
  removeContentAfterDays: numberIn(values, 'removeContentAfterDays', null),
  flagRejectedAfterDays: numberIn(values, 'flagRejectedAfterDays', null),
  heldRules: heldRules.map(({ cause }, at) => ({
    cause,
    action: textIn(values, `heldRules.${at}.action`),
    contact: personIn(values, `heldRules.${at}.contact`),
    escalateAfterHours: numberIn(values, `heldRules.${at}.escalateAfterHours`, null),
    escalateTo: personIn(values, `heldRules.${at}.escalateTo`),
  })),
});

/** The settings of the municipality. */
export function Municipality() {
  const own = useTexts(texts);
  const { causes } = useWords();
  const [answer, setAnswer] = useState<MunicipalityAnswer>();
  return (
    <>
      <Title>{own.title}</Title>
      {answer && <p>{own.of(answer.name, answer.cvr)}</p>}
      {answer?.isTraining && <p class="alert alert-info">{own.training}</p>}
      {answer && answer.warnings.length > 0 && (
        <div class="alert alert-warning">
          <p>{own.warnings}</p>
          <ul class="no-max-width">
            {answer.warnings.map(({ code, cause }) => (
              <li key={`${code} ${cause}`}>{own.warning[code](cause ? causes[cause].name : '')}</li>
            ))}
          </ul>
        </div>
      )}
      <Edit<MunicipalityAnswer>
        draft="municipality"
        isOf={({ action }) => action === 'municipality-changed'}
        read={() => call<MunicipalityAnswer>('GET', '/municipality')}
        valuesOf={valuesOf}
        save={(values, version) =>
          call('PUT', '/municipality', { body: bodyOf(values, answer as MunicipalityAnswer), version })
        }
        onRead={setAnswer}
      >
        {(read) => <Settings heldRules={read.heldRules} />}
      </Edit>
    </>
  );
}

function Settings({ heldRules }: Pick<MunicipalityAnswer, 'heldRules'>) {
  const own = useTexts(texts);
  return (
    <>
      <TextField name="name" isRequired />
      <fieldset>
        <legend>{own.takesIn}</legend>
        <Checkbox name="isLive" hint={own.isLive} />
        <Checkbox name="takesReplies" />
        <Checkbox name="takesEnquiries" />
        <TextField name="lateAfterDays" hint={own.late} isNumber isRequired />
        <TextField name="closedCaseTeam" hint={own.team} />
      </fieldset>
      <fieldset>
        <legend>{own.letters}</legend>
        <Checkbox name="lettersAnswerable" />
        <TextField name="replyDays" hint={own.replyDays} isNumber />
      </fieldset>
      <fieldset>
        <legend>{own.deletion}</legend>
        <Checkbox name="deletionNeedsTwo" hint={own.deletionNeedsTwo} />
        <TextField name="deletionDelayDays" hint={own.deletionDelayDays} isNumber isRequired />
        <TextField name="removeContentAfterDays" hint={own.removeContent} isNumber />
        <TextField name="flagRejectedAfterDays" hint={own.flag} isNumber />
      </fieldset>
      <fieldset>
        <legend>{own.access}</legend>
        <Checkbox name="acceptsDelegation" hint={own.acceptsDelegation} />
      </fieldset>
      <fieldset>
        <legend>{own.held}</legend>
        <p class="hint">{own.heldHint}</p>
        {heldRules.map((rule, at) => (
          <HeldRule key={rule.cause} rule={rule} name={`heldRules.${at}`} />
        ))}
      </fieldset>
    </>
  );
}

/** What is done with mail of a cause; open where something is wrong about it. */
function HeldRule({ rule, name }: { readonly rule: MunicipalityAnswer['heldRules'][number]; readonly name: string }) {
  const { causes, heldActions, rule: inWords } = useWords();
  const language = useLanguage();
  const { faults } = useContext(FormContext);
  const isWrong = faults.some(({ field }) => field.startsWith(`${name}.`));
  return (
    <details open={isWrong} lang={language}>
      <summary>
        <strong>{causes[rule.cause].name}.</strong> <span>{inWords(rule)}</span>
      </summary>
      <ChoiceField name={`${name}.action`} choices={heldActions} />
      <PersonField name={`${name}.contact`} />
      <TextField name={`${name}.escalateAfterHours`} isNumber />
      <PersonField name={`${name}.escalateTo`} />
    </details>
  );
}
