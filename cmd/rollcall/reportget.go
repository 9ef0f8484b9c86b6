package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"rollcall/internal/fleet"
	"rollcall/internal/render"
)

// reportGetRun is one run of 'rollcall report get'.
type reportGetRun struct {
	p          *process
	reach      *reach
	out        outFile
	output, at string
	raw, lines bool
}

func reportGetCommand(p *process, reach *reach) *cobra.Command {
	g := &reportGetRun{p: p, reach: reach, out: outFile{p: p}}
	c := &cobra.Command{
		Use:   "get",
		Short: "Get the service's newest report, without requesting one",
		Long: `Get the service's newest report, without requesting one. The output is the answer
of GetCredentialReport as 'aws iam get-credential-report' prints it. With --raw or
--split-lines it is the report alone, as Get-IAMCredentialReport returns it with
-Raw or -SplitLines.`,
		Example: `  rollcall report get
  rollcall report get --raw > report.csv       exactly the bytes of the report
  rollcall report get --split-lines            line by line`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if (g.raw || g.lines) && cmd.Flags().Changed("output") {
				return usageError("--output has no meaning with --raw or --split-lines")
			}
			return g.run(cmd.Context())
		},
	}
	f := c.Flags()
	g.out.add(f)
	choose(c, &g.output, "output", "o", "json", "json or text, as the AWS CLI writes them", "json", "text")
	f.StringVar(&g.at, "at", "", atHelp)
	f.BoolVar(&g.raw, "raw", false, "print the report byte for byte; takes precedence over --split-lines")
	f.BoolVar(&g.lines, "split-lines", false, "print the lines of the report, each with a newline at its end")
	f.BoolVar(&g.lines, "as-text-array", false, "the same as --split-lines")
	return c
}

func (g *reportGetRun) run(ctx context.Context) error {
	var at time.Time
	if g.at != "" {
		var err error
		if at, err = parseTime("at", g.at); err != nil {
			return err
		}
	}
	account, err := g.reach.open(ctx)
	if err != nil {
		return err
	}
	var got *fleet.Report
	if g.at != "" {
		got, err = account.At(ctx, at)
	} else {
		got, err = account.Get(ctx)
	}
	if err != nil {
		return reportError(err)
	}
	return g.out.write(func(w io.Writer) error { return g.write(w, got) })
}

func (g *reportGetRun) write(w io.Writer, got *fleet.Report) error {
	b := bufio.NewWriterSize(w, 64<<10)
	switch {
	case g.raw:
		b.Write(got.Content)
	case g.lines:
		for line := range render.Lines(got.Content) {
			b.Write(line)
			b.WriteByte('\n')
		}
	default:
		g.answer(b, got)
	}
	return b.Flush() // b keeps the first error
}

// answer writes the whole answer. Version 2 of the AWS CLI writes times with
// +00:00, and sorts the members of its text form by name.
func (g *reportGetRun) answer(b *bufio.Writer, got *fleet.Report) {
	generated := got.Generated.Format("2006-01-02T15:04:05-07:00")
	content := func() {
		e := base64.NewEncoder(base64.StdEncoding, b)
		_, _ = e.Write(got.Content) // b keeps the error
		_ = e.Close()
	}
	if g.output == "text" {
		content()
		fmt.Fprintf(b, "\t%s\t%s\n", generated, got.Format)
		return
	}
	format, err := json.Marshal(got.Format)
	if err != nil {
		panic(err) // a string
	}
	b.WriteString("{\n    \"Content\": \"")
	content()
	fmt.Fprintf(b, "\",\n    \"ReportFormat\": %s,\n    \"GeneratedTime\": %q\n}\n", format, generated)
}
