package identity

import (
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/api"
	"rollcall/internal/principal"
	"rollcall/internal/samlmetadata"
	"rollcall/internal/seal"
	"rollcall/internal/store"
)

// metadataYears is the validity of a provider from the time of its metadata,
// whatever their validUntil says (recorded).
const metadataYears = 100

// samlKeyPlace returns the place that the private key of a provider is sealed
// for.
func samlKeyPlace(account, id string) seal.Location {
	return seal.Location{Table: "saml_private_keys", Key: account + "/" + id, Column: "private_key"}
}

// samlProvider reads the provider that an action names by its ARN. The text is
// recorded for GetSAMLProvider and DeleteSAMLProvider.
func samlProvider(tx *store.Tx, c principal.Caller, arn string) (store.SAMLProvider, error) {
	name, err := arnName(c, arn, "saml-provider")
	if err != nil {
		return store.SAMLProvider{}, err
	}
	p, err := tx.SAMLProvider(c.Account(), name)
	if errors.Is(err, store.ErrNotFound) {
		err = errNoSAMLProvider(arn)
	}
	return p, err
}

func errNoSAMLProvider(arn string) error {
	return fail("NoSuchEntity", "Manifest not found for arn %s", arn)
}

func samlProviderARN(c principal.Caller, name string) *string {
	return ptr(api.IAMARN(c, "saml-provider", "/"+name))
}

// setMetadata sets the metadata of a provider. The error for unreadable
// metadata has no details (recorded).
func setMetadata(tx *store.Tx, p *store.SAMLProvider, text string) error {
	m, err := samlmetadata.Parse(text)
	if errors.Is(err, samlmetadata.ErrNoIssuer) {
		return fail("InvalidInput", "SAML Providers must reference at least one SAML assertion issuer.") // recorded
	}
	if err != nil {
		return fail("InvalidInput", "Could not parse metadata")
	}
	// The name of the quota is a guess.
	if err := checkQuota(tx, p.Account, certificatesPerSAMLProvider, len(m.Signing)); err != nil {
		return err
	}
	p.Metadata, p.ValidUntil = text, tx.Now.AddDate(metadataYears, 0, 0)
	return nil
}

// parsePrivateKey reads one PEM private key without a password. Its errors
// never repeat the input.
func parsePrivateKey(text string) (any, error) {
	block := onePEM(text)
	if block == nil {
		return nil, errors.New("not one PEM block")
	}
	for _, parse := range []func([]byte) (any, error){
		x509.ParsePKCS8PrivateKey,
		func(der []byte) (any, error) { return x509.ParsePKCS1PrivateKey(der) },
		func(der []byte) (any, error) { return x509.ParseECPrivateKey(der) },
	} {
		if key, err := parse(block.Bytes); err == nil {
			switch key.(type) {
			case *rsa.PrivateKey, *ecdsa.PrivateKey:
				return key, nil
			}
		}
	}
	return nil, errors.New("no private key of RSA or ECDSA")
}

// addSAMLKey seals a private key and adds it to a provider within the quota.
// The text for the quota is recorded. The text for an invalid key is a guess.
func (s *Service) addSAMLKey(tx *store.Tx, p store.SAMLProvider, text string) error {
	if _, err := parsePrivateKey(text); err != nil {
		return fail("InvalidInput", "The private key is not valid.")
	}
	k := store.SAMLPrivateKey{Account: p.Account, Name: p.Name, ID: seal.NewID("SAMLPK", 22), Created: tx.Now}
	k.Key = s.keys.SealSecret(seal.NewSecret(text), samlKeyPlace(k.Account, k.ID))
	if err := tx.InsertSAMLPrivateKey(k); err != nil {
		return err
	}
	all, err := tx.SAMLPrivateKeys(p.Account, p.Name)
	if err != nil {
		return err
	}
	most, err := inForce(tx, p.Account, keysPerSAMLProvider)
	if err == nil && len(all) > most {
		err = fail("LimitExceeded", "Private key limit of %d is reached.", most)
	}
	return err
}

