package store

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// Report is a stored credential report. Its bytes are the chunks of its base in
// order, with the patches that were added to the base until this report.
type Report struct {
	Account   string
	Token     int64 // of the job that generated it; grows with every report
	Base      int64 // the token of its base; its own if it is one
	Patches   int64 // the number of patches added to the base until this report
	Generated time.Time
	Published time.Time // in milliseconds, by the engine's clock
	Size      int64     // bytes of the report, uncompressed
	Users     int64     // rows, root's included
	SHA256    string    // hexadecimal, of the uncompressed bytes; "" until SetReportSum
	// Age is the time since Published, by the engine's clock. It is negative if
	// that clock has stepped back since; see YoungerThan.
	Age time.Duration
}

// YoungerThan reports whether the report is younger than a span. A report with
// a negative age was published by a wrong clock, and counts as old.
func (r Report) YoungerThan(span time.Duration) bool { return r.Age >= 0 && r.Age < span }

// ReportJob is the newest report job of an account.
type ReportJob struct {
	Token int64
	Node  string
	// Running is false as soon as the job's lease has expired, on any node.
	Running bool
}

// ReportJob reads the newest job of an account, or returns ErrNotFound.
func (tx *Tx) ReportJob(account string, lease time.Duration) (j ReportJob, err error) {
	err = tx.one([]any{&j.Token, &j.Node, &j.Running}, `SELECT j.token, j.node, `+tx.jobRuns()+`
		FROM report_jobs j WHERE j.account = $2`, lease.Milliseconds(), account)
	return j, err
}

// jobRuns says in SQL whether a job j runs, with the length of leases as $1. A
// lease that ends later than its length from now comes from a clock that has
// since stepped back. Nobody waits for its end.
func (tx *Tx) jobRuns() string {
	return `CASE WHEN j.running = 1 AND j.expires_ms > ` + tx.clock +
		` AND j.expires_ms - CAST($1 AS BIGINT) <= ` + tx.clock + ` THEN 1 ELSE 0 END`
}

// ReportState says how far the reports of an account are.
type ReportState struct {
	Job int64 // the token of the newest job; 0 if there was none
	// Running is ReportJob.Running.
	Running bool
	// Last has the Age of the newest report. The age is negative if there is none.
	Last Report
}

// ReportState reads how far the reports of an account are, by one statement.
func (tx *Tx) ReportState(account string, lease time.Duration) (s ReportState, err error) {
	var age int64
	err = tx.one([]any{&s.Job, &s.Running, &age}, `SELECT COALESCE(j.token, 0), `+tx.jobRuns()+`,
		COALESCE((SELECT `+tx.clock+` - r.published_ms FROM reports r WHERE r.account = $2 ORDER BY r.token DESC LIMIT 1), -1)
		FROM (SELECT 1 AS n) one LEFT JOIN report_jobs j ON j.account = $2`, lease.Milliseconds(), account)
	s.Last.Age = time.Duration(age) * time.Millisecond
	return s, err
}

// StartReportJob takes the account's lease for a node and returns the job's
// token. ErrExists: a job is running. An account's first token is random, so
// that a job of a deleted account never belongs to a later one with its number.
func (tx *Tx) StartReportJob(account, node string, lease time.Duration) (token int64, err error) {
	return tx.startReportJob(account, node, lease, "report_jobs.token")
}

// StartReportJobAfter is StartReportJob if the account's newest job still is the
// one with a token. ErrExists: it is not, or a job is running.
func (tx *Tx) StartReportJobAfter(account, node string, lease time.Duration, newest int64) (token int64, err error) {
	return tx.startReportJob(account, node, lease, "CAST($5 AS BIGINT)", newest)
}

