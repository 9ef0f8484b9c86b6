package signin

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"rollcall/internal/identity"
	"rollcall/internal/store"
)

// The pauses between tries. AWS publishes none; these are ours. Nobody can lock
// a person out for good: each pause ends, and whoever has signed in from an
// address within identity.PlaceMemory waits there for none of the tries of others.
var (
	// pairPause is of one user from one address.
	pairPause = store.Pause{Free: 5, First: 2 * time.Second, Most: 15 * time.Minute, Forget: time.Hour}
	// userPause is of one user from all addresses, but for those it is known from.
	userPause = store.Pause{Free: 20, First: time.Second, Most: time.Minute, Forget: time.Hour}
	// accountPause is of all users of an account, from such addresses.
	accountPause = store.Pause{Free: 200, First: time.Second, Most: 5 * time.Second, Forget: 15 * time.Minute}
	// addressPause is of one address, whoever it tries to be.
	addressPause = store.Pause{Free: 50, First: time.Second, Most: 5 * time.Minute, Forget: time.Hour}
)

// limit is one count that a try is held against.
type limit struct {
	place string
	pause store.Pause
}

// try is a try at the password of somebody who may not exist.
type try struct {
	account  string // its number, or what was typed where there is none
	nameKey  string // folded; "" is root
	exists   bool
	limits   []limit
	from     string // the address as a place that the user may be known from
	reserved bool
}

// network is the address that tries are counted by: of IPv6 the /64 network,
// which one customer has.
func network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if ip = ip.Unmap(); ip.Is4() {
		return ip.String()
	}
	return netip.PrefixFrom(ip.WithZone(""), 64).Masked().Addr().String()
}

// newTry finds out what a try is held against.
func (s *Service) newTry(ctx context.Context, account, name string, exists bool, address string) (*try, error) {
	t := &try{account: account, nameKey: strings.ToLower(name), exists: exists}
	from := network(address)
	t.from = s.iam.Place("from", from)
	t.limits = []limit{
		{s.iam.Place("pair", account, t.nameKey, from), pairPause},
		{s.iam.Place("address", from), addressPause},
	}
	known := false
	if exists {
		err := s.db.View(ctx, func(tx *store.Tx) (err error) {
			known, err = tx.KnowsPlace(account, t.nameKey, t.from, tx.Now.Add(-identity.PlaceMemory))
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	if !known {
		t.limits = append(t.limits, limit{s.iam.UserPlace(account, t.nameKey), userPause}, limit{s.iam.Place("account",
			account), accountPause})
	}
	return t, nil
}

// mustWait says how long the try must wait, without counting it.
func (s *Service) mustWait(ctx context.Context, t *try) error {
	var wait time.Duration
	err := s.db.View(ctx, func(tx *store.Tx) error {
		wait = 0
		for _, l := range t.limits {
			w, err := tx.PauseOf(l.place, l.pause)
			if err != nil {
				return err
			}
			wait = max(wait, w)
		}
		return nil
	})
	if err == nil && wait > 0 {
		err = paused(wait)
	}
	return err
}

// reserve counts the try, before it begins. Of tries that come together, on
// whichever node, no more are let than of those that come one by one.
func (s *Service) reserve(ctx context.Context, t *try) error {
	err := s.db.Update(store.WithoutEvent(ctx), func(tx *store.Tx) error {
		for _, l := range t.limits {
			wait, err := tx.TryAt(l.place, l.pause)
			if err != nil {
				return err
			}
			if wait > 0 {
				return paused(wait)
			}
		}
		return nil
	})
	t.reserved = err == nil
	return err
}

// wasRight takes the try back: it was no guess.
func (s *Service) wasRight(ctx context.Context, t *try) error {
	return s.db.Update(store.WithoutEvent(ctx), func(tx *store.Tx) error {
		for i, l := range t.limits {
			undo := tx.TakeBackTry
			if i == 0 {
				undo = tx.ForgetTries // of this person from here
			}
			if err := undo(l.place); err != nil {
				return err
			}
		}
		return nil
	})
}
