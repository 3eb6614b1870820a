-- Whether users of other authorities, to whom roles here were delegated, may use them.
ALTER TABLE municipalities ADD COLUMN "accepts_delegation" BOOLEAN NOT NULL DEFAULT false;
GRANT UPDATE (accepts_delegation) ON municipalities TO indbakke_app;
