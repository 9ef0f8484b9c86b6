package sts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"rollcall/internal/guard"
)

// keySet holds the public keys of one identity provider: a JSON Web Key Set
// that the operator has named, in a file or at a URL. It is read on first use,
// again after an hour, and when a token names a key that is not in it, but no
// more often than the pause allows.
//
// The sender of a token is unknown until the token is verified. So a read
// belongs to no caller: it has its own deadline, only one runs at a time, and
// no lock is held while it runs.
type keySet struct {
	source string // a file's path, or an http or https URL
	client *http.Client
	now    func() time.Time
	log    *slog.Logger
	period time.Duration // keySetPeriod
	file   chan struct{} // holds a token while the file is read

	mu      sync.Mutex
	keys    []jose.JSONWebKey
	read    time.Time     // when keys was read
	tried   time.Time     // when a read began last
	err     error         // of the last read
	reading chan struct{} // closed when the read that runs ends; nil if none does
}

const (
	keySetAge    = time.Hour
	keySetPause  = 10 * time.Second
	keySetMax    = 1 << 20 // bytes
	keySetPeriod = 5 * time.Second
)

func newKeySet(source string, now func() time.Time, log *slog.Logger) *keySet {
	return &keySet{
		source: source, client: &http.Client{CheckRedirect: checkKeyRedirect}, now: now, log: log,
		period: keySetPeriod, file: make(chan struct{}, 1),
	}
}

// checkKeyRedirect allows a provider to redirect to another path of its own
// host. Another host, or plain HTTP, is not what the operator has named.
func checkKeyRedirect(r *http.Request, via []*http.Request) error {
	first := via[0].URL
	if len(via) > 3 || r.URL.Scheme != first.Scheme || r.URL.Host != first.Host {
		return errors.New("it redirects to another place")
	}
	return nil
}

// find returns the keys that may have signed a token: the one that the token
// names, or all if it names none. An error says that none could be read.
func (k *keySet) find(ctx context.Context, id string) ([]jose.JSONWebKey, error) {
	if reading := k.refresh(id); reading != nil {
		select {
		case <-reading:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.keys == nil {
		return nil, fmt.Errorf("read keys of %s: %w", k.source, k.err)
	}
	return k.named(id), nil // keys that were read before stay valid if they cannot be read again
}

// refresh starts a read if one is due, and returns a channel to wait for.
func (k *keySet) refresh(id string) (reading <-chan struct{}) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	known := len(k.named(id)) > 0
	if known && within(now, k.read, keySetAge) {
		return nil
	}
	if k.reading == nil && !within(now, k.tried, keySetPause) {
		k.tried, k.reading = now, make(chan struct{})
		go k.renew(now, k.reading)
	}
	// Tokens whose key is known do not wait for a provider that failed.
	if k.reading == nil || known && k.err != nil {
		return nil
	}
	return k.reading
}

// within reports whether a time is less than a span ago. If it is in the
// future, this clock has stepped back: it counts as long ago.
func within(now, at time.Time, span time.Duration) bool {
	age := now.Sub(at)
	return !at.IsZero() && age >= 0 && age < span
}

// renew reads the keys. It logs a failure once, however many tokens wait for
// the read.
func (k *keySet) renew(now time.Time, done chan<- struct{}) {
	ctx, cancel := context.WithTimeout(context.Background(), k.period)
	defer cancel()
	var keys []jose.JSONWebKey
	err := guard.Run(func() (err error) { // somebody else wrote what is read
		keys, err = k.load(ctx)
		return err
	})
	if err != nil && k.log != nil {
		k.log.Warn("keys of an identity provider not read", "source", k.source, "error", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if err == nil {
		k.keys, k.read = keys, now
	}
	k.err, k.reading = err, nil
	close(done)
}

func (k *keySet) named(id string) (found []jose.JSONWebKey) {
	for _, key := range k.keys {
		if id == "" || key.KeyID == id {
			found = append(found, key)
		}
	}
	return found
}

func (k *keySet) load(ctx context.Context) ([]jose.JSONWebKey, error) {
	text, err := k.text(ctx)
	if err != nil {
		return nil, err
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, fmt.Errorf("it is not a JSON Web Key Set: %w", err)
	}
	keys := []jose.JSONWebKey{}
	for _, raw := range set.Keys {
		var key jose.JSONWebKey
		// Keys of other kinds, for other uses, and private keys are skipped.
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
		return k.fileText(ctx)
	}
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

// fileText reads the file in a separate goroutine, so a file system that hangs
// blocks only that goroutine.
func (k *keySet) fileText(ctx context.Context) ([]byte, error) {
	select {
	case k.file <- struct{}{}:
	default:
		return nil, errors.New("the file is still being read")
	}
	type answer struct {
		text []byte
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		defer func() { <-k.file }()
		text, err := readRegular(k.source)
		answers <- answer{text, err}
	}()
	select {
	case a := <-answers:
		return a.text, a.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// readRegular reads a file. It refuses a pipe or a device, because nobody knows
// when it ends.
func readRegular(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readBounded(f)
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

// ParseWebIdentityKeys reads an operator's list of identity providers: the URL
// of each issuer, an equals sign, and the file or URL of its JSON Web Key Set.
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
