package store

import (
	"context"
	"sync"
	"time"
)

// ServiceUse is one attempt of a principal to call an action.
type ServiceUse struct {
	Account   string
	Principal string // its unique id, which begins with AIDA or AROA
	Service   string // the service's namespace: iam, sts
	Action    string // empty in results for the whole service
	At        time.Time
	Region    string
}

// serviceUses collects attempts in memory, the latest of each action of a
// principal, as lastUsed does for credentials.
type serviceUses struct {
	mu   sync.Mutex
	last map[serviceAction]serviceUse
}

type serviceAction struct{ account, principal, service, action string }

type serviceUse struct {
	at     time.Time
	region string
}

// note stores a use if it is later than the one of the same action by span.
func (u *serviceUses) note(of serviceAction, use serviceUse, later func(have, use time.Time) bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.last == nil {
		u.last = map[serviceAction]serviceUse{}
	}
	if have, ok := u.last[of]; !ok || later(have.at, use.at) {
		u.last[of] = use
	}
}

// take returns all noted uses and clears them.
func (u *serviceUses) take() map[serviceAction]serviceUse {
	u.mu.Lock()
	defer u.mu.Unlock()
	all := u.last
	u.last = nil
	return all
}

// ServiceUsed notes that a principal called an action, whether it was allowed
// or not. It never waits for the database. Flush does.
func (db *DB) ServiceUsed(use ServiceUse) {
	db.used.services.note(serviceAction{use.Account, use.Principal, use.Service, use.Action},
		serviceUse{use.At, use.Region}, db.used.later)
}

// flushServices writes the noted uses. Uses that cannot be written now are
// written the next time.
func (u *lastUsed) flushServices(ctx context.Context) error {
	uses := u.services.take()
	if len(uses) == 0 {
		return nil
	}
	// The last use of a service is the last use of any of its actions.
	services := map[serviceAction]serviceUse{}
	for of, use := range uses {
		of.action = ""
		if have, ok := services[of]; !ok || have.at.Before(use.at) {
			services[of] = use
		}
	}
	span := int64(u.span / time.Second)
	var args [][]any
	for _, kind := range []map[serviceAction]serviceUse{uses, services} {
		for of, use := range kind {
			args = append(args, []any{of.service, of.action, use.at, use.region, of.account, of.principal, span})
		}
	}
	// The user or the role may have been deleted since.
	err := u.writeBatches(ctx, args,
		`INSERT INTO service_last_used (account, principal_id, service, action, used, region)
		SELECT account, user_id, CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS BIGINT), CAST($4 AS TEXT)
		FROM users WHERE account = $5 AND user_id = $6
		UNION ALL
		SELECT account, role_id, CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS BIGINT), CAST($4 AS TEXT)
		FROM roles WHERE account = $5 AND role_id = $6
		ON CONFLICT (account, principal_id, service, action) DO UPDATE SET used = excluded.used, region = excluded.region
		WHERE `+replaces("service_last_used", "$7"))
	if err != nil {
		for of, use := range uses {
			u.services.note(of, use, newer)
		}
	}
	return err
}

// ServiceUses reads the uses of principals, of whole services and of their
// actions, in the order of principal, service and action. Call Flush first to
// include the pending uses of this node.
func (tx *Tx) ServiceUses(account string, principalIDs ...string) ([]ServiceUse, error) {
	return tx.serviceUses("", account, principalIDs)
}

// ServicesUsed is ServiceUses for whole services.
func (tx *Tx) ServicesUsed(account string, principalIDs ...string) ([]ServiceUse, error) {
	return tx.serviceUses("AND action = '' ", account, principalIDs)
}

func (tx *Tx) serviceUses(only, account string, principalIDs []string) ([]ServiceUse, error) {
	if len(principalIDs) == 0 {
		return nil, nil
	}
	args := padded([]any{account}, principalIDs)
	return list(tx, func(u *ServiceUse) []any {
		return []any{&u.Account, &u.Principal, &u.Service, &u.Action, &u.At, &u.Region}
	}, `SELECT account, principal_id, service, action, used, region FROM service_last_used
		WHERE account = $1 AND principal_id IN (`+places(2, len(args)-1)+`) `+only+
		`ORDER BY principal_id, service, action`, args...)
}

// LastServiceUse reads the last use of a principal, or returns ErrNotFound.
func (tx *Tx) LastServiceUse(account, principalID string) (u ServiceUse, err error) {
	err = tx.one([]any{&u.Account, &u.Principal, &u.Service, &u.At, &u.Region},
		`SELECT account, principal_id, service, used, region FROM service_last_used
		WHERE account = $1 AND principal_id = $2 AND action = '' ORDER BY used DESC, service LIMIT 1`, account, principalID)
	return u, err
}
