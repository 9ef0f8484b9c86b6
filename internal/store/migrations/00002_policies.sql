-- Policy documents are kept as they were given. Attachments name policies by
-- ARN, because AWS's own are data of the program and in no table.

CREATE TABLE user_groups (
  account  TEXT NOT NULL,
  name_key TEXT NOT NULL,
  name     TEXT NOT NULL,
  path     TEXT NOT NULL,
  group_id TEXT NOT NULL,
  created  BIGINT NOT NULL,
  PRIMARY KEY (account, name_key),
  FOREIGN KEY (account) REFERENCES accounts (account) ON DELETE CASCADE
) CLUSTERED;

CREATE TABLE group_members (
  account   TEXT NOT NULL,
  group_key TEXT NOT NULL,
  user_key  TEXT NOT NULL,
  PRIMARY KEY (account, group_key, user_key),
  FOREIGN KEY (account, group_key) REFERENCES user_groups (account, name_key) ON UPDATE CASCADE,
  FOREIGN KEY (account, user_key) REFERENCES users (account, name_key) ON UPDATE CASCADE
) CLUSTERED;
CREATE INDEX group_members_user ON group_members (account, user_key, group_key);

CREATE TABLE policies (
  account         TEXT NOT NULL,
  name_key        TEXT NOT NULL,
  name            TEXT NOT NULL,
  path            TEXT NOT NULL,
  arn             TEXT NOT NULL,
  policy_id       TEXT NOT NULL,
  description     TEXT NOT NULL,
  created         BIGINT NOT NULL,
  updated         BIGINT NOT NULL,
  default_version BIGINT NOT NULL,
  last_version    BIGINT NOT NULL,
  PRIMARY KEY (account, name_key),
  FOREIGN KEY (account) REFERENCES accounts (account) ON DELETE CASCADE
) CLUSTERED;
CREATE UNIQUE INDEX policies_arn ON policies (account, arn);

CREATE TABLE policy_versions (
  account  TEXT NOT NULL,
  name_key TEXT NOT NULL,
  version  BIGINT NOT NULL,
  document TEXT NOT NULL,
  created  BIGINT NOT NULL,
  PRIMARY KEY (account, name_key, version),
  FOREIGN KEY (account, name_key) REFERENCES policies (account, name_key) ON DELETE CASCADE
) CLUSTERED;

CREATE TABLE policy_tags (
  account   TEXT NOT NULL,
  name_key  TEXT NOT NULL,
  tag_key   TEXT NOT NULL,
  tag_value TEXT NOT NULL,
  PRIMARY KEY (account, name_key, tag_key),
  FOREIGN KEY (account, name_key) REFERENCES policies (account, name_key) ON DELETE CASCADE
) CLUSTERED;

-- service is the AWS service a service-linked role belongs to, '' for others.
-- trusted_ids has a line for each user and role that trust_policy names: its
-- unique id when it was named, a space, and its ARN.
CREATE TABLE roles (
  account      TEXT NOT NULL,
  name_key     TEXT NOT NULL,
  name         TEXT NOT NULL,
  path         TEXT NOT NULL,
  role_id      TEXT NOT NULL,
  description  TEXT NOT NULL,
  trust_policy TEXT NOT NULL,
  trusted_ids  TEXT NOT NULL,
  max_session  BIGINT NOT NULL,
  service      TEXT NOT NULL,
  created      BIGINT NOT NULL,
  PRIMARY KEY (account, name_key),
  FOREIGN KEY (account) REFERENCES accounts (account) ON DELETE CASCADE
) CLUSTERED;

CREATE TABLE role_tags (
  account   TEXT NOT NULL,
  name_key  TEXT NOT NULL,
  key_fold  TEXT NOT NULL,
  tag_key   TEXT NOT NULL,
  tag_value TEXT NOT NULL,
  PRIMARY KEY (account, name_key, key_fold),
  FOREIGN KEY (account, name_key) REFERENCES roles (account, name_key) ON DELETE CASCADE
) CLUSTERED;

CREATE TABLE user_policies (
  account     TEXT NOT NULL,
  name_key    TEXT NOT NULL,
  policy_name TEXT NOT NULL,
  document    TEXT NOT NULL,
  PRIMARY KEY (account, name_key, policy_name),
  FOREIGN KEY (account, name_key) REFERENCES users (account, name_key) ON UPDATE CASCADE
) CLUSTERED;

CREATE TABLE group_policies (
  account     TEXT NOT NULL,
  name_key    TEXT NOT NULL,
  policy_name TEXT NOT NULL,
  document    TEXT NOT NULL,
  PRIMARY KEY (account, name_key, policy_name),
  FOREIGN KEY (account, name_key) REFERENCES user_groups (account, name_key) ON UPDATE CASCADE
) CLUSTERED;

