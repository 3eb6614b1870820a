// Nobody here exists: no month has more than 31 days, and no one has these CVR numbers.

export const MOTHER = { id: '4101019999', idType: 'CPR', name: 'Test Testesen' };
export const FATHER = { id: '4201019998', idType: 'CPR', name: 'Prøve Prøvesen' };
export const CHILD = { cpr: '4301019997', name: 'Barn Testesen' };
export const OTHER_MOTHER = { id: '4401019996', idType: 'CPR', name: 'Øvelse Øvelsesen' };
export const OTHER_CHILD = { cpr: '4501019995', name: 'Barn Øvelsesen' };
export const GUARDIAN = { id: '4601019994', idType: 'CPR', name: 'Værge Værgesen' };
export const SCHOOL = { id: '12121212', idType: 'CVR', name: 'Eksempel Skole' };
export const NURSERY = { id: '88888888', idType: 'CVR', name: 'Børnehaven Eksemplet' };
export const SHOP = { id: '77777777', idType: 'CVR', name: 'Eksempel Kontormøbler' };
export const LAWYER = { id: '66666666', idType: 'CVR', name: 'Advokatkontoret Eksempel' };
export const HOSPITAL = 'Eksempel Sygehus';
export const OTHER_MUNICIPALITY = { cvr: '44444444', name: 'Nabo Kommune' };
