package store

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"
)

const (
	// forgetPage is the number of rows that one view looks at.
	forgetPage = 5000
	// forgetBatch is the number of rows that one update deletes, so that edits
	// do not wait behind it.
	forgetBatch = 200
)

// aging is a table whose rows are deleted by their age.
type aging struct {
	table, dated string
	key          []string // the primary key's columns, all texts
}

var (
	agingUses  = aging{"service_last_used", "used", []string{"account", "principal_id", "service", "action"}}
	agingJobs  = aging{"access_jobs", "created", []string{"account", "job_id"}}
	agingTasks = aging{"deletion_tasks", "created", []string{"account", "task_id"}}

	agingSessions = aging{"signin_sessions", "created", []string{"account", "session_id"}}
	agingTickets  = aging{"signin_tickets", "created", []string{"account", "ticket_id"}}
	agingTools    = aging{"tool_sessions", "created", []string{"account", "tool_id"}}
	agingProofs   = aging{"tool_proofs", "shown", []string{"account", "proof_id"}}
	agingPauses   = aging{"signin_pauses", "last", []string{"place"}}
	agingPlaces   = aging{"signin_places", "last", []string{"account", "name_key", "place"}}
)

// ForgetServiceUses deletes the uses of services before a time.
func (db *DB) ForgetServiceUses(ctx context.Context, before time.Time) error {
	return db.forget(ctx, agingUses, before)
}

// ForgetAccessJobs deletes the access reports that were created before a time.
func (db *DB) ForgetAccessJobs(ctx context.Context, before time.Time) error {
	return db.forget(ctx, agingJobs, before)
}

// ForgetDeletionTasks deletes the deletion tasks that were requested before a
// time.
func (db *DB) ForgetDeletionTasks(ctx context.Context, before time.Time) error {
	return db.forget(ctx, agingTasks, before)
}

// ForgetSignIns deletes the sessions and tickets that began before a time, and
// the proofs and the tries at passwords that a quiet time has followed.
func (db *DB) ForgetSignIns(ctx context.Context, begun, quiet time.Time) error {
	return errors.Join(db.forget(ctx, agingSessions, begun), db.forget(ctx, agingTools, begun),
		db.forget(ctx, agingTickets, begun), db.forget(ctx, agingProofs, quiet), db.forget(ctx, agingPauses, quiet))
}

// ForgetPlaces deletes the places from which users signed in before a time.
func (db *DB) ForgetPlaces(ctx context.Context, before time.Time) error {
	return db.forget(ctx, agingPlaces, before)
}

// forget deletes the rows of a table with a date before a time, or a date from
// a clock that has since stepped back. It looks for them in short views, which
// block nobody, and deletes them in small batches. It needs no index on the
// date, which every use would have to update.
func (db *DB) forget(ctx context.Context, a aging, before time.Time) error {
	after := make([]string, len(a.key))
	for {
		var old [][]any
		last, n := after, 0
		err := db.View(ctx, func(tx *Tx) (err error) {
			old, last, n, err = a.old(tx, after, before)
			return err
		})
		for err == nil && len(old) > 0 {
			batch := old[:min(len(old), forgetBatch)]
			old = old[len(batch):]
			err = db.Update(ctx, func(tx *Tx) error { return tx.c.execMany(tx.ctx, a.deleteSQL(), batch) })
		}
		if err != nil || n < forgetPage {
			return err
		}
		after = last
	}
}

// old reads a page of the table. It returns the arguments of deleteSQL for the
// rows to delete, the key of the last row, and the number of rows.
func (a aging) old(tx *Tx, after []string, before time.Time) (old [][]any, last []string, n int, err error) {
	args := []any{}
	for _, k := range after {
		args = append(args, k)
	}
	r, err := tx.c.query(tx.ctx, a.selectSQL(), append(args, forgetPage))
	if err != nil {
		return nil, nil, 0, err
	}
	defer r.close()
	future := tx.Now.Add(ClockSkew)
	for r.next() {
		n++
		last = make([]string, len(a.key))
		var dated time.Time
		dest, row := []any{}, []any{}
		for i := range last {
			dest = append(dest, &last[i])
		}
		if err := r.scan(append(dest, &dated)...); err != nil {
			return nil, nil, 0, err
		}
		if dated.Before(before) || dated.After(future) {
			for _, k := range last {
				row = append(row, k)
			}
			old = append(old, append(row, before, future))
		}
	}
	return old, last, n, r.err()
}

func (a aging) selectSQL() string {
	columns := strings.Join(a.key, ", ")
	return "SELECT " + columns + ", " + a.dated + " FROM " + a.table +
		" WHERE (" + columns + ") > (" + places(1, len(a.key)) + ")" +
		" ORDER BY " + columns + " LIMIT " + places(len(a.key)+1, 1)
}

func (a aging) deleteSQL() string {
	n := len(a.key)
	return "DELETE FROM " + a.table +
		" WHERE (" + strings.Join(a.key, ", ") + ") = (" + places(1, n) + ")" +
		" AND (" + a.dated + " < " + places(n+1, 1) + " OR " + a.dated + " > " + places(n+2, 1) + ")"
}

// places returns n placeholders from a number on.
func places(from, n int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = "$" + strconv.Itoa(from+i)
	}
	return strings.Join(all, ", ")
}
