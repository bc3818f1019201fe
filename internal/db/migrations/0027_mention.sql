-- The messages of groups that mention somebody: a device that logs in is told of those that its account has not read.
CREATE INDEX message_mention ON message (chat_id, sequence) WHERE ord = 0 AND mentions <> '';