func (tx *Tx) startReportJob(
	account, node string, lease time.Duration, newest string, args ...any,
) (token int64, err error) {
	err = tx.one([]any{&token}, `INSERT INTO report_jobs (account, token, node, running, expires_ms)
		VALUES ($1, $2, $3, 1, CAST($4 AS BIGINT) + `+tx.clock+`)
		ON CONFLICT (account) DO UPDATE SET token = report_jobs.token + 1, node = excluded.node, running = 1, expires_ms = excluded.expires_ms
		WHERE report_jobs.token = `+newest+` AND
		(report_jobs.running = 0 OR report_jobs.expires_ms <= `+tx.clock+` OR report_jobs.expires_ms > excluded.expires_ms)
		RETURNING token`, append([]any{account, 1 + rand.Int64N(1<<40), node, lease.Milliseconds()}, args...)...)
	return token, exists(err)
}

// RenewReportJob extends a job's lease, or corrects it after the clock stepped
// back. ErrConflict: the lease was lost, and its holder must stop.
func (tx *Tx) RenewReportJob(account string, token int64, lease time.Duration) error {
	return lost(tx.change(`UPDATE report_jobs SET expires_ms = CAST($1 AS BIGINT) + `+tx.clock+`
		WHERE account = $2 AND token = $3 AND running = 1 AND expires_ms > `+tx.clock, lease.Milliseconds(), account, token))
}

// EndReportJob returns a job's lease. ErrConflict: it was lost.
func (tx *Tx) EndReportJob(account string, token int64) error {
	return tx.together([]exchange{tx.endReportJob(account, token)})
}

func (tx *Tx) endReportJob(account string, token int64) exchange {
	return exchange{statement{`UPDATE report_jobs SET running = 0
		WHERE account = $1 AND token = $2 AND running = 1 AND expires_ms > ` + tx.clock + ` RETURNING token`,
		[]any{account, token}}, func(r rows) error { return lost(scanOnly(r, []any{&token})) }}
}

func lost(err error) error {
	if errors.Is(err, ErrNotFound) {
		return ErrConflict
	}
	return err
}

// exists turns the ErrNotFound of an insertion that returns its row into ErrExists.
func exists(err error) error {
	if errors.Is(err, ErrNotFound) {
		return ErrExists
	}
	return err
}

// ReportChunk is a stored part of a base: Data is compressed, Size its length
// before that. Pieces says where its pieces are.
type ReportChunk struct {
	Size         int
	Data, Pieces []byte
}

// AddReportChunks stores more of a report under construction, with the first
// chunk as number seq. ErrConflict: the job's lease was lost.
func (tx *Tx) AddReportChunks(account string, token, seq int64, chunks []ReportChunk, lease time.Duration) error {
	if err := tx.RenewReportJob(account, token, lease); err != nil {
		return err
	}
	rows, pieces := make([][]any, len(chunks)), make([][]any, len(chunks))
	for i, c := range chunks {
		rows[i] = []any{account, token, seq + int64(i), c.Size, c.Data}
		pieces[i] = []any{account, token, seq + int64(i), c.Pieces}
	}
	err := tx.c.execMany(tx.ctx,
		`INSERT INTO report_chunks (account, token, seq, size, data) VALUES ($1, $2, $3, $4, $5)`, rows)
	if err != nil {
		return err
	}
	return tx.c.execMany(tx.ctx,
		`INSERT INTO report_pieces (account, token, seq, pieces) VALUES ($1, $2, $3, $4)`, pieces)
}

// ReportHistory says which reports of an account are kept: no more than Count,
// and none older than Age; 0 is no limit. The newest two always are.
type ReportHistory struct {
	Count int
	Age   time.Duration
}

// PublishReport makes a report visible, ends its job, and drops the reports that
// are no longer kept. ErrConflict: the job's lease was lost. The caller then
// calls [DB.DropReportRests].
func (tx *Tx) PublishReport(r Report, keep ReportHistory) error {
	return tx.together(tx.publishReport(r, keep))
}

