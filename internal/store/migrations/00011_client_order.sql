-- Client ids of an OpenID Connect provider are listed as they were added, those
-- from before this column in their own order and first.
ALTER TABLE oidc_client_ids ADD COLUMN seq BIGINT NOT NULL DEFAULT 0;
