package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
)

// While the changes of an account are recorded, triggers mark each user whose
// row of the report may have changed, in the transaction of the change. The
// next report then needs the rows of marked users only: docs/decisions/032.

// ReportRecording says since which base the changes of an account are recorded.
type ReportRecording struct {
	Base int64
	// Shape holds what the rows on this base depend on besides the users. It is
	// "" until KeepRecording: a report on the base may miss changes.
	Shape string
}

// StartReportBase begins the base of a job, and the recording of changes from
// here on. Take the snapshot of the base by [DB.ViewSettled]. ErrConflict: the
// job's lease was lost.
func (tx *Tx) StartReportBase(account string, token int64) error {
	// Only the job with the lease may replace a recording.
	err := lost(tx.change(`UPDATE report_jobs SET token = token
		WHERE account = $1 AND token = $2 AND running = 1 AND expires_ms > `+tx.clock, account, token))
	if err != nil {
		return err
	}
	for _, s := range []statement{
		// Their changes are committed, and so in the base.
		{`DELETE FROM report_marks WHERE account = $1`, []any{account}},
		{`INSERT INTO report_recordings (account, base, shape) VALUES ($1, $2, '')
			ON CONFLICT (account) DO UPDATE SET base = excluded.base, shape = ''`, []any{account, token}},
		{`INSERT INTO report_bases (account, token) VALUES ($1, $2) ON CONFLICT DO NOTHING`, []any{account, token}},
	} {
		if _, err := tx.exec(s.sql, s.args...); err != nil {
			return err
		}
	}
	return nil
}

// KeepRecording says that no change since the snapshot of a base went
// unrecorded, and of what shape its rows are.
func (tx *Tx) KeepRecording(account string, base int64, shape string) error {
	_, err := tx.exec(`UPDATE report_recordings SET shape = $1 WHERE account = $2 AND base = $3`, shape, account, base)
	return err
}

// StopRecording ends the recording of an account's changes.
func (tx *Tx) StopRecording(account string) error {
	_, err := tx.exec(`DELETE FROM report_recordings WHERE account = $1`, account)
	return err
}

// ReportMark says that the row of a user may have changed. The version changes
// with each such change.
type ReportMark struct {
	NameKey string
	Version int64
}

// ReportPatch says how the row of a user in the reports on a base differs from
// that in the base, from one report on.
type ReportPatch struct {
	NameKey, Data string
}

// PublishPatches is PublishReport for a report with patches. It adds them, and
// forgets the marks that the report has seen.
func (tx *Tx) PublishPatches(r Report, patches []ReportPatch, seen []ReportMark, keep ReportHistory) error {
	added := make([][]any, len(patches))
	for i, p := range patches {
		added[i] = []any{r.Account, r.Base, p.NameKey, r.Token, p.Data}
	}
	all := append(tx.publishReport(r, keep),
		insertions(`INSERT INTO report_patches (account, base, name_key, since, data)`, added)...)
	return tx.together(append(all, tx.forgetMarks(r.Account, seen)...))
}

// forgetMarks deletes the marks that still have the version that was seen.
func (tx *Tx) forgetMarks(account string, seen []ReportMark) (all []exchange) {
	sql := fmt.Sprintf(`DELETE FROM report_marks WHERE account = $1 AND name_key `+tx.in+`
		AND name_key || ' ' || CAST(version AS TEXT) `+tx.in, "$2", "$3")
	for some := range slices.Chunk(seen, keyBatch) { // versions are compared one by one
		users, versions := make([]string, len(some)), make([]string, len(some))
		for i, m := range some {
			users[i], versions[i] = m.NameKey, fmt.Sprintf("%s %d", m.NameKey, m.Version)
		}
		all = append(all, exchange{statement{sql, []any{account, tx.list(users), tx.list(versions)}}, takeNone})
	}
	return all
}

