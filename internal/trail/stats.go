package trail

// Stats holds figures about a trail.
type Stats struct {
	Waiting int // records that the writer has not taken yet
	Kept    int // records that a failing sink did not take
	Lost    int // records that were dropped since the sink failed
	Failed  bool
}

// Stats returns the figures of this moment.
func (t *Trail) Stats() Stats {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := Stats{Kept: t.failing.keptN, Lost: t.failing.lost, Failed: !t.healthy.Load()}
	if t.next != nil {
		s.Waiting = len(t.next.lines)
	}
	return s
}
