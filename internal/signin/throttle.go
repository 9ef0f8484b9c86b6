package signin

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"rollcall/internal/identity"
	"rollcall/internal/store"
)

// The pauses between attempts. AWS publishes none; these are ours. Nobody can lock
// a person out permanently, because each pause ends. Attempts of others do not
// delay a person at an address from which that person signed in within
// identity.PlaceMemory.
var (
	// pairPause is for one user from one address.
	pairPause = store.Pause{Free: 5, First: 2 * time.Second, Most: 15 * time.Minute, Forget: time.Hour}
	// userPause is for one user from all addresses, except the user's known
	// addresses.
	userPause = store.Pause{Free: 20, First: time.Second, Most: time.Minute, Forget: time.Hour}
	// accountPause is for all users of an account, from such addresses.
	accountPause = store.Pause{Free: 200, First: time.Second, Most: 5 * time.Second, Forget: 15 * time.Minute}
	// addressPause is for one address, whichever user it tries.
	addressPause = store.Pause{Free: 50, First: time.Second, Most: 5 * time.Minute, Forget: time.Hour}
)

// limit is one count for an attempt.
type limit struct {
	place string
	pause store.Pause
}

// try is an attempt at a password. The person may not exist.
type try struct {
	account  string // its number, or the typed text if there is none
	nameKey  string // folded; "" is root
	exists   bool
	limits   []limit
	from     string // the address as a possible known place of the user
	reserved bool
}

// network returns the address by which attempts are counted. For IPv6 it is the
// /64 network, which belongs to one customer.
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

// newTry returns an attempt with its counts.
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

// mustWait returns how long the attempt must wait. It does not count it.
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

// reserve counts the attempt before it begins. Simultaneous attempts on any
// nodes do not get more tries than consecutive ones.
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

// wasRight undoes the count, because the password was right.
func (s *Service) wasRight(ctx context.Context, t *try) error {
	return s.db.Update(store.WithoutEvent(ctx), func(tx *store.Tx) error {
		for i, l := range t.limits {
			undo := tx.TakeBackTry
			if i == 0 {
				undo = tx.ForgetTries // the person's attempts from this address
			}
			if err := undo(l.place); err != nil {
				return err
			}
		}
		return nil
	})
}
