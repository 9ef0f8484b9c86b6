package ahead_test

import (
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"rollcall/internal/ahead"
)

// count produces the numbers from 0 to n-1 and says how many slots it got.
func count(n int, got *int) func(slot func() *int) {
	return func(slot func() *int) {
		for i := range n {
			s := slot()
			if s == nil {
				return
			}
			*s = i
			*got++
		}
	}
}

func TestItemsComeInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 2000).Draw(t, "items")
		var got int
		q := ahead.Start(count(n, &got))
		defer q.Stop()
		for want := range n {
			item := q.Next()
			if item == nil || *item != want {
				t.Fatalf("item %d is %v", want, item)
			}
		}
		for range 2 {
			if item := q.Next(); item != nil {
				t.Fatalf("after the last item came %d", *item)
			}
		}
	})
}

// TestStopEndsTheProducer also fails if a goroutine is left: a bubble waits for
// all of its goroutines.
func TestStopEndsTheProducer(t *testing.T) {
	for taken := range 400 {
		synctest.Test(t, func(t *testing.T) {
			var got int
			q := ahead.Start(count(1<<40, &got))
			for range taken {
				q.Next()
			}
			q.Stop()
			q.Stop()
			if got < taken || got > taken+3*128 {
				t.Fatalf("the producer ran %d items ahead", got-taken)
			}
		})
	}
}

// TestSlotsAreReused holds that a queue allocates a bounded number of items.
func TestSlotsAreReused(t *testing.T) {
	slots := map[*int]bool{}
	q := ahead.Start(func(slot func() *int) {
		for range 10_000 {
			slots[slot()] = true
		}
	})
	for q.Next() != nil {
	}
	q.Stop()
	if len(slots) > 3*128 {
		t.Fatalf("%d items were allocated", len(slots))
	}
}
