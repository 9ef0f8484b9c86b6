package identity

import (
	"time"
)

// ReportConfig says when reports are made anew and how long they are kept.
type ReportConfig struct {
	// MaxAge is how old a report may be for Generate to be content with it;
	// 0 means 10 s. IAM's own is 4 h.
	MaxAge time.Duration
	// Expiry is how old a report may be for Get to give it; 0 means for ever.
	Expiry time.Duration
	// History is how many reports of an account are kept; 0 means 100.
	History int
}

func (c ReportConfig) withDefaults() ReportConfig {
	if c.MaxAge == 0 {
		c.MaxAge = 10 * time.Second
	}
	if c.History <= 0 {
		c.History = 100
	}
	return c
}