// checkEncryption returns an error if encryption is required but no key can
// decrypt (recorded).
func checkEncryption(tx *store.Tx, p store.SAMLProvider) error {
	if p.Encryption != string(types.AssertionEncryptionModeTypeRequired) {
		return nil
	}
	keys, err := tx.SAMLPrivateKeys(p.Account, p.Name)
	if err == nil && len(keys) == 0 {
		err = fail("InvalidInput",
			"Failed to set assertion encryption mode to Required because no private key is present.")
	}
	return err
}

// CreateSAMLProvider adds a provider from its metadata.
func (s *Service) CreateSAMLProvider(
	ctx context.Context, in *iam.CreateSAMLProviderInput,
) (*iam.CreateSAMLProviderOutput, error) {
	c := principal.Of(ctx)
	tags, err := exactTagKeys.read(in.Tags)
	if err != nil {
		return nil, err
	}
	p := store.SAMLProvider{
		Account: c.Account(), Name: *in.Name, ID: seal.NewID("SAMLSP", 22),
		Encryption: string(in.AssertionEncryptionMode),
	}
	if in.AssertionEncryptionMode == types.AssertionEncryptionModeTypeRequired && in.AddPrivateKey == nil {
		return nil, fail("ValidationError",
			"Unable to set assertion encryption mode to Required because no private key is provided.")
	}
	if p.Encryption == "" {
		p.Encryption = string(types.AssertionEncryptionModeTypeAllowed) // recorded
	}
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		p.Created = tx.Now
		if err := setMetadata(tx, &p, *in.SAMLMetadataDocument); err != nil {
			return err
		}
		if err := tx.InsertSAMLProvider(p); err != nil {
			if errors.Is(err, store.ErrExists) {
				return fail("EntityAlreadyExists", "SAMLProvider with name %s already exists.", p.Name) // a guess
			}
			return err
		}
		all, err := tx.SAMLProviders(p.Account)
		if err != nil {
			return err
		}
		if err := checkQuota(tx, p.Account, samlProvidersPerAccount, len(all)); err != nil {
			return err
		}
		if in.AddPrivateKey != nil {
			if err := s.addSAMLKey(tx, p, *in.AddPrivateKey); err != nil {
				return err
			}
		}
		return insertTags(tx, store.SAMLProviderTags, p.Account, p.Name, tags)
	})
	if err != nil {
		return nil, err
	}
	return &iam.CreateSAMLProviderOutput{SAMLProviderArn: samlProviderARN(c, p.Name), Tags: tagsOut(tags)}, nil
}

