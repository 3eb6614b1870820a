-- Tokens and sign-ins that are revoked before they expire: keyed hashes of their ids. Of the installation, since an issuer has users
-- in many municipalities.
CREATE TABLE "revocations" (
    "digest" BYTEA NOT NULL,
    "revoked_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "revocations_pkey" PRIMARY KEY ("digest")
);
CREATE INDEX "revocations_expires_at_idx" ON "revocations"("expires_at");
ALTER TABLE revocations ENABLE ROW LEVEL SECURITY;
CREATE POLICY sweep ON revocations TO indbakke_worker USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON revocations TO indbakke_worker;
CREATE POLICY read ON revocations FOR SELECT TO indbakke_app USING (true);
GRANT SELECT ON revocations TO indbakke_app;