CREATE TABLE role_policies (
  account     TEXT NOT NULL,
  name_key    TEXT NOT NULL,
  policy_name TEXT NOT NULL,
  document    TEXT NOT NULL,
  PRIMARY KEY (account, name_key, policy_name),
  FOREIGN KEY (account, name_key) REFERENCES roles (account, name_key)
) CLUSTERED;

CREATE TABLE user_attachments (
  account    TEXT NOT NULL,
  name_key   TEXT NOT NULL,
  policy_arn TEXT NOT NULL,
  PRIMARY KEY (account, name_key, policy_arn),
  FOREIGN KEY (account, name_key) REFERENCES users (account, name_key) ON UPDATE CASCADE
) CLUSTERED;
CREATE INDEX user_attachments_policy ON user_attachments (account, policy_arn, name_key);

CREATE TABLE group_attachments (
  account    TEXT NOT NULL,
  name_key   TEXT NOT NULL,
  policy_arn TEXT NOT NULL,
  PRIMARY KEY (account, name_key, policy_arn),
  FOREIGN KEY (account, name_key) REFERENCES user_groups (account, name_key) ON UPDATE CASCADE
) CLUSTERED;
CREATE INDEX group_attachments_policy ON group_attachments (account, policy_arn, name_key);

CREATE TABLE role_attachments (
  account    TEXT NOT NULL,
  name_key   TEXT NOT NULL,
  policy_arn TEXT NOT NULL,
  PRIMARY KEY (account, name_key, policy_arn),
  FOREIGN KEY (account, name_key) REFERENCES roles (account, name_key)
) CLUSTERED;
CREATE INDEX role_attachments_policy ON role_attachments (account, policy_arn, name_key);

CREATE TABLE user_boundaries (
  account    TEXT NOT NULL,
  name_key   TEXT NOT NULL,
  policy_arn TEXT NOT NULL,
  PRIMARY KEY (account, name_key),
  FOREIGN KEY (account, name_key) REFERENCES users (account, name_key) ON UPDATE CASCADE ON DELETE CASCADE
) CLUSTERED;
CREATE INDEX user_boundaries_policy ON user_boundaries (account, policy_arn, name_key);

CREATE TABLE role_boundaries (
  account    TEXT NOT NULL,
  name_key   TEXT NOT NULL,
  policy_arn TEXT NOT NULL,
  PRIMARY KEY (account, name_key),
  FOREIGN KEY (account, name_key) REFERENCES roles (account, name_key) ON DELETE CASCADE
) CLUSTERED;
CREATE INDEX role_boundaries_policy ON role_boundaries (account, policy_arn, name_key);

-- The policies that an organisation puts over an account, set by the operator.
CREATE TABLE control_policies (
  account  TEXT NOT NULL,
  name     TEXT NOT NULL,
  document TEXT NOT NULL,
  PRIMARY KEY (account, name),
  FOREIGN KEY (account) REFERENCES accounts (account) ON DELETE CASCADE
) CLUSTERED;

-- What is set of an account beside what has a table of its own.
CREATE TABLE account_settings (
  account TEXT NOT NULL,
  name    TEXT NOT NULL,
  value   TEXT NOT NULL,
  PRIMARY KEY (account, name),
  FOREIGN KEY (account) REFERENCES accounts (account) ON DELETE CASCADE
) CLUSTERED;

CREATE TABLE instance_profiles (
  account    TEXT NOT NULL,
  name_key   TEXT NOT NULL,
  name       TEXT NOT NULL,
  path       TEXT NOT NULL,
  profile_id TEXT NOT NULL,
  created    BIGINT NOT NULL,
  PRIMARY KEY (account, name_key),
  FOREIGN KEY (account) REFERENCES accounts (account) ON DELETE CASCADE
) CLUSTERED;

CREATE TABLE instance_profile_roles (
  account     TEXT NOT NULL,
  profile_key TEXT NOT NULL,
  role_key    TEXT NOT NULL,
  PRIMARY KEY (account, profile_key, role_key),
  FOREIGN KEY (account, profile_key) REFERENCES instance_profiles (account, name_key),
  FOREIGN KEY (account, role_key) REFERENCES roles (account, name_key)
) CLUSTERED;
CREATE INDEX instance_profile_roles_role ON instance_profile_roles (account, role_key, profile_key);

CREATE TABLE instance_profile_tags (
  account   TEXT NOT NULL,
  name_key  TEXT NOT NULL,
  tag_key   TEXT NOT NULL,
  tag_value TEXT NOT NULL,
  PRIMARY KEY (account, name_key, tag_key),
  FOREIGN KEY (account, name_key) REFERENCES instance_profiles (account, name_key) ON DELETE CASCADE
) CLUSTERED;

