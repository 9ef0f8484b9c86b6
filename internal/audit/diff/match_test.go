package diff

import (
	"testing"

	"rollcall/report"
)

// rowOf returns a row with up to two keys, each from two bytes: whether it
// exists and is active, when it was created, and when it was last used.
func rowOf(b []byte) *report.Row {
	var r report.Row
	for i := range r.Keys {
		kind, made := b[2*i], b[2*i+1]
		if kind&1 == 0 {
			continue
		}
		k := &r.Keys[i]
		k.Active = report.BoolOf(kind&2 != 0)
		k.LastRotated = report.AtUnix(int64(made % 4))
		if kind&4 != 0 {
			k.LastUsed = report.AtUnix(10 + int64(kind>>4))
		}
		if kind&8 != 0 {
			k.LastRotated = report.None(report.Malformed)
		}
	}
	return &r
}

// FuzzMatch matches the keys of any two rows. Each key with a creation time is
// in exactly one pair, partners were created in the same second, as many pairs
// as possible exist, and places matter only if nothing else distinguishes two
// keys.
func FuzzMatch(f *testing.F) {
	f.Add([]byte{3, 1, 3, 2, 3, 2, 3, 1})
	f.Add([]byte{3, 1, 3, 1, 3, 1, 0, 0})
	f.Add([]byte{1, 1, 0, 0, 3, 1, 7, 1})
	f.Add([]byte{11, 1, 7, 1, 0x37, 1, 0x17, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < 8 {
			return
		}
		a, z := rowOf(b), rowOf(b[4:])
		old, new := keysOf(a), keysOf(z)
		pairs := match(&old, &new)
		count := map[*credential]int{}
		together := 0
		for _, p := range pairs {
			if p.old == nil && p.new == nil {
				t.Fatal("an empty pair")
			}
			if p.old != nil && p.new != nil {
				together++
				if p.old.Created != p.new.Created {
					t.Fatalf("%s and %s are a pair", p.old.ID(), p.new.ID())
				}
			}
			for _, c := range [...]*credential{p.old, p.new} {
				if c != nil {
					count[c]++
				}
			}
		}
		want := 0
		made := map[report.Time][2]int{}
		for i := range 2 {
			for side, c := range [...]*credential{&old[i], &new[i]} {
				if n := count[c]; n != 1 && c.known() || n != 0 && !c.known() {
					t.Fatalf("%s is in %d pairs", c.ID(), n)
				}
				if c.known() {
					n := made[c.Created]
					n[side]++
					made[c.Created] = n
				}
			}
		}
		for _, n := range made {
			want += min(n[0], n[1])
		}
		if together != want {
			t.Fatalf("%d pairs, %d could be", together, want)
		}
		samePlaces(t, a, z, pairs)
	})
}

// samePlaces swaps the keys of the new row if their creation times differ, and
// checks that the pairs are the same.
func samePlaces(t *testing.T, a, z *report.Row, pairs []pair) {
	old, swapped := keysOf(a), *z
	swapped.Keys[0], swapped.Keys[1] = z.Keys[1], z.Keys[0]
	new := keysOf(&swapped)
	if new[0].Tied || old[0].Tied {
		return
	}
	names := func(pairs []pair) map[string]bool {
		set := map[string]bool{}
		for _, p := range pairs {
			name := ""
			if p.old != nil {
				name = p.old.ID()
			}
			name += " is "
			if p.new != nil {
				name += p.new.ID()
			}
			set[name] = true
		}
		return set
	}
	want, got := names(pairs), names(match(&old, &new))
	if len(want) != len(got) {
		t.Fatalf("%v, swapped %v", want, got)
	}
	for name := range want {
		if !got[name] {
			t.Fatalf("%v, swapped %v", want, got)
		}
	}
}

// TestTooManyRenames checks that renames are not detected if there are too many
// users to remember.
func TestTooManyRenames(t *testing.T) {
	r := newRenames()
	for i := range maxRenames + 1 {
		row := &report.Row{User: "u", Created: report.AtUnix(int64(i))}
		r.remember(&comparison{new: side{row: row}, made: maxRenames + 1})
		r.remember(&comparison{old: side{row: row}, made: maxRenames + 1})
	}
	if !r.full || len(r.gone) != maxRenames || len(r.added) != maxRenames || r.found() != nil {
		t.Errorf("%v, %d gone, %d added", r.full, len(r.gone), len(r.added))
	}
}
