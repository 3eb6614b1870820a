/**
 * Two CTEs that write the event and the audit row of every change in the CTE `changes`, for the statement that makes the
 * changes. writeChange embeds them for one message, intake and suggestions for many. The columns of `changes` are those of a
 * message after the change:
 *
 *     change_id uuid, municipality, message_id uuid, type (a Change), status, version, at timestamptz,
 *     actor_kind, actor, on_behalf_of, role, origin, details jsonb (codes, ids and times only), trace (currentTrace)
 */
export const RECORD_CHANGES = `
  change_events AS (
    INSERT INTO events (id, municipality, message_id, type, status, version, at, details, trace)
    SELECT change_id, municipality, message_id, type, status, version, at, details, trace FROM changes
  ), change_audit AS (
    INSERT INTO audit_events (id, at, municipality, actor_kind, actor, on_behalf_of, role, origin, action, message_id, details)
    SELECT change_id, at, municipality, actor_kind, actor, on_behalf_of, role, origin, type, message_id, details FROM changes
  )`;
