package store

import "context"

// restBatch is the number of rows that one update of DropReportRests deletes, so
// that edits do not wait behind it.
const restBatch = 1000

// DropReportRests deletes bases that belong to no report and are older than a
// job: what a crashed job, or the drop of their reports, left behind.
func (db *DB) DropReportRests(ctx context.Context, account string, token int64) error {
	var bases []int64
	err := db.Glance(ctx, func(tx *Tx) (err error) {
		bases, err = list(tx, func(n *int64) []any { return []any{n} }, `SELECT token FROM report_bases
			WHERE account = $1 AND token < $2 AND NOT EXISTS
			(SELECT 1 FROM reports r WHERE r.account = report_bases.account AND r.base = report_bases.token)`,
			account, token)
		return err
	})
	for _, base := range bases {
		for left := true; left && err == nil; {
			err = db.Update(ctx, func(tx *Tx) error {
				n, err := tx.dropPatches(account, base)
				if left = n > 0; err != nil || left {
					return err
				}
				return tx.dropBase(account, base)
			})
		}
	}
	return err
}

// dropPatches deletes some patches of a base, and returns their number.
func (tx *Tx) dropPatches(account string, base int64) (int64, error) {
	return tx.exec(`DELETE FROM report_patches WHERE account = $1 AND base = $2 AND (name_key, since) IN
		(SELECT name_key, since FROM report_patches WHERE account = $1 AND base = $2
		ORDER BY name_key, since LIMIT $3)`, account, base, restBatch)
}

func (tx *Tx) dropBase(account string, base int64) error {
	for _, sql := range []string{
		`DELETE FROM report_chunks WHERE account = $1 AND token = $2`,
		`DELETE FROM report_pieces WHERE account = $1 AND token = $2`,
		`DELETE FROM report_bases WHERE account = $1 AND token = $2`,
	} {
		if _, err := tx.exec(sql, account, base); err != nil {
			return err
		}
	}
	return nil
}

// ForgetRecordings ends the recordings with more marks than a report reads, and
// deletes the marks that belong to no recording.
func (db *DB) ForgetRecordings(ctx context.Context, marks int) error {
	var many []string
	err := db.View(ctx, func(tx *Tx) (err error) {
		many, err = list(tx, func(s *string) []any { return []any{s} }, `SELECT account FROM report_recordings
			WHERE (SELECT count(*) FROM report_marks m WHERE m.account = report_recordings.account) > $1`, marks)
		return err
	})
	for _, account := range many {
		if err == nil {
			err = db.Update(ctx, func(tx *Tx) error { return tx.StopRecording(account) })
		}
	}
	for deleted := int64(1); err == nil && deleted > 0; {
		var lost [][]any
		err = db.View(ctx, func(tx *Tx) error {
			all, err := list(tx, func(m *[2]string) []any { return []any{&m[0], &m[1]} },
				`SELECT account, name_key FROM report_marks WHERE NOT EXISTS
				(SELECT 1 FROM report_recordings r WHERE r.account = report_marks.account) LIMIT $1`, restBatch)
			for _, m := range all {
				lost = append(lost, []any{m[0], m[1]})
			}
			return err
		})
		if deleted = int64(len(lost)); err == nil && deleted > 0 {
			err = db.Update(ctx, func(tx *Tx) error {
				return tx.c.execMany(tx.ctx, `DELETE FROM report_marks WHERE account = $1 AND name_key = $2 AND NOT EXISTS
					(SELECT 1 FROM report_recordings r WHERE r.account = report_marks.account)`, lost)
			})
		}
	}
	return err
}
