package sts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// keySet is the public keys of one identity provider: a JSON Web Key Set that
// the operator has named, in a file or at a URL. It is read when it is first
// needed, again when it is an hour old, and when a token names a key that is
// not in it, but no more often than the pause allows.
type keySet struct {
	source string // a file's path, or an http or https URL
	client *http.Client
	now    func() time.Time

	mu    sync.Mutex
	keys  []jose.JSONWebKey
	tried time.Time // when it was read last, with whatever success
}

const (
	keySetAge    = time.Hour
	keySetPause  = 10 * time.Second
	keySetMax    = 1 << 20 // bytes
	keySetPeriod = 5 * time.Second
)

// find returns the keys that a token may have been signed with: the one it
// names, or all where it names none. An error says that none could be read.
func (k *keySet) find(ctx context.Context, id string) ([]jose.JSONWebKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	found := k.named(id)
	now := k.now()
	if len(found) > 0 && now.Before(k.tried.Add(keySetAge)) || !k.tried.IsZero() && now.Before(k.tried.Add(keySetPause)) {
		if k.keys == nil {
			return nil, errors.New("the keys could not be read a moment ago")
		}
		return found, nil
	}
	k.tried = now
	keys, err := k.read(ctx)
	if err != nil {
		if k.keys == nil {
			return nil, fmt.Errorf("read keys of %s: %w", k.source, err)
		}
		return found, nil // what was read before stays good
	}
	k.keys = keys
	return k.named(id), nil
}

func (k *keySet) named(id string) (found []jose.JSONWebKey) {
	for _, key := range k.keys {
		if id == "" || key.KeyID == id {
			found = append(found, key)
		}
	}
	return found
}

func (k *keySet) read(ctx context.Context) ([]jose.JSONWebKey, error) {
	text, err := k.text(ctx)
	if err != nil {
		return nil, err
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, fmt.Errorf("it is no JSON Web Key Set: %w", err)
	}
	keys := []jose.JSONWebKey{}
	for _, raw := range set.Keys {
		var key jose.JSONWebKey
		// Keys of other kinds, for other uses, or private ones are passed over.
		if key.UnmarshalJSON(raw) == nil && key.IsPublic() && key.Use != "enc" {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("it has no public key that signs")
	}
	return keys, nil
}

func (k *keySet) text(ctx context.Context) ([]byte, error) {
	if !isURL(k.source) {
		f, err := os.Open(k.source)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return readBounded(f)
	}
	ctx, cancel := context.WithTimeout(ctx, keySetPeriod)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, k.source, nil)
	if err != nil {
		return nil, err
	}
	answer, err := k.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the answer is %s", answer.Status)
	}
	return readBounded(answer.Body)
}

func readBounded(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, keySetMax+1))
	if err == nil && len(text) > keySetMax {
		err = fmt.Errorf("it is longer than %d bytes", keySetMax)
	}
	return text, err
}

func isURL(source string) bool {
	return strings.HasPrefix(source, "https://") || strings.HasPrefix(source, "http://")
}

// ParseWebIdentityKeys reads what an operator says of identity providers: the
// URL of each issuer, an equals sign, and the file or URL of its JSON Web Key
// Set.
func ParseWebIdentityKeys(list []string) (map[string]string, error) {
	sources := map[string]string{}
	for _, text := range list {
		issuer, source, ok := strings.Cut(text, "=")
		if !ok || source == "" || !strings.HasPrefix(issuer, "https://") || issuer == "https://" {
			return nil, fmt.Errorf("%q is not https://ISSUER=FILE or https://ISSUER=URL", text)
		}
		if _, twice := sources[issuer]; twice {
			return nil, fmt.Errorf("the keys of %s are given twice", issuer)
		}
		sources[issuer] = source
	}
	return sources, nil
}
