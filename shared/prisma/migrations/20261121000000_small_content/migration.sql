-- Small content stands beside the rows of its message: one commit makes both durable, where a file takes two syncs more.

CREATE TABLE "message_contents" (
    "message_id" UUID NOT NULL,
    "municipality" TEXT NOT NULL,
    "container" BYTEA NOT NULL,

    CONSTRAINT "message_contents_pkey" PRIMARY KEY ("message_id")
);

ALTER TABLE "message_contents" ADD CONSTRAINT "message_contents_message_id_fkey" FOREIGN KEY ("message_id") REFERENCES "messages"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- What is sealed does not compress; do not try.
ALTER TABLE message_contents ALTER container SET STORAGE EXTERNAL;

ALTER TABLE message_contents ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON message_contents TO indbakke_app USING (municipality = current_setting('indbakke.municipality', true));
GRANT SELECT, INSERT, DELETE ON message_contents TO indbakke_app;
