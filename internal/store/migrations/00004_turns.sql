-- The changes of an account wait for one another by locking one of these tables
-- before they read anything; postgresturn.go. They never hold a row, and the
-- writer of SQLite does without them.

CREATE TABLE turns_0 (turn BIGINT NOT NULL, PRIMARY KEY (turn)) CLUSTERED;
CREATE TABLE turns_1 (turn BIGINT NOT NULL, PRIMARY KEY (turn)) CLUSTERED;
CREATE TABLE turns_2 (turn BIGINT NOT NULL, PRIMARY KEY (turn)) CLUSTERED;
CREATE TABLE turns_3 (turn BIGINT NOT NULL, PRIMARY KEY (turn)) CLUSTERED;
CREATE TABLE turns_4 (turn BIGINT NOT NULL, PRIMARY KEY (turn)) CLUSTERED;
CREATE TABLE turns_5 (turn BIGINT NOT NULL, PRIMARY KEY (turn)) CLUSTERED;
CREATE TABLE turns_6 (turn BIGINT NOT NULL, PRIMARY KEY (turn)) CLUSTERED;
CREATE TABLE turns_7 (turn BIGINT NOT NULL, PRIMARY KEY (turn)) CLUSTERED;
