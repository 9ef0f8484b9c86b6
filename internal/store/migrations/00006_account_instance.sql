-- An account that was deleted may be made again with the same number. instance
-- tells the two apart; accounts from before this column have the empty one.
ALTER TABLE accounts ADD COLUMN instance TEXT NOT NULL DEFAULT '';

-- Sessions know their user by its unique id, whatever its name is by now.
CREATE INDEX users_id ON users (account, user_id);
