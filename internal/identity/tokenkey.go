package identity

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"rollcall/internal/seal"
	"rollcall/internal/store"
)

const (
	// IssuerDocumentAge is the time for which a verifier may cache an issuer's
	// documents.
	IssuerDocumentAge = 5 * time.Minute
	// tokenKeyLead is the time for which a new key is published before it
	// signs. Verifiers that cache documents for as long as they may know the
	// key by then.
	tokenKeyLead = 2 * IssuerDocumentAge
	// tokenKeyLife is the time for which a key stays published after its last
	// signature. A token lives for at most an hour, and clocks differ.
	tokenKeyLife = time.Hour + 5*time.Minute
)

// keyIDs are the prefixes of key ids for each algorithm. A number follows.
// AWS's ids are RSA_0 and EC384_0 (recorded).
var keyIDs = map[string]string{"RS256": "RSA_", "ES384": "EC384_"}

func tokenKeyID(k store.TokenKey) string { return keyIDs[k.Algorithm] + strconv.Itoa(k.Serial) }

// tokenKeyPlace returns the place that the private key of an issuer is sealed
// for.
func tokenKeyPlace(issuer store.TokenIssuer, k store.TokenKey) seal.Location {
	key := issuer.Account + "/" + issuer.ID + "/" + tokenKeyID(k)
	return seal.Location{Table: "token_keys", Key: key, Column: "private_key"}
}

// newTokenKey is a key that is in no store yet.
type newTokenKey = seal.TokenKey

// newTokenKeys creates a key for each algorithm.
func newTokenKeys() (keys []newTokenKey, err error) {
	for _, algorithm := range seal.TokenAlgorithms {
		k, err := seal.NewTokenKey(algorithm)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// sealTokenKey returns a key in its stored form.
func (s *Service) sealTokenKey(issuer store.TokenIssuer, k newTokenKey, serial int, signs time.Time) store.TokenKey {
	row := store.TokenKey{
		Account: issuer.Account, Algorithm: k.Algorithm, Serial: serial, Public: k.Public, Signs: signs,
	}
	row.Private = s.keys.SealSecret(k.Private, tokenKeyPlace(issuer, row))
	return row
}

// published returns the keys that can verify a token that may still be valid.
func published(keys []store.TokenKey, now time.Time) []store.TokenKey {
	return slices.DeleteFunc(slices.Clone(keys), func(k store.TokenKey) bool { return ended(k, now) })
}

// ended says whether a key is no longer published.
func ended(k store.TokenKey, now time.Time) bool { return !k.Ends.IsZero() && !now.Before(k.Ends) }

// signingKey returns the newest key of an algorithm that may sign already. keys
// are in the order of their numbers. If a clock has stepped back, no key may
// sign yet. Then the first key signs, because verifiers have known it longest.
func signingKey(keys []store.TokenKey, algorithm string, now time.Time) (found store.TokenKey, ok bool) {
	for _, k := range published(keys, now) {
		if k.Algorithm == algorithm && (!ok || !now.Before(k.Signs)) {
			found, ok = k, true
		}
	}
	return found, ok
}

// TokenKeysRotated is the result of a rotation.
type TokenKeysRotated struct {
	KeyIDs []string  // of the new keys
	Signs  time.Time // the time from which they sign
	Ended  []string  // ids of the keys that are no longer published
}

// RotateTokenKeys gives the issuer of an account new keys. They are published
// at once. They sign when no verifier can still use cached documents without
// them. The previous keys stay published until their last token expires. With
// compromised the new keys sign at once and all others are deleted: a verifier
// that reads the documents again can no longer verify their tokens.
func (s *Service) RotateTokenKeys(
	ctx context.Context, account string, compromised bool,
) (done TokenKeysRotated, err error) {
	keys, err := newTokenKeys()
	if err == nil {
		err = s.db.Update(store.OnAccount(ctx, account), func(tx *store.Tx) (err error) {
			done, err = s.rotateTokenKeys(tx, account, keys, compromised)
			return err
		})
	}
	if err != nil {
		return done, fmt.Errorf("rotate token keys: %w", err)
	}
	return done, nil
}

func (s *Service) rotateTokenKeys(
	tx *store.Tx, account string, made []newTokenKey, compromised bool,
) (done TokenKeysRotated, err error) {
	issuer, err := tx.TokenIssuer(account)
	if errors.Is(err, store.ErrNotFound) {
		return done, fmt.Errorf("account %s has no token keys: outbound federation was never enabled", account)
	}
	if err != nil {
		return done, err
	}
	all, err := tx.TokenKeys(account)
	if err != nil {
		return done, err
	}
	now := second(tx.Now)
	done.Signs = now.Add(tokenKeyLead)
	if compromised {
		done.Signs = now
	} else if next, waiting := waitingKey(all, now); waiting {
		return done, fmt.Errorf("account %s has new token keys that sign from %s on",
			account, next.Signs.Format(time.RFC3339))
	}
	serials := map[string]int{}
	for _, k := range all {
		serials[k.Algorithm] = max(serials[k.Algorithm], k.Serial+1)
		deleted, err := endTokenKey(tx, k, done.Signs, now, compromised)
		if err != nil {
			return done, err
		}
		if deleted {
			done.Ended = append(done.Ended, tokenKeyID(k))
		}
	}
	for _, k := range made {
		row := s.sealTokenKey(issuer, k, serials[k.Algorithm], done.Signs)
		done.KeyIDs = append(done.KeyIDs, tokenKeyID(row))
		if err := tx.InsertTokenKey(row); err != nil {
			return done, err
		}
	}
	return done, nil
}

// waitingKey finds a key that is published and does not sign yet. It ignores a
// key whose time was set by a clock that has since stepped back.
func waitingKey(keys []store.TokenKey, now time.Time) (store.TokenKey, bool) {
	for _, k := range keys {
		if k.Signs.After(now) && !k.Signs.After(now.Add(tokenKeyLead)) {
			return k, true
		}
	}
	return store.TokenKey{}, false
}

// endTokenKey sets the time at which a replaced key is no longer published. It
// deletes the key if that time has come.
func endTokenKey(tx *store.Tx, k store.TokenKey, followed, now time.Time, compromised bool) (deleted bool, err error) {
	if compromised || ended(k, now) {
		return true, tx.DeleteTokenKey(k.Account, k.Algorithm, k.Serial)
	}
	if !k.Ends.IsZero() && k.Ends.Before(followed.Add(tokenKeyLife)) {
		return false, nil
	}
	return false, tx.EndTokenKey(k.Account, k.Algorithm, k.Serial, followed.Add(tokenKeyLife))
}
