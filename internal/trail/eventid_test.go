package trail_test

import (
	"testing"

	"github.com/google/uuid"

	"rollcall/internal/trail"
)

func TestEventIDsAreInOrder(t *testing.T) {
	last := ""
	for range 1000 {
		id := trail.NewEventID()
		if id <= last || uuid.Validate(id) != nil {
			t.Fatalf("%s after %s", id, last)
		}
		last = id
	}
}
