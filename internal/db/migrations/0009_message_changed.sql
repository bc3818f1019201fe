-- The messages of a chat that were edited or recalled, in the order in which that happened: a device that was away is told of
-- all of them. Those that were not, which are nearly all, cost nothing here.
CREATE INDEX message_changed ON message (chat_id, changed_at, id) WHERE changed_at > 0;
