package store

import (
	"context"
	"time"

	"rollcall/internal/trail"
)

const (
	// headAge is the age at which the head of a trail is stored although no row
	// of the outbox has to be removed: the trail then has records of reads only.
	headAge = 10 * time.Second
	// headLife is the age at which a head is forgotten, because nobody writes
	// to its file any more.
	headLife = 400 * 24 * time.Hour
)

const trailHeadColumns = `place, host, path, chain, seq, hash, proof`

// keepHeadSQL never goes back in a chain: several processes may write to one
// file.
func (d dialect) keepHeadSQL() string {
	return `INSERT INTO trail_heads (` + trailHeadColumns + `, stored_ms)
		VALUES ($1, $2, $3, $4, $5, $6, $7, ` + d.clock + `)
		ON CONFLICT (place) DO UPDATE SET host = excluded.host, path = excluded.path, chain = excluded.chain,
		seq = excluded.seq, hash = excluded.hash, proof = excluded.proof, stored_ms = excluded.stored_ms
		WHERE trail_heads.chain <> excluded.chain OR trail_heads.seq < excluded.seq`
}

func headArgs(h *trail.KnownHead) []any {
	return []any{h.Place, h.Host, h.Path, h.Chain, int64(h.Seq), h.Hash, h.Proof}
}

// KeepTrailHead stores a head, unless it is nil or stored already.
func (db *DB) KeepTrailHead(ctx context.Context, head *trail.KnownHead) error {
	if db.memory || db.outbox.hasHead(head) {
		return nil
	}
	err := db.aside(ctx, func(c conn) error {
		_, err := c.exec(ctx, db.keepHeadSQL(), headArgs(head))
		return err
	})
	if err == nil {
		db.outbox.forgot(0, head)
	}
	return err
}

// TrailHeads reads the heads of all files of the trail.
func (db *DB) TrailHeads(ctx context.Context) (heads []trail.KnownHead, err error) {
	err = db.Glance(ctx, func(tx *Tx) (err error) {
		heads, err = tx.trailHeads()
		return err
	})
	return heads, err
}

func (tx *Tx) trailHeads() ([]trail.KnownHead, error) {
	type row struct {
		trail.KnownHead
		seq int64
	}
	rows, err := list(tx, func(r *row) []any {
		return []any{&r.Place, &r.Host, &r.Path, &r.Chain, &r.seq, &r.Hash, &r.Proof}
	}, `SELECT `+trailHeadColumns+` FROM trail_heads ORDER BY host, path, place`)
	heads := make([]trail.KnownHead, len(rows))
	for i, r := range rows {
		heads[i] = r.KnownHead
		heads[i].Seq = uint64(r.seq)
	}
	return heads, err
}

// ForgetTrailHead deletes the head of a file.
func (db *DB) ForgetTrailHead(ctx context.Context, place string) error {
	return db.aside(ctx, func(c conn) error {
		_, err := c.exec(ctx, `DELETE FROM trail_heads WHERE place = $1`, []any{place})
		return err
	})
}
