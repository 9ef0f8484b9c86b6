package reports_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rollcall/internal/audit/diff"
	"rollcall/internal/reports"
)

// told returns the pairs in words, a line for each account.
func told(pairs []reports.Pair) string {
	var lines []string
	generated := func(r *diff.Report) string {
		if r == nil {
			return "none"
		}
		return r.Source.Generated.Format(time.TimeOnly)
	}
	for _, p := range pairs {
		if p.Failed != nil {
			lines = append(lines, p.Account+" failed: "+p.Failed.Problems[0].Text)
			continue
		}
		lines = append(lines,
			fmt.Sprintf("%s %s-%s %d %q", p.Account, generated(p.Old), generated(p.New), len(p.History),
				p.Problems))
	}
	return strings.Join(lines, "\n")
}

func pairing(t *testing.T, p *reports.Pairing) *reports.Pairing {
	t.Helper()
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// TestPairs pairs the reports of a history, and checks the reasons why an
// account cannot be compared.
func TestPairs(t *testing.T) {
	dir := folderOf(t).Dir()
	const older = "The last run, of 2026-11-23T14:00:00Z, got no report: AccessDenied. This one is older."
	for _, test := range []struct {
		name     string
		args     []string
		accounts []string
		want     string
	}{
		{"the last two", nil, nil, one + ` none-12:00:00 1 []` + "\n" + two + ` 12:00:00-13:00:00 2 ["` + older + `"]` +
			"\n" +
			three + " failed: There is no report: timeout."},
		{"one account", nil, []string{two}, two + ` 12:00:00-13:00:00 2 ["` + older + `"]`},
		{"an account that nobody knows", nil, []string{"555555555555"},
			"555555555555 failed: The account has no report."},
		{"two times", []string{"2026-11-23T12:30:00Z", "2026-11-23"}, []string{two}, two + ` 12:00:00-13:00:00 2 []`},
		{"a time, and now", []string{"2026-11-23T12:30:00Z"}, []string{one},
			one + " failed: No report was generated between the two times: the newest is that of 2026-11-23T12:00:00Z."},
	} {
		t.Run(test.name, func(t *testing.T) {
			inactive := ""
			p := pairing(t, &reports.Pairing{
				Dir: dir, Accounts: test.accounts, Inactive: func(account, name string) {
					inactive += account + " " + name
				},
			})
			var args []reports.Argument
			for _, text := range test.args {
				args = append(args, reports.Argument{Text: text})
			}
			pairs, err := p.Find(args...)
			if err != nil {
				t.Fatal(err)
			}
			if got := told(pairs); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
			if want := map[bool]string{true: "444444444444 old"}[test.accounts == nil]; inactive != want {
				t.Errorf("inactive: %q", inactive)
			}
		})
	}
}

// TestTwoFiles pairs files. One of them is on standard input, which is read
// twice and leaves no file behind.
func TestTwoFiles(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	dir := t.TempDir()
	file := write(t, csvOf(one, "amy"), dir, "2026-11-23T120000Z.csv")
	var undated []string
	p := &reports.Pairing{
		Dir: folderOf(t).Dir(), FilesHaveHistory: true, Stdin: strings.NewReader(csvOf(one, "bob")),
		Undated: func(name string, place reports.Place, _ time.Time) {
			undated = append(undated,
				fmt.Sprint(name, " ", place))
		},
	}
	pairs, err := p.Find(reports.Argument{Text: file}, reports.Argument{Text: "-"})
	if err != nil || len(pairs) != 1 {
		t.Fatal(pairs, err)
	}
	if !pairs[0].Old.Source.Generated.Equal(noon) || len(pairs[0].History) != 1 ||
		fmt.Sprint(undated) != "[standard input 1]" {
		t.Errorf("%s, %q", told(pairs), undated)
	}
	for range 2 {
		from, err := pairs[0].New.Open()
		if err != nil {
			t.Fatal(err)
		}
		from.Close()
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(os.Getenv("TMPDIR")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	// The user's date is used if the file has none.
	p = pairing(t, &reports.Pairing{Dir: dir})
	pairs, err = p.Find(reports.Argument{Text: file}, reports.Argument{Text: write(t, csvOf(one, "bob"), dir, "b.csv"),
		Generated: noon.Add(time.Hour)})
	if err != nil || told(pairs) != ` 12:00:00-13:00:00 0 []` {
		t.Error(told(pairs), err)
	}
}

// TestPipes compares two pipes, such as bash's <(command), which can be read once.
func TestPipes(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	named := func(content string) string {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { r.Close() })
		go func() {
			io.WriteString(w, content)
			w.Close()
		}()
		return fmt.Sprintf("/dev/fd/%d", r.Fd())
	}
	if _, err := os.Stat(named("")); err != nil {
		t.Skip("this system has no /dev/fd")
	}
	p := &reports.Pairing{Dir: t.TempDir()}
	older, newer := named(csvOf(one, "amy")), named(csvOf(one, "bob"))
	pairs, err := p.Find(reports.Argument{Text: older, Generated: noon},
		reports.Argument{Text: newer, Generated: noon.Add(time.Hour)})
	if err != nil || told(pairs) != ` 12:00:00-13:00:00 0 []` || pairs[0].New.Source.Path != newer {
		t.Error(told(pairs), err)
	}
	wrong := named("a;b\n")
	if _, err := p.Find(reports.Argument{Text: older}, reports.Argument{Text: wrong}); err == nil ||
		!strings.HasPrefix(err.Error(), older+": ") { // it was read to its end
		t.Error(err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(os.Getenv("TMPDIR")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestWrongArguments checks that a command can express errors in the words of
// its flags.
func TestWrongArguments(t *testing.T) {
	dir := t.TempDir()
	write(t, csvOf(one, "amy"), dir, "a.csv")
	write(t, csvOf(one, "bob"), dir, "b.csv")
	p := pairing(t, &reports.Pairing{Dir: filepath.Join(dir, "gone")})
	for text, want := range map[string]string{
		"yesterday": `"yesterday" is not a file, a folder, or a time`,
		dir:         "two reports of account " + one,
		t.TempDir(): "there is no report in ",
	} {
		var wrong *reports.ArgumentError
		if _, err := p.Find(reports.Argument{Text: text}); !errors.As(err, &wrong) ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	for text, want := range map[string]string{dir: "folder", "2026-11-23": "time"} {
		var date *reports.DateError
		if _, err := p.Find(reports.Argument{Text: text, Generated: noon}); !errors.As(err, &date) ||
			date.Kind != want ||
			date.Place != reports.Old {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, args := range [][]reports.Argument{nil, {{Text: "2026-11-23"}}, {{Text: filepath.Join(dir, "a.csv")}}} {
		if _, err := p.Find(args...); !errors.Is(err, reports.ErrNoHistory) {
			t.Errorf("%v: %v", args, err)
		}
	}
}
