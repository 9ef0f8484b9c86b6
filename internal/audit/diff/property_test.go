package diff_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rollcall/internal/audit/diff"
	"rollcall/report"
)

// mutation changes a user and returns the expected events. It returns nil if
// this user cannot change in this way.
type mutation func(t *rapid.T, r *report.Row) []string

// fresh returns a day between the two reports.
func fresh(t *rapid.T) float64 {
	return 201 + float64(rapid.IntRange(0, 28*1440).Draw(t, "minute"))/1440
}

func existing(t *rapid.T, r *report.Row, active report.Bool) int {
	for _, i := range rapid.Permutation([]int{0, 1}).Draw(t, "place") {
		if r.Keys[i].Exists() && r.Keys[i].Active == active {
			return i
		}
	}
	return -1
}

// mutations change different parts of a row, so any of them can be combined.
var mutations = []mutation{
	func(t *rapid.T, r *report.Row) []string { // MFA
		switch {
		case r.MFAActive.IsFalse():
			r.MFAActive = report.True
			return []string{"mfa-gained was false is true"}
		case r.PasswordEnabled.IsTrue():
			r.MFAActive = report.False
			return []string{"mfa-lost was true is false"}
		}
		r.MFAActive = report.False
		return []string{"mfa-removed was true is false"}
	},
	func(t *rapid.T, r *report.Row) []string { // path
		was := r.Path()
		r.ARN = strings.Replace(r.ARN, "user"+was, "user"+was+"more/", 1)
		return []string{"user-path-changed was " + was + " is " + was + "more/"}
	},
	func(t *rapid.T, r *report.Row) []string { // a key's state
		if i := existing(t, r, report.True); i >= 0 {
			was := state(r.Keys[i])
			r.Keys[i].Active = report.False
			return []string{"key-deactivated key:" + r.Keys[i].LastRotated.String() + " was " + was +
				" is " + state(r.Keys[i])}
		}
		if i := existing(t, r, report.False); i >= 0 {
			was := state(r.Keys[i])
			r.Keys[i].Active = report.True
			return []string{"key-reactivated key:" + r.Keys[i].LastRotated.String() + " was " + was +
				" is " + state(r.Keys[i])}
		}
		return nil
	},
	func(t *rapid.T, r *report.Row) []string { // certificates
		for i := range r.Certificates {
			c := &r.Certificates[i]
			switch {
			case !c.Exists():
				*c = report.Certificate{Active: report.True, LastRotated: day(fresh(t))}
				return []string{"certificate-added cert:" + c.LastRotated.String() + " is active"}
			case c.Active.IsFalse():
				c.Active = report.True
				return []string{"certificate-reactivated cert:" + c.LastRotated.String()}
			}
		}
		c := r.Certificates[1]
		r.Certificates[1] = report.Certificate{}
		return []string{"certificate-removed cert:" + c.LastRotated.String() + " was active"}
	},
	func(t *rapid.T, r *report.Row) []string { // the password's date
		if !r.PasswordEnabled.IsTrue() {
			return nil
		}
		was := r.PasswordLastChanged
		r.PasswordLastChanged = day(fresh(t))
		return []string{"password-changed password was " + was.String() + " is " + r.PasswordLastChanged.String()}
	},
	func(t *rapid.T, r *report.Row) []string { // the password's use
		if !r.PasswordEnabled.IsTrue() {
			return nil
		}
		was := r.PasswordLastUsed
		r.PasswordLastUsed = day(fresh(t))
		kind := "password-used"
		switch {
		case !was.IsPresent():
			kind = "password-first-used"
		case before(was, 155):
			kind = "password-used-after-long"
		}
		return []string{kind + " password was " + was.String() + " is " + r.PasswordLastUsed.String()}
	},
}

