package store

import (
	"context"
	"encoding/binary"

	"github.com/jackc/pgx/v5"
)

// scanPage is the number of users in one page of a scan. It is large enough
// that the round trips do not matter, and small enough to limit the memory.
const scanPage = 10_000

const scanUsersPage = `SELECT name_key, name, path, created FROM users
	WHERE account = $1 AND name_key >= $2 ORDER BY name_key LIMIT $3`

// postgresPage is one page of one table, in memory: all values one after the
// other, and the end of each.
type postgresPage struct {
	data    []byte
	ends    []uint32
	columns int
	row     int // 1-based; 0 before the first
}

func (p *postgresPage) rows() int { return len(p.ends) / max(1, p.columns) }

func (p *postgresPage) value(row, column int) []byte {
	i := row*p.columns + column
	start := uint32(0)
	if i > 0 {
		start = p.ends[i-1]
	}
	return p.data[start:p.ends[i]]
}

func (p *postgresPage) step() bool {
	p.row++
	return p.row <= p.rows()
}

func (p *postgresPage) text(column int) []byte { return p.value(p.row-1, column) }
func (p *postgresPage) number(column int) int64 {
	return int64(binary.BigEndian.Uint64(p.value(p.row-1, column)))
}
func (p *postgresPage) err() error { return nil }

// read takes all rows of a query; limit 0 means no limit.
func (p *postgresPage) read(r pgx.Rows, limit int) (more []byte, err error) {
	*p = postgresPage{data: p.data[:0], ends: p.ends[:0], columns: len(r.FieldDescriptions())}
	for r.Next() {
		values := r.RawValues()
		if limit > 0 && p.rows() == limit {
			more = append([]byte{}, values[0]...)
			continue
		}
		for _, v := range values {
			p.data = append(p.data, v...)
			p.ends = append(p.ends, uint32(len(p.data)))
		}
	}
	return more, r.Err()
}

// scanPages holds two sets of pages: one is merged while the other is read.
type scanPages [scanTables]postgresPage

// scan reads pages of users, and the same range of keys of every other table.
// The users of the next page travel with the rest of this one, so a page costs
// one round trip.
func (c *postgresConn) scan(ctx context.Context, account string, fn func(*CredentialRow) error) error {
	if err := c.start(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	full, empty := make(chan *scanPages), make(chan *scanPages, 2)
	empty <- &scanPages{}
	empty <- &scanPages{}
	failed := make(chan error, 1)
	go func() {
		defer close(full)
		failed <- c.readPages(ctx, account, full, empty)
	}()
	m := newMerge()
	var err error
	for pages := range full {
		var sources [scanTables]source
		for i := range pages {
			sources[i] = &pages[i]
		}
		if err = m.run(ctx, sources, fn); err != nil {
			break
		}
		empty <- pages
	}
	// This goroutine owns the transaction again only when the reader has ended.
	cancel()
	for range full {
	}
	if readErr := <-failed; err == nil {
		err = readErr
	}
	return err
}

func (c *postgresConn) scanOf(
	ctx context.Context, sql [scanTables]string, args []any, fn func(*CredentialRow) error,
) error {
	args, err := postgresArgs(ctx, args)
	if err != nil {
		return err
	}
	if err := c.start(); err != nil {
		return err
	}
	batch := &pgx.Batch{}
	for _, sql := range sql {
		batch.Queue(sql, args...)
	}
	step, done := c.step()
	defer done()
	results := c.pooled.SendBatch(step, batch)
	defer func() { _ = results.Close() }()
	var sources [scanTables]source
	for i := range sources {
		page := &postgresPage{}
		r, err := results.Query()
		if err == nil {
			_, err = page.read(r, 0)
		}
		if err != nil {
			return c.fail(err)
		}
		sources[i] = page
	}
	if err := results.Close(); err != nil {
		return c.fail(err)
	}
	return newMerge().run(ctx, sources, fn)
}

func (c *postgresConn) readPages(
	ctx context.Context, account string, full chan<- *scanPages, empty <-chan *scanPages,
) error {
	users := &postgresPage{}
	step, done := c.step()
	r, err := c.pooled.Query(step, scanUsersPage, account, "", int64(scanPage+1))
	if err != nil {
		done()
		return c.fail(err)
	}
	next, err := users.read(r, scanPage)
	done()
	for lo := ""; err == nil; {
		var pages *scanPages
		select {
		case pages = <-empty:
		case <-ctx.Done():
			return ctx.Err()
		}
		pages[scanUsers], *users = *users, pages[scanUsers]
		hi := endKey
		if next != nil {
			hi = string(next)
		}
		if next, err = c.readPage(account, lo, hi, pages, users); err != nil {
			break
		}
		select {
		case full <- pages:
		case <-ctx.Done():
			return ctx.Err()
		}
		if hi == endKey {
			return nil
		}
		lo = hi
	}
	return c.fail(err)
}

// readPage reads every other table from lo to hi, and the users from hi on.
func (c *postgresConn) readPage(
	account, lo, hi string, pages *scanPages, users *postgresPage,
) (next []byte, err error) {
	batch := &pgx.Batch{}
	for i := scanUsers + 1; i < scanTables; i++ {
		batch.Queue(scanSQL[i], account, lo, hi)
	}
	if hi != endKey {
		batch.Queue(scanUsersPage, account, hi, int64(scanPage+1))
	}
	step, done := c.step()
	defer done()
	results := c.pooled.SendBatch(step, batch)
	defer func() { _ = results.Close() }()
	for i := scanUsers + 1; i < scanTables; i++ {
		r, err := results.Query()
		if err != nil {
			return nil, err
		}
		if _, err := pages[i].read(r, 0); err != nil {
			return nil, err
		}
	}
	if hi != endKey {
		r, err := results.Query()
		if err != nil {
			return nil, err
		}
		if next, err = users.read(r, scanPage); err != nil {
			return nil, err
		}
	}
	return next, results.Close()
}
