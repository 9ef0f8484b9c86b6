-- What a role used is written only while the role is there, as for users.
CREATE INDEX roles_id ON roles (account, role_id);

-- Rows that were written after their user or role was deleted.
DELETE FROM service_last_used WHERE
  NOT EXISTS (SELECT 1 FROM users WHERE users.account = service_last_used.account AND users.user_id = service_last_used.principal_id)
  AND NOT EXISTS (SELECT 1 FROM roles WHERE roles.account = service_last_used.account AND roles.role_id = service_last_used.principal_id);
