-- The messages that are pinned in a chat, by whom, and in which order: number rises, and is taken from the chat's counter pins.
CREATE TABLE pin (
	chat_id BIGINT NOT NULL,
	message_id BIGINT NOT NULL,
	sequence BIGINT NOT NULL,
	pinner_id BIGINT NOT NULL,
	number BIGINT NOT NULL,
	PRIMARY KEY (chat_id, message_id)
);
ALTER TABLE annotated_chat ADD COLUMN pins BIGINT NOT NULL DEFAULT 0;
