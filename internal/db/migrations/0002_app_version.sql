-- One row: how many changes were made to applications. A change takes the next number before it reads what it changes, so
-- that changes made at once queue up at this row; a node reads the applications again when the number has moved.
CREATE TABLE app_version (
	number BIGINT NOT NULL
);
INSERT INTO app_version (number) VALUES (0);

-- The number of the application's last change.
ALTER TABLE app ADD COLUMN version BIGINT NOT NULL DEFAULT 0;
