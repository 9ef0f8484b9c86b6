package store

import (
	"context"
	"time"
)

// accountContext is the key of the account in a context.
type accountContext struct{}

// OnAccount says that the changes under the context belong to one account.
// Engines with several writers queue the changes of an account before they
// begin, because the changes share the account's counters and would otherwise
// undo one another. This only affects the speed of changes.
func OnAccount(ctx context.Context, account string) context.Context {
	return context.WithValue(ctx, accountContext{}, account)
}

// accountOf returns the account that OnAccount named, or "".
func accountOf(ctx context.Context) string {
	account, _ := ctx.Value(accountContext{}).(string)
	return account
}

// patienceContext is the key of the patience in a context.
type patienceContext struct{}

// Patiently removes Config.Timeout from transactions under the context, for
// reports, backups and operators: they may take as long as they need. On
// engines with a server a single statement ends after limit; 0 means never. A
// deadline of the context still counts.
func Patiently(ctx context.Context, limit time.Duration) context.Context {
	return context.WithValue(ctx, patienceContext{}, limit)
}

func patient(ctx context.Context) bool {
	_, ok := ctx.Value(patienceContext{}).(time.Duration)
	return ok
}
