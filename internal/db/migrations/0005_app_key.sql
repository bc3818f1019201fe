-- former_secret: a key that was exchanged; it is taken until that unix millisecond too. disabled: nobody is let in.
ALTER TABLE app ADD COLUMN former_secret TEXT NOT NULL DEFAULT '';
ALTER TABLE app ADD COLUMN former_until BIGINT NOT NULL DEFAULT 0;
ALTER TABLE app ADD COLUMN disabled BOOLEAN NOT NULL DEFAULT FALSE;
