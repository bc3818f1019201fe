-- A file that an account has uploaded: what an address in a message, or of an avatar, leads to. It names the object with its bytes.
-- id is random and stands in the addresses. kind is the interface's number: 1 image, 2 video, 3 sound, 255 any file. created_at is
-- in unix milliseconds. A banned file is kept and not given to who has its address.
CREATE TABLE file (
	id         BIGINT  NOT NULL PRIMARY KEY,
	app_id     BIGINT  NOT NULL,
	account_id BIGINT  NOT NULL,
	kind       BIGINT  NOT NULL,
	digest     TEXT    NOT NULL,
	size       BIGINT  NOT NULL,
	created_at BIGINT  NOT NULL,
	banned     BOOLEAN NOT NULL
);
CREATE INDEX file_app ON file (app_id, created_at, id);

-- Bytes that are kept once however often they were uploaded. digest is their SHA-256 in hexadecimal, name what the store has them
-- under: a name is never used again, so that bytes that are removed cannot be those that somebody uploads at that moment. type is
-- found by the bytes; width and height are in pixels as the picture is shown, 0 of what is none. files counts the rows of file that
-- name the object. freed_at is when one of these rows was removed last, in unix milliseconds, 0 if none was. large and thumb are the names of its two smaller
-- pictures; '' is not made yet, '-' is that the object itself serves.
CREATE TABLE file_object (
	digest   TEXT   NOT NULL PRIMARY KEY,
	name     TEXT   NOT NULL,
	size     BIGINT NOT NULL,
	type     TEXT   NOT NULL,
	width    BIGINT NOT NULL,
	height   BIGINT NOT NULL,
	files    BIGINT NOT NULL,
	freed_at BIGINT NOT NULL,
	large    TEXT   NOT NULL,
	thumb    TEXT   NOT NULL
);
CREATE INDEX file_object_freed ON file_object (freed_at, digest) WHERE files = 0;

-- How many bytes the files of an account have together, and, in the row with account 0, those of an application.
CREATE TABLE file_sum (
	app_id     BIGINT NOT NULL,
	account_id BIGINT NOT NULL,
	bytes      BIGINT NOT NULL,
	PRIMARY KEY (app_id, account_id)
);
