package guard_test

import (
	"errors"
	"strings"
	"testing"

	"rollcall/internal/guard"
)

func TestRun(t *testing.T) {
	own := errors.New("its own")
	if err := guard.Run(func() error { return own }); err != own { //nolint:errorlint // not even wrapped
		t.Errorf("an error came back as %v", err)
	}
	err := guard.Run(func() error {
		var none []int
		none[0] = 1
		return nil
	})
	var p *guard.Panic
	if !errors.As(err, &p) || !strings.Contains(err.Error(), "out of range") ||
		!strings.Contains(string(p.Stack), "TestRun") {
		t.Errorf("a panic came back as %v", err)
	}
}