// GetSAMLProvider returns a provider with its metadata and the ids of its
// private keys.
func (s *Service) GetSAMLProvider(
	ctx context.Context, in *iam.GetSAMLProviderInput,
) (*iam.GetSAMLProviderOutput, error) {
	c := principal.Of(ctx)
	var out iam.GetSAMLProviderOutput
	err := s.db.View(ctx, func(tx *store.Tx) error {
		p, err := samlProvider(tx, c, *in.SAMLProviderArn)
		if err != nil {
			return err
		}
		keys, err := tx.SAMLPrivateKeys(p.Account, p.Name)
		if err != nil {
			return err
		}
		tags, err := tx.Tags(store.SAMLProviderTags, p.Account, p.Name, maxTags)
		out = iam.GetSAMLProviderOutput{
			SAMLProviderUUID: &p.ID, SAMLMetadataDocument: &p.Metadata, CreateDate: when(p.Created),
			ValidUntil:              when(p.ValidUntil),
			AssertionEncryptionMode: types.AssertionEncryptionModeType(p.Encryption),
			// Recorded: lists are present even if they are empty.
			PrivateKeyList: make([]types.SAMLPrivateKey, len(keys)), Tags: someTags(tags),
		}
		for i, k := range keys {
			out.PrivateKeyList[i] = types.SAMLPrivateKey{KeyId: &k.ID, Timestamp: when(k.Created)}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

// ListSAMLProviders lists all providers.
func (s *Service) ListSAMLProviders(
	ctx context.Context, _ *iam.ListSAMLProvidersInput,
) (*iam.ListSAMLProvidersOutput, error) {
	c := principal.Of(ctx)
	var all []store.SAMLProvider
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		all, err = tx.SAMLProviders(c.Account())
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &iam.ListSAMLProvidersOutput{SAMLProviderList: make([]types.SAMLProviderListEntry, len(all))}
	for i, p := range all {
		out.SAMLProviderList[i] = types.SAMLProviderListEntry{
			Arn: samlProviderARN(c, p.Name), CreateDate: when(p.Created), ValidUntil: when(p.ValidUntil),
		}
	}
	return out, nil
}

// UpdateSAMLProvider replaces the given parts: the metadata, the encryption
// mode, and the private keys, one of which is added or removed. The errors are
// recorded, except the one for a missing key.
func (s *Service) UpdateSAMLProvider(
	ctx context.Context, in *iam.UpdateSAMLProviderInput,
) (*iam.UpdateSAMLProviderOutput, error) {
	c := principal.Of(ctx)
	if err := checkSAMLUpdate(in); err != nil {
		return nil, err
	}
	var p store.SAMLProvider
	err := s.db.Update(ctx, func(tx *store.Tx) (err error) {
		if p, err = samlProvider(tx, c, *in.SAMLProviderArn); err != nil {
			return err
		}
		if in.SAMLMetadataDocument != nil {
			if err := setMetadata(tx, &p, *in.SAMLMetadataDocument); err != nil {
				return err
			}
		}
		if in.AssertionEncryptionMode != "" {
			p.Encryption = string(in.AssertionEncryptionMode)
		}
		if in.RemovePrivateKey != nil {
			if err := removeSAMLKey(tx, p, *in.RemovePrivateKey); err != nil {
				return err
			}
		}
		if in.AddPrivateKey != nil {
			if err := s.addSAMLKey(tx, p, *in.AddPrivateKey); err != nil {
				return err
			}
		}
		if err := checkEncryption(tx, p); err != nil {
			return err
		}
		return tx.UpdateSAMLProvider(p)
	})
	if err != nil {
		return nil, err
	}
	return &iam.UpdateSAMLProviderOutput{SAMLProviderArn: samlProviderARN(c, p.Name)}, nil
}

// removeSAMLKey removes a private key from a provider, unless it is the last
// one and assertions must be encrypted.
func removeSAMLKey(tx *store.Tx, p store.SAMLProvider, id string) error {
	err := tx.DeleteSAMLPrivateKey(p.Account, p.Name, id)
	if errors.Is(err, store.ErrNotFound) {
		return fail("NoSuchEntity", "Private key with id %s cannot be found.", id) // a guess
	}
	if err != nil || p.Encryption != string(types.AssertionEncryptionModeTypeRequired) {
		return err
	}
	left, err := tx.SAMLPrivateKeys(p.Account, p.Name)
	if err == nil && len(left) == 0 {
		err = fail("InvalidInput", "Failed to remove private key.")
	}
	return err
}

// checkSAMLUpdate returns an error for an update of nothing, and for one that
// both adds and removes a key.
func checkSAMLUpdate(in *iam.UpdateSAMLProviderInput) error {
	switch {
	case in.AddPrivateKey != nil && in.RemovePrivateKey != nil:
		return fail("ValidationError", "Unable to add and remove private keys in the same request. "+
			"Set a value for only one of the two parameters.")
	case in.SAMLMetadataDocument == nil && in.AssertionEncryptionMode == "" && in.AddPrivateKey == nil &&
		in.RemovePrivateKey == nil:
		return fail("ValidationError", "Unable to update identity provider. "+
			"No updates are defined for metadata or encryption assertion.")
	}
	return nil
}

// DeleteSAMLProvider deletes a provider with its private keys. Roles that trust
// it stay but can no longer be assumed with its assertions.
func (s *Service) DeleteSAMLProvider(
	ctx context.Context, in *iam.DeleteSAMLProviderInput,
) (*iam.DeleteSAMLProviderOutput, error) {
	c := principal.Of(ctx)
	name, err := arnName(c, *in.SAMLProviderArn, "saml-provider")
	if err == nil {
		err = s.db.Update(ctx, func(tx *store.Tx) error {
			err := tx.DeleteSAMLProvider(c.Account(), name)
			if errors.Is(err, store.ErrNotFound) {
				err = errNoSAMLProvider(*in.SAMLProviderArn)
			}
			return err
		})
	}
	return &iam.DeleteSAMLProviderOutput{}, err
}
