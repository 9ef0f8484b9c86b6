package seal

import (
	"bytes"
	"image/png"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/hotp"
)

// The seed of RFC 6238, appendix B: ASCII 12345678901234567890.
var rfcSeed = NewSecret("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")

func mustCode(t testing.TB, seed Secret, step int64) string {
	t.Helper()
	code, err := hotp.GenerateCode(seed.Reveal(), uint64(step))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func TestMatchCodeRFC6238(t *testing.T) {
	// Appendix B, SHA-1, its eight digits cut to the last six.
	for _, c := range []struct {
		unix int64
		code string
	}{
		{59, "287082"}, {1111111109, "081804"}, {1111111111, "050471"},
		{1234567890, "005924"}, {2000000000, "279037"}, {20000000000, "353130"},
	} {
		step, ok := MatchCode(rfcSeed, c.code, time.Unix(c.unix, 0), 0, nil)
		if !ok || step != c.unix/30 {
			t.Errorf("%d: step %d, %v", c.unix, step, ok)
		}
	}
}

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestMatchCode(t *testing.T) {
	now := stepAt(noon)
	for _, c := range []struct {
		name  string
		step  int64 // the step that the device shows
		drift int64
		used  []int64
		ok    bool
	}{
		{"on time", 0, 0, nil, true},
		{"one behind", -1, 0, nil, true},
		{"two behind", -2, 0, nil, true},
		{"two ahead", 2, 0, nil, true},
		{"three behind", -3, 0, nil, false},
		{"three ahead", 3, 0, nil, false},
		{"drifted clock", 40, 40, nil, true},
		{"drifted clock, two ahead", 42, 40, nil, true},
		{"drifted clock, three behind", 37, 40, nil, false},
		{"true clock of a device that drifts", 0, 40, nil, false},
		{"the one before was used", 0, 0, []int64{now - 1}, true},
		{"replayed", 0, 0, []int64{now - 1, now}, false},
		{"older than a used one", -1, 0, []int64{now, now + 2}, true},
		{"newer than a used one", 1, 0, []int64{now}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			step, ok := MatchCode(rfcSeed, mustCode(t, rfcSeed, now+c.step), noon, c.drift, c.used)
			if ok != c.ok || ok && step != now+c.step {
				t.Errorf("step %d, %v", step-now, ok)
			}
		})
	}
}

// A code whose use was deleted is never accepted again: even the largest step
// back of a device's clock excludes it.
func TestCodeWindow(t *testing.T) {
	now, drift, last := stepAt(noon), int64(5), int64(0)
	_, _, oldest := CodeWindow(noon, drift)
	if _, ok := MatchCode(rfcSeed, mustCode(t, rfcSeed, oldest-1), noon, drift, nil); ok {
		t.Error("taken at once")
	}
	var ok bool
	second := now + drift - pairBehind
	if last, drift, ok = MatchPair(rfcSeed, mustCode(t, rfcSeed, second-1), mustCode(t, rfcSeed, second), noon, drift,
		last); !ok {
		t.Fatal("the oldest pair is refused")
	}
	if first, _, _ := CodeWindow(noon, drift); first != oldest {
		t.Errorf("the window goes back to %d, forgotten is before %d", first, oldest)
	}
	if _, _, ok = MatchPair(rfcSeed, mustCode(t, rfcSeed, second-3), mustCode(t, rfcSeed, second-2), noon, drift,
		last); ok {
		t.Error("an older pair is taken")
	}
}

func TestMatchCodeForm(t *testing.T) {
	code := mustCode(t, rfcSeed, stepAt(noon))
	wide := strings.Map(func(r rune) rune { return r - '0' + '０' }, code)
	for _, bad := range []string{"", code[:5], code + "0", " " + code[1:], code + " ", code[:5] + "\n", wide, "abcdef",
		"-" + code[1:]} {
		if _, ok := MatchCode(rfcSeed, bad, noon, 0, nil); ok {
			t.Errorf("%q accepted", bad)
		}
		if _, _, ok := MatchPair(rfcSeed, mustCode(t, rfcSeed, stepAt(noon)-1), bad, noon, 0, 0); ok {
			t.Errorf("%q accepted as second", bad)
		}
		if _, _, ok := MatchPair(rfcSeed, bad, code, noon, 0, 0); ok {
			t.Errorf("%q accepted as first", bad)
		}
	}
}

