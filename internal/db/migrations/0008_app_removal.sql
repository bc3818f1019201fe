-- removing: the application's rows are being removed. It is no application any more, and only its removal may go on.
ALTER TABLE app ADD COLUMN removing BOOLEAN NOT NULL DEFAULT FALSE;
