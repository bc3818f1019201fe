-- What is attached to a message; no row, nothing was ever attached. read_by is the receipts, a bit for each account that has read the
-- message, by the account's number in chat_reader. read_at is when the latest receipt came, in unix milliseconds, 0 without any.
-- reacted is the highest number of a reaction. ext_seq counts the writes of extensions, of which those up to ext_cleared are cleared;
-- ext_writes is how many calls wrote some in the unix minute ext_minute.
CREATE TABLE annotation (
	message_id BIGINT PRIMARY KEY,
	chat_id BIGINT NOT NULL,
	read_by BYTEA NOT NULL,
	read_at BIGINT NOT NULL,
	reacted BIGINT NOT NULL,
	ext_seq BIGINT NOT NULL DEFAULT 0,
	ext_cleared BIGINT NOT NULL DEFAULT 0,
	ext_minute BIGINT NOT NULL DEFAULT 0,
	ext_writes BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX annotation_chat ON annotation (chat_id, read_at);

-- The counters of a chat from which its annotations take numbers: readers is the highest number of a reader.
CREATE TABLE annotated_chat (
	chat_id BIGINT PRIMARY KEY,
	readers BIGINT NOT NULL DEFAULT 0
);

-- The number that an account has in the receipts of a chat, counted from 1. It keeps the number when it leaves.
CREATE TABLE chat_reader (
	chat_id BIGINT NOT NULL,
	account_id BIGINT NOT NULL,
	number BIGINT NOT NULL,
	PRIMARY KEY (chat_id, account_id)
);
CREATE UNIQUE INDEX chat_reader_number ON chat_reader (chat_id, number);

-- Who reacted to a message with what. number counts the reactions of a message, as they came.
CREATE TABLE reaction (
	message_id BIGINT NOT NULL,
	reaction TEXT NOT NULL,
	account_id BIGINT NOT NULL,
	number BIGINT NOT NULL,
	PRIMARY KEY (message_id, reaction, account_id)
);
CREATE INDEX reaction_account ON reaction (account_id);

-- The extensions of a message: what applications attach under names of their own. seq is the write that set the value; a value that
-- was deleted is empty, and stays for those who ask what changed.
CREATE TABLE extension (
	message_id BIGINT NOT NULL,
	name TEXT NOT NULL,
	value TEXT NOT NULL,
	seq BIGINT NOT NULL,
	PRIMARY KEY (message_id, name)
);