// newestPatch restricts a query of patches p to the last of each user, up to the
// report of a placeholder.
const newestPatch = ` AND p.since = (SELECT max(n.since) FROM report_patches n
	WHERE n.account = p.account AND n.base = p.base AND n.name_key = p.name_key AND n.since <= %s)`

// ReportPatches reads up to limit patches of a report, in order of name, from
// the first whose name is or follows the given one. ErrNotFound: the report was
// dropped.
func (db *DB) ReportPatches(ctx context.Context, r Report, from string, limit int) (all []ReportPatch, err error) {
	err = db.View(ctx, func(tx *Tx) error {
		var token int64
		err := tx.one([]any{&token}, `SELECT token FROM reports WHERE account = $1 AND token = $2`, r.Account, r.Token)
		if err != nil {
			return err
		}
		all, err = list(tx, patchFields, `SELECT p.name_key, p.data FROM report_patches p
			WHERE p.account = $1 AND p.base = $2 AND p.name_key >= $3`+fmt.Sprintf(newestPatch, "$4")+`
			ORDER BY p.name_key LIMIT $5`, r.Account, r.Base, from, r.Token, limit)
		return err
	})
	return all, err
}

func patchFields(p *ReportPatch) []any { return []any{&p.NameKey, &p.Data} }

// ReportPlace says where a piece of a base is: in which chunk, and where in its
// data.
type ReportPlace struct {
	Chunk    int64
	At, Size int
}

// ReportPieces says where the pieces of a base are, by chunk.
func (tx *Tx) ReportPieces(account string, base int64) ([][]byte, error) {
	return list(tx, func(b *[]byte) []any { return []any{b} },
		`SELECT pieces FROM report_pieces WHERE account = $1 AND token = $2 ORDER BY seq`, account, base)
}

// PatchedOf reads pieces of the base of a report, and the patches that some users
// have in it, in no order. Its queries look up each piece and each user by itself,
// because a planner that does not know yet how large a new base is chooses others.
func (tx *Tx) PatchedOf(
	r Report, places []ReportPlace, nameKeys []string,
) (pieces [][]byte, patches []ReportPatch, err error) {
	patched := exchange{statement{
		`WITH found (name_key, data) AS MATERIALIZED (SELECT u.value, (SELECT p.data FROM report_patches p
			WHERE p.account = $1 AND p.base = $2 AND p.name_key = u.value AND p.since <= $3 ORDER BY p.since DESC LIMIT 1)
			FROM ` + fmt.Sprintf(tx.each, "$4") + ` u)
		SELECT name_key, data FROM found WHERE data IS NOT NULL`,
		[]any{r.Account, r.Base, r.Token, tx.list(nameKeys)},
	}, takeMany(&patches, patchFields)}
	err = tx.together([]exchange{tx.piecesAt(r, places, &pieces), patched})
	return pieces, patches, err
}

// piecesAt reads pieces of the base of a report.
func (tx *Tx) piecesAt(r Report, places []ReportPlace, pieces *[][]byte) exchange {
	wanted := make([][3]int64, len(places))
	for i, p := range places {
		wanted[i] = [...]int64{p.Chunk, int64(p.At) + 1, int64(p.Size)}
	}
	list, _ := json.Marshal(wanted) // numbers have no errors
	sql := `SELECT (SELECT substr(c.data, w.start, w.size) FROM report_chunks c
		WHERE c.account = $1 AND c.token = $2 AND c.seq = w.chunk) FROM ` + fmt.Sprintf(tx.places, "$3") + ` w ORDER BY w.place`
	return exchange{statement{sql, []any{r.Account, r.Base, string(list)}}, func(r rows) (err error) {
		*pieces, err = scanList(r, func(b *[]byte) []any { return []any{b} })
		if err == nil && slices.ContainsFunc(*pieces, isNull) {
			err = ErrNotFound
		}
		return err
	}}
}

func isNull(b []byte) bool { return b == nil }