func (tx *Tx) publishReport(r Report, keep ReportHistory) []exchange {
	token := r.Token
	all := []exchange{tx.endReportJob(r.Account, r.Token), {statement{
		`INSERT INTO reports (account, token, generated, published_ms, size, users, sha256, base, patches)
		VALUES ($1, $2, $3, ` + tx.clock + `, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING token`,
		[]any{r.Account, r.Token, r.Generated, r.Size, r.Users, r.SHA256, r.Base, r.Patches},
	}, func(r rows) error { return exists(scanOnly(r, []any{&token})) }}}
	if keep.Count > 0 {
		all = append(all, exchange{statement{`DELETE FROM reports WHERE account = $1 AND token <=
			(SELECT token FROM reports WHERE account = $1 ORDER BY token DESC LIMIT 1 OFFSET $2)`,
			[]any{r.Account, max(2, keep.Count)}}, takeNone})
	}
	if keep.Age > 0 {
		all = append(all, exchange{statement{`DELETE FROM reports WHERE account = $1 AND published_ms < ` + tx.clock +
			` - CAST($2 AS BIGINT)
		AND token <= (SELECT token FROM reports WHERE account = $1 ORDER BY token DESC LIMIT 1 OFFSET 2)`,
			[]any{r.Account, keep.Age.Milliseconds()}}, takeNone})
	}
	return all
}

// SetReportSum notes the SHA-256 of a report that had none.
func (tx *Tx) SetReportSum(account string, token int64, sha256 string) error {
	_, err := tx.exec(`UPDATE reports SET sha256 = $1 WHERE account = $2 AND token = $3 AND sha256 = ''`, sha256,
		account, token)
	return err
}

func (tx *Tx) oneReport(where string, args ...any) (Report, error) {
	all, err := tx.reports(where+" LIMIT 1", args...)
	if err == nil && len(all) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Report{}, err
	}
	return all[0], nil
}

func (tx *Tx) reports(where string, args ...any) (all []Report, err error) {
	r, err := tx.c.query(tx.ctx, tx.reportsSQL(where), args)
	if err != nil {
		return nil, err
	}
	defer r.close()
	return all, scanReports(r, &all)
}

func (tx *Tx) reportsSQL(where string) string {
	return `SELECT account, token, generated, published_ms, size, users, sha256, base, patches,
		` + tx.clock + ` - published_ms FROM reports WHERE ` + where
}

func scanReports(r rows, all *[]Report) error {
	type row struct {
		Report
		published, age int64
	}
	found, err := scanList(r, func(r *row) []any {
		return []any{&r.Account, &r.Token, &r.Generated, &r.published, &r.Size, &r.Users, &r.SHA256, &r.Base, &r.Patches,
			&r.age}
	})
	for _, f := range found {
		f.Published = time.UnixMilli(f.published).UTC()
		f.Age = time.Duration(f.age) * time.Millisecond
		*all = append(*all, f.Report)
	}
	return err
}

const latestReport = `account = $1 ORDER BY token DESC`

// LatestReport reads the newest report of an account, or ErrNotFound.
func (tx *Tx) LatestReport(account string) (Report, error) {
	return tx.oneReport(latestReport, account)
}

// ReportAt reads the report that was the newest at a time, or ErrNotFound.
func (tx *Tx) ReportAt(account string, at time.Time) (Report, error) {
	return tx.oneReport(`account = $1 AND generated <= $2 ORDER BY token DESC`, account, at)
}

// Reports reads the newest reports of an account, newest first.
func (tx *Tx) Reports(account string, limit int) ([]Report, error) {
	return tx.reports(`account = $1 ORDER BY token DESC LIMIT $2`, account, limit)
}

// ReportChunk reads one chunk of a base, or ErrNotFound after the last.
func (tx *Tx) ReportChunk(account string, base, seq int64) (c ReportChunk, err error) {
	err = tx.one([]any{&c.Size, &c.Data},
		`SELECT size, data FROM report_chunks WHERE account = $1 AND token = $2 AND seq = $3`, account, base, seq)
	return c, err
}

// ReportChunk is Tx.ReportChunk without a transaction around it: a base never
// changes.
func (db *DB) ReportChunk(ctx context.Context, account string, base, seq int64) (c ReportChunk, err error) {
	err = db.Glance(ctx, func(tx *Tx) error {
		c, err = tx.ReportChunk(account, base, seq)
		return err
	})
	return c, err
}