// keyMutations add or remove a key. At most one of them can be applied to a
// user, and not together with other changes of keys.
var keyMutations = []mutation{
	func(t *rapid.T, r *report.Row) []string { // added
		i := slices.IndexFunc(r.Keys[:], func(k report.Key) bool { return !k.Exists() })
		if i < 0 {
			return nil
		}
		r.Keys[i] = report.Key{Active: report.True, LastRotated: day(fresh(t))}
		return []string{"key-added key:" + r.Keys[i].LastRotated.String() + " is " + state(r.Keys[i])}
	},
	func(t *rapid.T, r *report.Row) []string { // removed
		i := slices.IndexFunc(r.Keys[:], report.Key.Exists)
		if i < 0 {
			return nil
		}
		k := r.Keys[i]
		r.Keys[i] = report.Key{}
		return []string{"key-removed key:" + k.LastRotated.String() + " was " + state(k)}
	},
	func(t *rapid.T, r *report.Row) []string { // rotated
		i := slices.IndexFunc(r.Keys[:], report.Key.Exists)
		if i < 0 {
			return nil
		}
		k := r.Keys[i]
		r.Keys[i] = report.Key{Active: report.True, LastRotated: day(fresh(t))}
		id := "key:" + r.Keys[i].LastRotated.String()
		return []string{"key-rotated " + id + " was key:" + k.LastRotated.String() + " is " + id}
	},
	func(t *rapid.T, r *report.Row) []string { // used
		i := slices.IndexFunc(r.Keys[:], report.Key.Exists)
		if i < 0 {
			return nil
		}
		k := &r.Keys[i]
		was := *k
		k.LastUsed, k.LastUsedRegion, k.LastUsedService = day(fresh(t)),
			report.TextOf("ap-south-1"), report.TextOf("ec2")
		id := " key:" + k.LastRotated.String()
		if !was.LastUsed.IsPresent() {
			return []string{"key-first-used" + id + " is ec2 ap-south-1"}
		}
		want := []string{"last-used-region-changed" + id + " was eu-west-1 is ap-south-1",
			"last-used-service-changed" + id + " was s3 is ec2"}
		if before(was.LastUsed, 155) {
			want = append(want, "key-used-after-long"+id+" was "+was.LastUsed.String()+" is "+k.LastUsed.String())
		}
		return want
	},
}

func before(t report.Time, n float64) bool {
	a, _ := t.Unix()
	b, _ := day(n).Unix()
	return a <= b
}

func state(k report.Key) string {
	text := "active"
	if k.Active.IsFalse() {
		text = "inactive"
	}
	if k.LastUsed.IsPresent() {
		return text + ", used " + k.LastUsed.String()
	}
	return text + ", never used"
}

// drawUser returns a random user whose keys were created in different seconds.
func drawUser(t *rapid.T, name string) report.Row {
	path := rapid.SampledFrom([]string{"/", "/ops/", "/a/b/"}).Draw(t, "path")
	r := report.Row{User: name, ARN: "arn:aws:iam::" + account + ":user" + path + name, Created: day(drawDay(t))}
	maybe := func(what string) bool { return rapid.Bool().Draw(t, what) }
	if maybe("password") {
		used := 0.0
		if maybe("password used") {
			used = drawDay(t)
		}
		password(drawDay(t), used)(&r)
	}
	r.MFAActive = report.BoolOf(maybe("mfa"))
	made := rapid.SliceOfNDistinct(rapid.IntRange(1, 199*1440), 4, 4, rapid.ID).Draw(t, "made")
	for i := range 2 {
		if maybe("key") {
			used := 0.0
			if maybe("key used") {
				used = drawDay(t)
			}
			key(i+1, float64(made[i])/1440, used)(&r)
			r.Keys[i].Active = report.BoolOf(maybe("key active"))
		}
		if maybe("certificate") {
			certificate(i+1, float64(made[2+i])/1440, maybe("certificate active"))(&r)
		}
	}
	return r
}

func drawDay(t *rapid.T) float64 { return float64(rapid.IntRange(1, 199*1440).Draw(t, "day")) / 1440 }

// TestRandomMutations changes random accounts in random ways. The events are
// exactly those of the changes, in whichever places the credentials appear.
func TestRandomMutations(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		old, new := rows(root()), rows(root())
		var want []string
		for i := range rapid.IntRange(0, 8).Draw(rt, "users") {
			name := fmt.Sprintf("%c-user", 'a'+i)
			before := drawUser(rt, name)
			after := before
			var said []string
			for _, m := range mutations {
				if rapid.Bool().Draw(rt, "happens") {
					said = append(said, m(rt, &after)...)
				}
			}
			if len(said) == 0 {
				said = rapid.SampledFrom(keyMutations).Draw(rt, "of keys")(rt, &after)
			}
			for _, s := range said {
				want = append(want, name+" "+s)
			}
			if rapid.Bool().Draw(rt, "swap keys") {
				after.Keys[0], after.Keys[1] = after.Keys[1], after.Keys[0]
			}
			if rapid.Bool().Draw(rt, "swap certificates") {
				after.Certificates[0], after.Certificates[1] = after.Certificates[1], after.Certificates[0]
			}
			old, new = append(old, before), append(new, after)
		}
		o, n := file(t, 200, old), file(t, 230, new)
		_, changes := compare(t, diff.Series{Old: &o, New: &n}, diff.Options{})
		got := events(changes)
		slices.Sort(got)
		slices.Sort(want)
		if d := cmp.Diff(want, got); d != "" {
			rt.Fatal(d)
		}
		// A report does not differ from itself.
		_, changes = compare(t, diff.Series{Old: &o, New: &o}, diff.Options{})
		if got := events(changes); got != nil {
			rt.Fatal(got)
		}
	})
}
