package identity

import (
	"testing"
	"time"
)

// A pause after wrong codes does not outlast a clock that has stepped back.
func TestCodePauseAfterStepBack(t *testing.T) {
	var c codeTries
	now := time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC)
	for c.begin("device", now) {
	}
	if c.begin("device", now.Add(-time.Minute)) {
		t.Error("a pause ends with a little step")
	}
	if !c.begin("device", now.Add(-4*time.Hour)) {
		t.Error("a pause lasts for hours")
	}
}
