-- A message under a legal hold keeps everything, whatever rule or person would remove it.
ALTER TABLE messages ADD COLUMN legal_hold boolean NOT NULL DEFAULT false;
