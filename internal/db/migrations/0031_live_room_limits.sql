-- What a back end has chosen for one live room: messages pushed in a second, those of them for the priority High, and the newest
-- messages given to who enters. -1 is what the application has chosen.
ALTER TABLE live_room ADD COLUMN message_rate BIGINT NOT NULL DEFAULT -1;
ALTER TABLE live_room ADD COLUMN high_rate BIGINT NOT NULL DEFAULT -1;
ALTER TABLE live_room ADD COLUMN backlog BIGINT NOT NULL DEFAULT -1;
