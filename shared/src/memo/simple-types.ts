import { z } from 'zod';
import type { RemarkCode } from '../xml/index.js';

/**
 * The simple types of MeMo, as checks that yield remarks. MeMo 1.1 and 1.2, MeMo_dataTypes.xsd, unless another source is
 * named. Values stay text, trimmed.
 */

type Check = (text: string) => boolean;

/** What a text is checked for, each with the remark when it fails. */
export type SimpleType = readonly (readonly [RemarkCode, Check])[];

function simple(...checks: SimpleType): SimpleType {
  return checks;
}

/** XML Schema counts characters, JavaScript UTF-16 units, which differ outside the basic plane. */
const atMost = (max: number): Check => {
  return (value) => value.length <= max || (value.length <= 2 * max && [...value].length <= max);
};
const matches = (pattern: RegExp): Check => {
  return (value) => pattern.test(value);
};
const shortEnough: readonly [RemarkCode, Check] = ['text-too-long', atMost(256)];
const notEmpty: readonly [RemarkCode, Check] = ['empty-element', (value) => value !== ''];

// memoTextType
export const text = simple(shortEnough);
// memoTextType, but must not be empty
export const name = simple(shortEnough, notEmpty);
// memoCommentType
export const comment = simple(['text-too-long', atMost(512)]);
// memoNotificationType: 150 in the 1.1 schema, 160 in a copy of the 1.2 one; the longer one is allowed.
export const notification = simple(['text-too-long', atMost(160)]);
// memoUuidType: version 4 only, either case
export const isMemoUuid = matches(z.regexes.uuid4);
export const uuid = simple(['wrong-uuid', isMemoUuid]);
// memoDateTimeType: xs:dateTime that ends in Z
export const dateTime = simple(['wrong-date', (value) => value.endsWith('Z') && instantOf(value) !== undefined]);
// xs:date, with or without time zone
export const date = simple([
  'wrong-date',
  (value) => /^\d{4}-\d{2}-\d{2}(Z|[+-]\d{2}:\d{2})?$/.test(value) && isCalendarDay(value),
]);
// xs:boolean
export const boolean = simple(['wrong-boolean', matches(/^(true|false|1|0)$/)]);
// memoLanguageType: xs:language of at most 2 characters
export const language = simple(['wrong-language', matches(/^[a-z]{2}$/i)]);
// memoMessageType
export const messageType = simple(['unknown-value', matches(/^(DIGITALPOST|NEMSMS)$/)]);
// MeMo 1.2, Sender/idType: free text in the schema; MeMo's guidance knows CPR and CVR. Reference code writes lower case too.
export const idType = simple(['unknown-value', matches(/^(CPR|CVR)$/i)]);
// MeMo 1.2, Message/@memoVersion
export const memoVersion = simple(['unknown-version', matches(/^1\.[12]$/)]);
// Text in the schema since 1.1; the number of digits is in MeMo's guidance.
export const cprNumber = simple(['wrong-number', matches(/^\d{10}$/)]);
export const cvrNumber = simple(['wrong-number', matches(/^\d{8}$/)]);
// memoGLNType, memoPNumberType: integers, so leading zeros may be gone
export const glnNumber = simple(['wrong-number', matches(/^\d{1,13}$/)]);
export const pNumber = simple(['wrong-number', matches(/^\d{1,10}$/)]);
// memoLicenseNumberType
export const licenseNumber = simple(['text-too-long', atMost(7)]);
// memoUriType; absolute https since Digital Post's increased validation (November 2024)
export const url = simple(shortEnough, ['wrong-url', isHttpsAddress]);
// Digital Post's increased validation (in production since September 2025) lists each of these characters.
export const fileName = simple(shortEnough, notEmpty, [
  'bad-file-name',
  matches(/^[^<>:"/\\|?*\r\n\u00a0\u2000-\u200a\u2028\u205f\u2060\u3000]*$/),
]);

const DATE_TIME = /^(\d{4}-\d{2}-\d{2})T(\d{2}):(\d{2}):(\d{2})(\.\d+)?(Z|[+-](?:0\d|1[0-4]):[0-5]\d)?$/;

/** The instant of an xs:dateTime; undefined when it is not one. Without a time zone it is taken as UTC (assumed). */
export function instantOf(value: string): Date | undefined {
  const match = DATE_TIME.exec(value);
  if (!match || !isCalendarDay(value)) return undefined;
  // JavaScript reads at most milliseconds.
  const [, day, hour, minute, second, fraction = '', zone = 'Z'] = match;
  const instant = new Date(`${day}T${hour}:${minute}:${second}${fraction.slice(0, 4)}${zone}`);
  return Number.isNaN(instant.getTime()) ? undefined : instant;
}

/** Whether a text begins with a day of the calendar; JavaScript takes 30 February for a day in March. */
function isCalendarDay(value: string): boolean {
  const day = value.slice(0, 10);
  const instant = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(instant.getTime()) && instant.toISOString().startsWith(day);
}

function isHttpsAddress(value: string): boolean {
  return /^https:\/\//i.test(value) && URL.canParse(value);
}