func TestMatchPair(t *testing.T) {
	now := stepAt(noon)
	for _, c := range []struct {
		name          string
		first, second int64 // steps that the device shows
		drift, last   int64
		ok            bool
	}{
		{"now", -1, 0, 0, 0, true},
		{"next", 0, 1, 0, 0, true},
		{"oldest", -999, -998, 0, 0, true},
		{"too old", -1000, -999, 0, 0, false},
		{"furthest ahead", 999, 1000, 0, 0, true},
		{"too far ahead", 1000, 1001, 0, 0, false},
		{"around the drift, ahead", 1099, 1100, 100, 0, true},
		{"around the drift, too far", 1100, 1101, 100, 0, false},
		{"around the drift, behind", -899, -898, 100, 0, true},
		{"around the drift, too old", -900, -899, 100, 0, false},
		{"reversed", 0, -1, 0, 0, false},
		{"equal", 0, 0, 0, 0, false},
		{"not consecutive", -2, 0, 0, 0, false},
		{"newer than the last pair", 0, 1, 0, now - 1, true},
		{"same pair again", -1, 0, 0, now, false},
		{"begins with the last pair's second", 0, 1, 0, now, false},
		{"older than the last pair", -3, -2, 0, now, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			step, drift, ok := MatchPair(rfcSeed, mustCode(t, rfcSeed, now+c.first), mustCode(t, rfcSeed, now+c.second),
				noon, c.drift, c.last)
			if ok != c.ok || ok && (step != now+c.second || drift != c.second) {
				t.Errorf("step %d, drift %d, %v", step-now, drift, ok)
			}
		})
	}
}

func TestMatchPairOtherSeed(t *testing.T) {
	now := stepAt(noon)
	one, two := mustCode(t, rfcSeed, now-1), mustCode(t, rfcSeed, now)
	for _, seed := range []Secret{NewTOTPSeed(), NewSecret("not base32 !"), {}} {
		if _, _, ok := MatchPair(seed, one, two, noon, 0, 0); ok {
			t.Errorf("codes of another seed match")
		}
	}
	if _, _, ok := MatchPair(rfcSeed, one, two, time.Unix(0, 0), 0, 0); ok {
		t.Error("matched before the first step")
	}
}

func TestMFAQRCode(t *testing.T) {
	uri := MFAURI("phone+1", "alice@example.com,=x", NewSecret("ABCD"))
	const want = "otpauth://totp/phone%2B1@alice%40example.com%2C%3Dx?secret=ABCD"
	if uri.Reveal() != want {
		t.Errorf("URI %s", uri.Reveal())
	}
	if uri := MFAURI("d/@?#&", "u", NewSecret("A")).Reveal(); uri != "otpauth://totp/d%2F%40%3F%23%26@u?secret=A" {
		t.Errorf("URI %s", uri)
	}
	// The longest names IAM allows.
	out, err := MFAQRCode(MFAURI(strings.Repeat("+", 226), strings.Repeat("@", 64), NewTOTPSeed()))
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	if b := img.Bounds(); b.Dx() < 200 || b.Dx() != b.Dy() {
		t.Errorf("image is %v", b)
	}
	if _, err := MFAQRCode(NewSecret(strings.Repeat("x", 5000))); err == nil || strings.Contains(err.Error(), "xxx") {
		t.Errorf("too long: %v", err)
	}
}

func FuzzMatchCode(f *testing.F) {
	f.Add("287082")
	f.Fuzz(func(t *testing.T, code string) {
		now := stepAt(noon)
		step, ok := MatchCode(rfcSeed, code, noon, 0, nil)
		want := false
		for s := now - 2; s <= now+2; s++ {
			want = want || code == mustCode(t, rfcSeed, s)
		}
		if ok != want || ok && mustCode(t, rfcSeed, step) != code {
			t.Errorf("%q: %d, %v", code, step, ok)
		}
	})
}

func BenchmarkMatchPairFailing(b *testing.B) {
	for b.Loop() {
		MatchPair(rfcSeed, "000000", "000001", noon, 0, 0)
	}
}
