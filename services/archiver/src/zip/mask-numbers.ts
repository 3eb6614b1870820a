/** Ten digits in a row, as people group the digits of a CPR number. */
const CPR_NUMBER = /(?<!\d)(\d{2})[ .]?(\d{2})[ .]?(\d{2})[\s\p{Pd}_.]{0,3}\d{4}(?!\d)/gu;

/** A text in which each CPR number is only its date of birth. */
export function maskNumbers(text: string): string {
  return text.replace(CPR_NUMBER, '$1$2$3-xxxx');
}
