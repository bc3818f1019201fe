-- Whether members of a group read what was said before they joined: 0 as the setting of its type says, 1 yes, 2 no.
ALTER TABLE chat_group ADD COLUMN history_before BIGINT NOT NULL DEFAULT 0;
