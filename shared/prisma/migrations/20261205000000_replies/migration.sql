-- Letters that are set up so that they can be answered, and whether they were delivered.
ALTER TABLE sent_messages
  ADD COLUMN "contact_point_id" TEXT,
  ADD COLUMN "set_up_at" TIMESTAMPTZ(3),
  ADD COLUMN "answered_message_id" UUID,
  ADD COLUMN "delivery" TEXT,
  ADD CHECK (delivery IN ('delivered', 'failed'));

-- CreateIndex
CREATE INDEX "sent_messages_answered_message_id_set_up_at_idx" ON "sent_messages"("answered_message_id", "set_up_at");

-- CreateIndex
CREATE INDEX "sent_messages_municipality_contact_point_id_set_up_at_idx" ON "sent_messages"("municipality", "contact_point_id", "set_up_at");
