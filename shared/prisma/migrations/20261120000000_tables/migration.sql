-- The tables of schema.prisma. Only the partitioning of audit_events is added by hand.

CREATE TABLE "municipalities" (
    "cvr" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "takes_replies" BOOLEAN NOT NULL DEFAULT true,
    "takes_enquiries" BOOLEAN NOT NULL DEFAULT true,

    CONSTRAINT "municipalities_pkey" PRIMARY KEY ("cvr")
);

CREATE TABLE "contact_points" (
    "municipality" TEXT NOT NULL,
    "contact_point_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,

    CONSTRAINT "contact_points_pkey" PRIMARY KEY ("municipality","contact_point_id")
);

CREATE TABLE "messages" (
    "id" UUID NOT NULL,
    "municipality" TEXT NOT NULL,
    "channel" TEXT NOT NULL,
    "external_id" TEXT NOT NULL,
    "fingerprint" BYTEA NOT NULL,
    "kind" TEXT NOT NULL,
    "contact_point_id" TEXT,
    "received_at" TIMESTAMPTZ(3) NOT NULL,
    "letter_at" TIMESTAMPTZ(3) NOT NULL,
    "transmission_id" UUID NOT NULL,
    "document_count" INTEGER NOT NULL,
    "file_count" INTEGER NOT NULL,
    "content_size" BIGINT NOT NULL,
    "blob_name" TEXT,
    "remarks" JSONB NOT NULL,
    "status" TEXT NOT NULL,
    "held_cause" TEXT,
    "status_before" TEXT,
    "status_at" TIMESTAMPTZ(3) NOT NULL,
    "status_by" TEXT NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 1,
    "rejection_reason" TEXT,
    "assignee_kind" TEXT,
    "assignee_id" TEXT,
    "suggested_case_id" TEXT,
    "suggestion_basis" TEXT,
    "suggestion_sender" TEXT,
    "looked_at" TIMESTAMPTZ(3),
    "suggest_round" INTEGER NOT NULL DEFAULT 1,
    "next_enqueue_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "messages_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "message_details" (
    "message_id" UUID NOT NULL,
    "municipality" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "sender_id" TEXT NOT NULL,
    "sender_id_type" TEXT NOT NULL,
    "sender_name" TEXT NOT NULL,
    "concerning_id" TEXT,
    "concerning_name" TEXT,
    "original" BYTEA NOT NULL,
    "memo" JSONB NOT NULL,
    "rejection_text" TEXT,
    "forwarded_to" TEXT,
    "sender_informed" BOOLEAN,

    CONSTRAINT "message_details_pkey" PRIMARY KEY ("message_id")
);

CREATE TABLE "message_keys" (
    "message_id" UUID NOT NULL,
    "municipality" TEXT NOT NULL,
    "key_id" TEXT NOT NULL,
    "wrapped_key" BYTEA NOT NULL,

    CONSTRAINT "message_keys_pkey" PRIMARY KEY ("message_id")
);

CREATE TABLE "documents" (
    "message_id" UUID NOT NULL,
    "position" INTEGER NOT NULL,
    "municipality" TEXT NOT NULL,
    "role" TEXT NOT NULL,
    "document_id" TEXT,
    "label" TEXT,

    CONSTRAINT "documents_pkey" PRIMARY KEY ("message_id","position")
);

CREATE TABLE "files" (
    "id" UUID NOT NULL,
    "message_id" UUID NOT NULL,
    "document_position" INTEGER NOT NULL,
    "position" INTEGER NOT NULL,
    "municipality" TEXT NOT NULL,
    "file_name" TEXT NOT NULL,
    "encoding_format" TEXT NOT NULL,
    "language" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "size" BIGINT NOT NULL,
    "sha256" BYTEA,
    "container_index" INTEGER,
    "container_offset" BIGINT,

    CONSTRAINT "files_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "reply_references" (
    "message_id" UUID NOT NULL,
    "position" INTEGER NOT NULL,
    "municipality" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "value" TEXT NOT NULL,

    CONSTRAINT "reply_references_pkey" PRIMARY KEY ("message_id","position")
);

CREATE TABLE "journalizations" (
    "message_id" UUID NOT NULL,
    "case_id" TEXT NOT NULL,
    "municipality" TEXT NOT NULL,
    "reference" TEXT,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "by" TEXT NOT NULL,

    CONSTRAINT "journalizations_pkey" PRIMARY KEY ("message_id","case_id")
);

CREATE TABLE "cases" (
    "municipality" TEXT NOT NULL,
    "case_id" TEXT NOT NULL,
    "status" TEXT,
    "caseworker" TEXT,
    "party_digests" BYTEA[] DEFAULT ARRAY[]::BYTEA[],

    CONSTRAINT "cases_pkey" PRIMARY KEY ("municipality","case_id")
);

CREATE TABLE "sent_messages" (
    "municipality" TEXT NOT NULL,
    "message_uuid" TEXT NOT NULL,
    "message_id" TEXT,
    "case_id" TEXT NOT NULL,
    "recipient_digest" BYTEA,

    CONSTRAINT "sent_messages_pkey" PRIMARY KEY ("municipality","message_uuid")
);

CREATE TABLE "events" (
    "id" UUID NOT NULL,
    "municipality" TEXT NOT NULL,
    "message_id" UUID NOT NULL,
    "type" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "position" BIGINT,

    CONSTRAINT "events_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "audit_events" (
    "id" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "municipality" TEXT NOT NULL,
    "actor_kind" TEXT NOT NULL,
    "actor" TEXT NOT NULL,
    "on_behalf_of" TEXT,
    "action" TEXT NOT NULL,
    "message_id" UUID,
    "details" JSONB NOT NULL,
    "position" BIGINT,
    "hash" BYTEA,

    CONSTRAINT "audit_events_pkey" PRIMARY KEY ("id","at")
) PARTITION BY RANGE ("at");

CREATE TABLE "content_removals" (
    "blob_name" TEXT NOT NULL,
    "municipality" TEXT NOT NULL,
    "requested_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "content_removals_pkey" PRIMARY KEY ("blob_name")
);

CREATE INDEX "messages_municipality_status_letter_at_id_idx" ON "messages"("municipality", "status", "letter_at", "id");

CREATE INDEX "messages_municipality_suggested_case_id_idx" ON "messages"("municipality", "suggested_case_id");

CREATE INDEX "messages_municipality_assignee_kind_assignee_id_idx" ON "messages"("municipality", "assignee_kind", "assignee_id");

CREATE UNIQUE INDEX "messages_municipality_channel_external_id_fingerprint_key" ON "messages"("municipality", "channel", "external_id", "fingerprint");

CREATE INDEX "message_details_municipality_sender_id_idx" ON "message_details"("municipality", "sender_id");

CREATE INDEX "message_details_municipality_concerning_id_idx" ON "message_details"("municipality", "concerning_id");

CREATE UNIQUE INDEX "files_message_id_position_key" ON "files"("message_id", "position");

CREATE INDEX "reply_references_municipality_kind_value_idx" ON "reply_references"("municipality", "kind", "value");

CREATE INDEX "journalizations_municipality_case_id_idx" ON "journalizations"("municipality", "case_id");

CREATE INDEX "cases_municipality_caseworker_idx" ON "cases"("municipality", "caseworker");

CREATE INDEX "sent_messages_municipality_message_id_idx" ON "sent_messages"("municipality", "message_id");

CREATE INDEX "events_municipality_position_idx" ON "events"("municipality", "position");

CREATE INDEX "events_message_id_version_idx" ON "events"("message_id", "version");

CREATE INDEX "audit_events_municipality_message_id_at_idx" ON "audit_events"("municipality", "message_id", "at");

CREATE INDEX "audit_events_municipality_at_idx" ON "audit_events"("municipality", "at");

ALTER TABLE "contact_points" ADD CONSTRAINT "contact_points_municipality_fkey" FOREIGN KEY ("municipality") REFERENCES "municipalities"("cvr") ON DELETE RESTRICT ON UPDATE CASCADE;

ALTER TABLE "messages" ADD CONSTRAINT "messages_municipality_fkey" FOREIGN KEY ("municipality") REFERENCES "municipalities"("cvr") ON DELETE RESTRICT ON UPDATE CASCADE;

ALTER TABLE "messages" ADD CONSTRAINT "messages_municipality_suggested_case_id_fkey" FOREIGN KEY ("municipality", "suggested_case_id") REFERENCES "cases"("municipality", "case_id") ON DELETE RESTRICT ON UPDATE CASCADE;

ALTER TABLE "message_details" ADD CONSTRAINT "message_details_message_id_fkey" FOREIGN KEY ("message_id") REFERENCES "messages"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

ALTER TABLE "message_keys" ADD CONSTRAINT "message_keys_message_id_fkey" FOREIGN KEY ("message_id") REFERENCES "messages"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

ALTER TABLE "documents" ADD CONSTRAINT "documents_message_id_fkey" FOREIGN KEY ("message_id") REFERENCES "messages"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

ALTER TABLE "files" ADD CONSTRAINT "files_message_id_document_position_fkey" FOREIGN KEY ("message_id", "document_position") REFERENCES "documents"("message_id", "position") ON DELETE RESTRICT ON UPDATE CASCADE;

ALTER TABLE "reply_references" ADD CONSTRAINT "reply_references_message_id_fkey" FOREIGN KEY ("message_id") REFERENCES "messages"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

ALTER TABLE "journalizations" ADD CONSTRAINT "journalizations_message_id_fkey" FOREIGN KEY ("message_id") REFERENCES "messages"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

ALTER TABLE "cases" ADD CONSTRAINT "cases_municipality_fkey" FOREIGN KEY ("municipality") REFERENCES "municipalities"("cvr") ON DELETE RESTRICT ON UPDATE CASCADE;

ALTER TABLE "sent_messages" ADD CONSTRAINT "sent_messages_municipality_case_id_fkey" FOREIGN KEY ("municipality", "case_id") REFERENCES "cases"("municipality", "case_id") ON DELETE RESTRICT ON UPDATE CASCADE;

