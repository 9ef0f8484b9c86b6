package identity

import (
	"context"
	"errors"
	"time"

	"rollcall/internal/seal"
	"rollcall/internal/store"
)

// KeyConfig says when a data key is replaced by a new one. What an old one
// sealed is opened as long as it can live: secrets of rows for ever, tokens
// for TokenLife after the key that sealed them was replaced.
type KeyConfig struct {
	Messages  int64         // sealed by one key, on all nodes; 0 means seal.MessagesPerKey
	RowAge    time.Duration // of the key of rows; 0 means a year
	TokenAge  time.Duration // of the key of tokens; 0 means 30 days
	TokenLife time.Duration // 0 means 7 days; sessions last 36 hours at most
	Every     time.Duration // how often is looked; 0 means a minute
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
	add     []store.DataKey // without their keys yet
	discard []string        // ids
}

// plan looks at all data keys, oldest first. counts are messages that nobody
// was told of yet.
func (c KeyConfig) plan(keys []store.DataKey, counts map[string]int64, now time.Time) (p keyPlan) {
	for purpose, age := range map[seal.Purpose]time.Duration{seal.Rows: c.RowAge, seal.Tokens: c.TokenAge} {
		var newest *store.DataKey
		for i := range keys {
			k := &keys[i]
			if k.Purpose != purpose {
				continue
			}
			// Tokens that the one before sealed have expired. Keys of rows stay:
			// what they sealed is there, and the first of them proves things.
			if newest != nil && purpose == seal.Tokens && now.Sub(k.Created) >= c.TokenLife {
				p.discard = append(p.discard, newest.ID)
			}
			newest = k
		}
		switch {
		case newest == nil:
			p.add = append(p.add, store.DataKey{WrappedKey: seal.WrappedKey{Purpose: purpose}, Created: now})
		case newest.Sealed+counts[newest.ID] >= c.Messages, now.Sub(newest.Created) >= age:
			// The order of keys is that of their times, also after a clock was
			// set back.
			made := now
			if earliest := newest.Created.Add(time.Second); made.Before(earliest) {
				made = earliest
			}
			p.add = append(p.add, store.DataKey{WrappedKey: seal.WrappedKey{Purpose: purpose}, Created: made})
		}
	}
	return p
}

// tend counts what was sealed, replaces keys that are due, and takes away
// those that nothing needs, in one transaction: a crash leaves all of it or
// nothing. It returns all keys.
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

// openKeyring opens the data keys of a store, and makes the first ones of an
// empty store.
func openKeyring(ctx context.Context, db *store.DB, master *seal.MasterKeys, c KeyConfig) (*seal.Keyring, error) {
	var wrapped []seal.WrappedKey
	err := db.Update(ctx, func(tx *store.Tx) (err error) {
		if wrapped, err = tx.DataKeys(); err != nil {
			return err
		}
		if len(wrapped) > 0 {
			// A wrong master key must not make a key that only it can open.
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

// TendKeys replaces data keys that are due and takes away those that nothing
// needs. What another node made or took away counts here afterwards.
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

// tendKeysFromTimeToTime runs until the service is closed.
func (s *Service) tendKeysFromTimeToTime() {
	for {
		select {
		case <-s.jobsCtx.Done():
			return
		case <-time.After(s.keyLimits.Every):
		}
		if err := s.TendKeys(s.jobsCtx); err != nil && s.jobsCtx.Err() == nil {
			s.log.Warn("data keys not tended, it is tried again", "error", err)
		}
	}
}

// countKeysAtEnd writes down what was sealed since it was last.
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

// openSecret unseals a secret of the store, also one that another node sealed
// with a data key that this one has not read yet.
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