-- url is without its https://, as the provider's ARN has it. thumbprints are
-- separated by spaces, in their order.
CREATE TABLE oidc_providers (
  account     TEXT NOT NULL,
  url         TEXT NOT NULL,
  thumbprints TEXT NOT NULL,
  created     BIGINT NOT NULL,
  PRIMARY KEY (account, url),
  FOREIGN KEY (account) REFERENCES accounts (account) ON DELETE CASCADE
) CLUSTERED;

CREATE TABLE oidc_client_ids (
  account   TEXT NOT NULL,
  url       TEXT NOT NULL,
  client_id TEXT NOT NULL,
  PRIMARY KEY (account, url, client_id),
  FOREIGN KEY (account, url) REFERENCES oidc_providers (account, url) ON DELETE CASCADE
) CLUSTERED;

CREATE TABLE oidc_provider_tags (
  account   TEXT NOT NULL,
  url       TEXT NOT NULL,
  tag_key   TEXT NOT NULL,
  tag_value TEXT NOT NULL,
  PRIMARY KEY (account, url, tag_key),
  FOREIGN KEY (account, url) REFERENCES oidc_providers (account, url) ON DELETE CASCADE
) CLUSTERED;

CREATE TABLE saml_providers (
  account     TEXT NOT NULL,
  name        TEXT NOT NULL,
  provider_id TEXT NOT NULL,
  metadata    TEXT NOT NULL,
  encryption  TEXT NOT NULL,
  valid_until BIGINT NOT NULL,
  created     BIGINT NOT NULL,
  PRIMARY KEY (account, name),
  FOREIGN KEY (account) REFERENCES accounts (account) ON DELETE CASCADE
) CLUSTERED;

CREATE TABLE saml_private_keys (
  account     TEXT NOT NULL,
  name        TEXT NOT NULL,
  key_id      TEXT NOT NULL,
  private_key BYTES NOT NULL,
  created     BIGINT NOT NULL,
  PRIMARY KEY (account, name, key_id),
  FOREIGN KEY (account, name) REFERENCES saml_providers (account, name) ON DELETE CASCADE
) CLUSTERED;

CREATE TABLE saml_provider_tags (
  account   TEXT NOT NULL,
  name      TEXT NOT NULL,
  tag_key   TEXT NOT NULL,
  tag_value TEXT NOT NULL,
  PRIMARY KEY (account, name, tag_key),
  FOREIGN KEY (account, name) REFERENCES saml_providers (account, name) ON DELETE CASCADE
) CLUSTERED;

CREATE TABLE server_certificates (
  account        TEXT NOT NULL,
  name_key       TEXT NOT NULL,
  name           TEXT NOT NULL,
  path           TEXT NOT NULL,
  certificate_id TEXT NOT NULL,
  body           TEXT NOT NULL,
  chain          TEXT NOT NULL,
  private_key    BYTES NOT NULL,
  uploaded       BIGINT NOT NULL,
  expires        BIGINT NOT NULL,
  PRIMARY KEY (account, name_key),
  FOREIGN KEY (account) REFERENCES accounts (account) ON DELETE CASCADE
) CLUSTERED;

CREATE TABLE server_certificate_tags (
  account   TEXT NOT NULL,
  name_key  TEXT NOT NULL,
  tag_key   TEXT NOT NULL,
  tag_value TEXT NOT NULL,
  PRIMARY KEY (account, name_key, tag_key),
  FOREIGN KEY (account, name_key) REFERENCES server_certificates (account, name_key) ON UPDATE CASCADE ON DELETE CASCADE
) CLUSTERED;

-- When a principal, by its unique id, last called a service; action '' stands
-- for the service as a whole.
CREATE TABLE service_last_used (
  account      TEXT NOT NULL,
  principal_id TEXT NOT NULL,
  service      TEXT NOT NULL,
  action       TEXT NOT NULL,
  used         BIGINT NOT NULL,
  region       TEXT NOT NULL,
  PRIMARY KEY (account, principal_id, service, action),
  FOREIGN KEY (account) REFERENCES accounts (account) ON DELETE CASCADE
) CLUSTERED;

-- What GenerateServiceLastAccessedDetails found, until it is fetched.
CREATE TABLE access_jobs (
  account TEXT NOT NULL,
  job_id  TEXT NOT NULL,
  arn     TEXT NOT NULL,
  created BIGINT NOT NULL,
  result  BYTES NOT NULL,
  PRIMARY KEY (account, job_id),
  FOREIGN KEY (account) REFERENCES accounts (account) ON DELETE CASCADE
) CLUSTERED;

-- The deletions of service-linked roles that were asked for.
CREATE TABLE deletion_tasks (
  account TEXT NOT NULL,
  task_id TEXT NOT NULL,
  created BIGINT NOT NULL,
  status  TEXT NOT NULL,
  PRIMARY KEY (account, task_id),
  FOREIGN KEY (account) REFERENCES accounts (account) ON DELETE CASCADE
) CLUSTERED;
