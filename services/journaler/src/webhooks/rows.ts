// What deliveries are made of.

/** A time, an expression of SQL, as the API writes it. */
export const iso = (time: string) => `to_char(${time} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** What is sent of an event `e`: as the feed has it. */
export const BODY_OF_EVENT = `
  json_build_object('type', e.type, 'timestamp', ${iso('e.at')}, 'data', json_build_object(
    'position', e.position, 'id', e.id, 'type', e.type, 'messageId', e.message_id, 'status', e.status, 'version', e.version,
    'at', ${iso('e.at')}, 'details', e.details))`;
