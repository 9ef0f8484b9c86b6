package store

import "time"

// Stats holds figures about the store in this process.
type Stats struct {
	// Remembered and Read count look-ups of callers: those that memory answered,
	// and those that the database did.
	Remembered, Read uint64
	// Queued is the number of changes that wait: for the writer of SQLite, or on
	// PostgreSQL for a turn. Longest is the number of those that wait for the
	// same turn.
	Queued, Longest int
	// PendingUses is the number of last uses that are not written yet, and
	// Flushed the time at which the last complete write ended.
	PendingUses int
	Flushed     time.Time
}

// Stats returns the figures of this moment.
func (db *DB) Stats() Stats {
	s := Stats{
		Remembered: db.callers.remembered.Load(), Read: db.callers.read.Load(),
		Flushed: time.Unix(0, db.used.flushed.Load()),
	}
	db.used.mu.Lock()
	s.PendingUses = len(db.used.keys) + len(db.used.passwords)
	db.used.mu.Unlock()
	switch e := db.engine.(type) {
	case *sqlite:
		if e.writer != nil {
			s.Queued = len(e.writer.queue) + int(e.writer.before.Load())
			s.Longest = s.Queued
		}
	case *postgres:
		s.Queued, s.Longest = e.turns.depth()
	}
	return s
}
