package identity

import (
	"context"
	"errors"
	"time"

	"rollcall/internal/guard"
	"rollcall/internal/seal"
	"rollcall/internal/store"
)

// KeyConfig says when a data key is replaced by a new one. An old key still
// opens everything it sealed: row secrets without limit, tokens until TokenLife
// after the key was replaced.
type KeyConfig struct {
	Messages  int64         // messages that one key seals on all nodes; 0 means seal.MessagesPerKey
	RowAge    time.Duration // age of the key for rows; 0 means a year
	TokenAge  time.Duration // age of the key for tokens; 0 means 30 days
	TokenLife time.Duration // 0 means 7 days; sessions last 36 hours at most
	Every     time.Duration // interval between checks; 0 means a minute
}

func (c KeyConfig) withDefaults() KeyConfig {
	const day = 24 * time.Hour
	if c.Messages == 0 {
		c.Messages = seal.MessagesPerKey
	}
	for _, d := range []struct {
		of *time.Duration
		is time.Duration
	}{{&c.RowAge, 365 * day}, {&c.TokenAge, 30 * day}, {&c.TokenLife, 7 * day}, {&c.Every, time.Minute}} {
		if *d.of == 0 {
			*d.of = d.is
		}
	}
	return c
}

// keyPlan holds the necessary changes of the data keys of a store.
type keyPlan struct {
	add     []store.DataKey // without the key material yet
	discard []string        // ids of keys to discard
}

// plan decides which data keys to add and discard. keys are sorted by age,
// oldest first. counts are the messages that are not in the store yet.
func (c KeyConfig) plan(keys []store.DataKey, counts map[string]int64, now time.Time) (p keyPlan) {
	for purpose, age := range map[seal.Purpose]time.Duration{seal.Rows: c.RowAge, seal.Tokens: c.TokenAge} {
		var newest *store.DataKey
		for i := range keys {
			k := &keys[i]
			if k.Purpose != purpose {
				continue
			}
			// The tokens of the previous key have expired. Keys for rows stay:
			// the secrets that they sealed still exist, and the first key
			// derives proofs.
			if newest != nil && purpose == seal.Tokens && now.Sub(k.Created) >= c.TokenLife {
				p.discard = append(p.discard, newest.ID)
			}
			newest = k
		}
		switch {
		case newest == nil:
			p.add = append(p.add, store.DataKey{WrappedKey: seal.WrappedKey{Purpose: purpose}, Created: now})
		case newest.Sealed+counts[newest.ID] >= c.Messages, now.Sub(newest.Created) >= age:
			// Keys are ordered by time, even if a clock was set back.
			made := now
			if earliest := newest.Created.Add(time.Second); made.Before(earliest) {
				made = earliest
			}
			p.add = append(p.add, store.DataKey{WrappedKey: seal.WrappedKey{Purpose: purpose}, Created: made})
		}
	}
	return p
}

// tend adds to the counts of sealed messages, replaces keys that are due and
// discards keys that nothing needs, in one transaction. After a crash, either
// all of it or none has happened. It returns all keys.
func (c KeyConfig) tend(tx *store.Tx, master *seal.MasterKeys, counts map[string]int64) ([]seal.WrappedKey, error) {
	keys, err := tx.AllDataKeys()
	if err != nil {
		return nil, err
	}
	p := c.plan(keys, counts, second(tx.Now))
	for id, n := range counts {
		if err := tx.CountSealed(id, n); err != nil {
			return nil, err
		}
	}
	for _, k := range p.add {
		made, err := seal.NewDataKey(master, k.Purpose)
		if err != nil {
			return nil, err
		}
		k.WrappedKey = made
		if err := tx.InsertDataKey(k); err != nil {
			return nil, err
		}
	}
	for _, id := range p.discard {
		if err := tx.DeleteDataKey(id); err != nil {
			return nil, err
		}
	}
	return tx.DataKeys()
}

// openKeyring opens the data keys of a store. It creates the first keys of an
// empty store.
func openKeyring(ctx context.Context, db *store.DB, master *seal.MasterKeys, c KeyConfig) (*seal.Keyring, error) {
	var wrapped []seal.WrappedKey
	err := db.Update(ctx, func(tx *store.Tx) (err error) {
		if wrapped, err = tx.DataKeys(); err != nil {
			return err
		}
		if len(wrapped) > 0 {
			// A wrong master key must not create a data key that only it can
			// open.
			if _, err := seal.NewKeyring(master, wrapped); err != nil {
				return err
			}
		}
		wrapped, err = c.tend(tx, master, nil)
		return err
	})
	if err != nil {
		return nil, err
	}
	return seal.NewKeyring(master, wrapped)
}

// TendKeys replaces data keys that are due and discards keys that nothing
// needs. It also loads the changes that other nodes made.
func (s *Service) TendKeys(ctx context.Context) error {
	counts := s.keys.TakeSealed()
	var wrapped []seal.WrappedKey
	due := len(counts) > 0
	err := s.db.View(ctx, func(tx *store.Tx) error {
		keys, err := tx.AllDataKeys()
		p := s.keyLimits.plan(keys, counts, second(tx.Now))
		due = due || len(p.add) > 0 || len(p.discard) > 0
		wrapped = wrapped[:0]
		for _, k := range keys {
			wrapped = append(wrapped, k.WrappedKey)
		}
		return err
	})
	if err == nil && due {
		err = s.db.Update(ctx, func(tx *store.Tx) (err error) {
			wrapped, err = s.keyLimits.tend(tx, s.master, counts)
			return err
		})
	}
	if err != nil {
		s.keys.GiveSealed(counts)
		return err
	}
	return s.keys.Load(wrapped)
}

// tendKeysFromTimeToTime calls TendKeys until the service is closed.
func (s *Service) tendKeysFromTimeToTime() {
	for {
		select {
		case <-s.jobsCtx.Done():
			return
		case <-time.After(s.keyLimits.Every):
		}
		if err := guard.Run(func() error { return s.TendKeys(s.jobsCtx) }); err != nil && s.jobsCtx.Err() == nil {
			s.log.Warn("data keys not replaced or deleted; will try again", "error", err)
		}
	}
}

// countKeysAtEnd stores the counts of messages that were sealed since the last
// check.
func (s *Service) countKeysAtEnd() {
	counts := s.keys.TakeSealed()
	if len(counts) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		for id, n := range counts {
			if err := tx.CountSealed(id, n); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		s.log.Warn("messages sealed by data keys not counted", "error", err)
	}
}

// openSecret unseals a secret of the store, even if another node sealed it with
// a data key that this node has not read yet.
func (s *Service) openSecret(ctx context.Context, sealed []byte, at seal.Location) (seal.Secret, error) {
	secret, err := s.keys.OpenSecret(sealed, at)
	var unknown seal.UnknownDataKeyError
	if !errors.As(err, &unknown) {
		return secret, err
	}
	if err := s.reloadKeys(ctx); err != nil {
		return seal.Secret{}, err
	}
	return s.keys.OpenSecret(sealed, at)
}

func (s *Service) reloadKeys(ctx context.Context) error {
	var wrapped []seal.WrappedKey
	err := s.db.View(ctx, func(tx *store.Tx) (err error) {
		wrapped, err = tx.DataKeys()
		return err
	})
	if err != nil {
		return err
	}
	return s.keys.Load(wrapped)
}
