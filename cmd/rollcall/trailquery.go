package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rollcall/internal/awsmodel"
	"rollcall/internal/escape"
	"rollcall/internal/trail"
	"rollcall/internal/words"
)

// trailQuery is one run of 'rollcall trail query'.
type trailQuery struct {
	p            *process
	data         string
	filter       trail.Filter
	since, until string
	output, into string
}

func trailQueryCommand(p *process) *cobra.Command {
	q := &trailQuery{p: p}
	c := &cobra.Command{
		Use:   "query [FILE...]",
		Short: "Search the trail by user, key, action, time and outcome",
		Long: `Search the trail, and print the newest records first. Files are named in the order
in which they were written, the oldest first; they may be compressed by gzip or
zstd. Without FILE, the files are trail.jsonl in the data directory and what log
rotation left beside it. Plain files are read from their end on, no further than
needed.

A time is as in 2026-11-23, 2026-11-23T12:00:00Z, or an age as in 90m, 24h or 7d.

With --into, all records that match are written into a folder in the form in which
CloudTrail delivers them to a bucket: gzip files for each account, region and day,
under AWSLogs. A second run replaces the files of the same records.`,
		Example: `  rollcall trail query --user alice --since 24h
  rollcall trail query --outcome AccessDenied --limit 20
  rollcall trail query --action CreateAccessKey --output json \
    trail.jsonl.2.gz trail.jsonl
  rollcall trail query --since 7d --into cloudtrail`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if q.into != "" && cmd.Flags().Changed("output") {
				return usageError("--into has one form of files: leave out --output")
			}
			if q.into != "" && !cmd.Flags().Changed("limit") {
				q.filter.Most = 0
			}
			return q.run(cmd.Context(), args)
		},
	}
	f := c.Flags()
	f.StringVar(&q.data, "data", "rollcall-data", "data `directory`, whose trail is searched without FILE")
	f.StringVar(&q.filter.User, "user", "", "`name`, unique id or ARN of the caller, or of the role of its session")
	f.StringVar(&q.filter.Key, "key", "", "`id` of the access key")
	f.StringVar(&q.filter.Action, "action", "", "`name` of the event, such as CreateUser")
	f.StringVar(&q.filter.Account, "account", "", "`number` of the account")
	f.StringVar(&q.filter.Outcome, "outcome", "", "ok, failed, or an `error` code such as AccessDenied")
	f.StringVar(&q.since, "since", "", "earliest `time`")
	f.StringVar(&q.until, "until", "", "`time` before which it was")
	f.IntVar(&q.filter.Most, "limit", 100, "print at most this many records; 0 is no limit")
	f.StringVar(&q.into, "into", "", "write the records into this `folder` as CloudTrail does, without the limit of 100")
	settings(f, "data")
	outputFlag(c, &q.output)
	must(c.MarkFlagDirname("data"))
	must(c.MarkFlagDirname("into"))
	return c
}

func (q *trailQuery) run(ctx context.Context, files []string) (err error) {
	now := time.Now()
	if q.filter.Since, err = parseMoment("since", q.since, now); err != nil {
		return err
	}
	if q.filter.Until, err = parseMoment("until", q.until, now); err != nil {
		return err
	}
	q.filter.Exception = awsmodel.TypedException(q.filter.Outcome)
	if q.filter.Most < 0 {
		return usageError("--limit cannot be negative")
	}
	if len(files) == 0 {
		if files = trailFiles(q.data); len(files) == 0 {
			return fmt.Errorf("there is no trail in %s: name the directory with --data, or the files", q.data)
		}
	}
	if q.into != "" {
		return q.export(ctx, files)
	}
	if q.output == "json" {
		return q.json(ctx, files)
	}
	t := newTable(q.p.stdout, "TIME", "WHO", "ACTION", "OUTCOME", "ADDRESS", "KEY")
	err = trail.Search(ctx, files, q.filter, func(h trail.Hit) error {
		t.row(h.EventTime.UTC().Format(time.RFC3339), printable(who(&h.UserIdentity)), printable(h.EventName),
			printable(outcome(&h.Event)), printable(h.SourceIPAddress), printable(h.UserIdentity.AccessKeyID))
		return nil
	})
	if err != nil {
		return err
	}
	if len(t.rows) == 1 {
		q.p.tell("No record matches.\n")
		return nil
	}
	return t.print()
}

// json prints the records as a file of CloudTrail has them.
func (q *trailQuery) json(ctx context.Context, files []string) error {
	separator := "{\"Records\":["
	err := trail.Search(ctx, files, q.filter, func(h trail.Hit) error {
		if !json.Valid(h.Line) {
			return nil
		}
		_, err := fmt.Fprintf(q.p.stdout, "%s\n%s", separator, h.Line)
		separator = ","
		return err
	})
	if err != nil {
		return err
	}
	end := "\n]}\n"
	if separator != "," {
		end = separator + "]}\n"
	}
	_, err = io.WriteString(q.p.stdout, end)
	return err
}

// export writes the records into a folder, in files as CloudTrail's.
func (q *trailQuery) export(ctx context.Context, files []string) error {
	x := trail.NewExport(q.into)
	if err := trail.Search(ctx, files, q.filter, x.Add); err != nil {
		return err
	}
	if err := x.Close(); err != nil {
		return err
	}
	q.p.tell("%s in %s.\n", words.Count(x.Stored, "record"), words.Count(x.Files, "file"))
	return nil
}

// trailFiles returns the trail of a data directory and what log rotation left
// beside it, the oldest first.
func trailFiles(data string) []string {
	base := filepath.Join(data, "trail.jsonl")
	type dated struct {
		path string
		at   time.Time
	}
	var all []dated
	for _, pattern := range []string{base, base + ".*", base + "-*"} {
		paths, _ := filepath.Glob(pattern)
		for _, path := range paths {
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
				all = append(all, dated{path, info.ModTime()})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b dated) int {
		if (a.path == base) != (b.path == base) && a.at.Equal(b.at) {
			return map[bool]int{true: 1, false: -1}[a.path == base]
		}
		return a.at.Compare(b.at)
	})
	var files []string
	for _, f := range all {
		files = append(files, f.path)
	}
	return files
}

// parseMoment reads a time, or an age.
func parseMoment(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04", "2006-01-02"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	age := text
	unit := time.Duration(1)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		age, unit = days+"h", 24
	}
	d, err := time.ParseDuration(age)
	if err != nil || d < 0 {
		return time.Time{}, usageError("--%s %s: give a time as in 2026-11-23T12:00:00Z, or an age as in 24h or 7d", flag,
			text)
	}
	return now.Add(-d * unit), nil
}

// who names the caller in few words.
func who(id *trail.EventIdentity) string {
	issuer := id.SessionContext.SessionIssuer.UserName
	_, session, _ := strings.Cut(id.PrincipalID, ":")
	switch {
	case id.Type == trail.Root:
		return "root"
	case id.Type == trail.AssumedRole && issuer != "":
		return issuer + "/" + session
	case id.UserName != "":
		return id.UserName
	case id.InvokedBy != "":
		return id.InvokedBy
	case id.PrincipalID != "":
		return id.PrincipalID
	}
	return id.Type
}

func outcome(e *trail.Event) string {
	switch {
	case e.ErrorCode != "":
		return e.ErrorCode
	case e.ErrorMessage != "":
		return e.ErrorMessage
	}
	return "ok"
}

func printable(text string) string { return escape.Printable(text) }
