-- A message of a group may be for some members only: readers holds their accounts, ',7,12,', and is empty where all members
-- are meant. mentions is whom it mentions, as JSON, and is empty where it mentions nobody.
ALTER TABLE message ADD COLUMN readers TEXT NOT NULL DEFAULT '';
ALTER TABLE message ADD COLUMN mentions TEXT NOT NULL DEFAULT '';
