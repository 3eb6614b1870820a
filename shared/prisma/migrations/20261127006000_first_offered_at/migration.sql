-- received_at was when the upload began; from now on it is when the message is whole, and this is when its upload began.
-- The default is for receivers of the release before, which may still be running.
ALTER TABLE messages ADD first_offered_at timestamptz(3) NOT NULL DEFAULT now();
UPDATE messages SET first_offered_at = received_at;
