package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"rollcall/report"
)

// auditedAsOf is the time from which the ages in the audited report count.
const auditedAsOf = "2026-11-23T12:00:00Z"

// dictReader is a program as people write them: three of the controls, console
// passwords without MFA and keys that are old or unused, in a loop over
// csv.DictReader.
const dictReader = `
import csv, json, sys
from datetime import datetime, timedelta
now = datetime.fromisoformat("2026-11-23T12:00:00+00:00")
old, idle = timedelta(days=90), timedelta(days=45)
counts = {"C5": 0, "C8": 0, "C9": 0}
def date(s): return datetime.fromisoformat(s.replace("Z", "+00:00"))
with open(sys.argv[1], newline="") as f:
    for row in csv.DictReader(f):
        if row["password_enabled"] == "true" and row["mfa_active"] != "true" and row["user"] != "<root_account>":
            counts["C5"] += 1
        for n in "12":
            if row["access_key_%s_active" % n] != "true": continue
            made = date(row["access_key_%s_last_rotated" % n])
            if now - made > old: counts["C9"] += 1
            used = row["access_key_%s_last_used_date" % n]
            if now - (made if used == "N/A" else date(used)) >= idle: counts["C8"] += 1
json.dump(counts, sys.stdout)
`

// audit measures the audit of a large report, from the file to a summary,
// alternating with the loop in Python.
func (b *bench) audit(ctx context.Context) error {
	file := filepath.Join(b.dir, "large.csv")
	if err := writeLarge(file, b.users, false); err != nil {
		return err
	}
	defer os.Remove(file)
	var ours, theirs []time.Duration
	var peaks []float64
	for range b.runs {
		took, peak, err := timed(exec.CommandContext(ctx, b.binary, "audit", file, "--as-of", auditedAsOf, "--output",
			"json", "--exit-zero"))
		if err != nil {
			return err
		}
		ours, peaks = append(ours, took), append(peaks, peak)
		if took, _, err = timed(exec.CommandContext(ctx, "python3", "-c", dictReader, file)); err != nil {
			return fmt.Errorf("python3: %w", err)
		}
		theirs = append(theirs, took)
	}
	took, peak := median(ours), median(peaks)
	b.row("audit", fmt.Sprintf("audit of %d users, file to JSON summary", b.users),
		fmt.Sprintf("%s, %.0f MiB (three controls by csv.DictReader: %s)", seconds(took), peak,
			seconds(median(theirs))),
		"0.6 s, 150 MiB", took <= 600*time.Millisecond && peak <= 150)
	return nil
}

// timed runs a command and returns its time and its peak memory in MiB.
func timed(cmd *exec.Cmd) (time.Duration, float64, error) {
	cmd.Stderr = os.Stderr
	start := time.Now()
	if err := cmd.Run(); err != nil {
		return 0, 0, err
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return time.Since(start), float64(usage.Maxrss) / 1024, nil
}

// diff measures the comparison of two large reports, a month apart.
func (b *bench) diff(ctx context.Context) error {
	files := []string{filepath.Join(b.dir, "old.csv"), filepath.Join(b.dir, "new.csv")}
	for i, file := range files {
		if err := writeLarge(file, b.users, i == 1); err != nil {
			return err
		}
		defer os.Remove(file)
	}
	var all []time.Duration
	var peaks []float64
	for range b.runs {
		took, peak, err := timed(exec.CommandContext(ctx, b.binary, "diff", files[0], files[1], "--output", "json",
			"--old-time", "2026-10-23T12:00:00Z", "--new-time", auditedAsOf))
		if err != nil {
			return err
		}
		all, peaks = append(all, took), append(peaks, peak)
	}
	took, peak := median(all), median(peaks)
	b.row("diff", fmt.Sprintf("diff of two reports of %d users, to JSON", b.users),
		fmt.Sprintf("%s, %.0f MiB", seconds(took), peak), "3 s, 200 MiB", took <= 3*time.Second && peak <= 200)
	return nil
}

// writeLarge writes a report of n users: half of them with passwords, half of
// those with MFA, 60 % with keys. A later report is a month younger: one user in
// ten used a key, one in a hundred rotated one, one in a thousand left and one in
// a thousand is new.
func writeLarge(file string, n int, later bool) (err error) {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	buffered := bufio.NewWriterSize(f, 1<<20)
	w := report.NewWriter(buffered, report.Columns22)
	at := func(i, days int) report.Time {
		return report.AtUnix(1_600_000_000 + int64(i)*7919%100_000_000 + int64(days)*86400)
	}
	root := report.Row{
		User: report.RootUser, ARN: "arn:aws:iam::" + account + ":root", Created: at(0, 0),
		PasswordEnabled: report.True, PasswordNextRotation: report.None(report.NotSupported), MFAActive: report.True,
	}
	if err := w.WriteRow(&root); err != nil {
		return err
	}
	for i := range n {
		name := fmt.Sprintf("firstname.lastname-%07d", i)
		r := report.Row{User: name, ARN: "arn:aws:iam::" + account + ":user/division/department/" + name,
			Created: at(i, 0)}
		if i%2 == 0 {
			r.PasswordEnabled, r.MFAActive = report.True, report.BoolOf(i%4 == 0)
			r.PasswordLastUsed, r.PasswordLastChanged, r.PasswordNextRotation = at(i, 300), at(i, 200), at(i, 290)
		}
		if i%5 < 3 {
			r.Keys[0] = report.Key{
				Active: report.True, LastRotated: at(i, 1), LastUsed: at(i, 800),
				LastUsedRegion: report.TextOf("eu-central-1"), LastUsedService: report.TextOf("dynamodb"),
			}
		}
		if later {
			switch {
			case i%1000 == 2:
				continue
			case i%1000 == 3:
				added := report.Row{User: name + "-2", ARN: r.ARN + "-2", Created: at(i, 1000)}
				if err := w.WriteRow(&r); err != nil {
					return err
				}
				r = added
			case i%100 == 1:
				r.Keys[0].LastRotated = at(i, 820)
			case i%10 == 0:
				r.Keys[0].LastUsed = at(i, 820)
			}
		}
		if err := w.WriteRow(&r); err != nil {
			return err
		}
	}
	return errors.Join(w.Flush(), buffered.Flush())
}
