-- Of a device that was logged out because another one of its account came: that one. 0 is none, or one from before this column.
ALTER TABLE device ADD COLUMN kicked_by BIGINT NOT NULL DEFAULT 0;
