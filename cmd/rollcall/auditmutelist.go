package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"rollcall/internal/audit"
	"rollcall/internal/escape"
)

// mutelistImport holds the options of 'rollcall audit import-mutelist'.
type mutelistImport struct {
	p                      *process
	out                    outFile
	owner, ticket, expires string
	wildcards              bool
}

func importMutelistCommand(p *process) *cobra.Command {
	m := &mutelistImport{p: p, out: outFile{p: p}}
	c := &cobra.Command{
		Use:   "import-mutelist FILE",
		Short: "Convert a Prowler mutelist into exceptions",
		Long: `Convert a Prowler mutelist (- for standard input) into a file for --exceptions.
Standard error lists entries that cannot be converted. Every exception needs an
owner, a ticket and a last day, which a mutelist does not have: give them as
flags.

` + exitCodesHelp,
		Example: `  rollcall audit import-mutelist prowler.yaml --owner sec@example.com \
    --ticket SEC-1 --expires 2027-01-31 --out exceptions.yaml`,
		RunE: func(_ *cobra.Command, args []string) error { return m.run(args) },
	}
	f := c.Flags()
	f.StringVar(&m.owner, "owner", "", "`owner` of the exceptions")
	f.StringVar(&m.ticket, "ticket", "", "`ticket` in which the exceptions were approved")
	f.StringVar(&m.expires, "expires", "", "last `day` on which the exceptions apply, such as 2027-01-31")
	f.BoolVar(&m.wildcards, "allow-wildcards", false,
		"turn the mutelist's patterns into wildcards; 'rollcall audit' then needs --allow-wildcards too")
	m.out.add(f)
	return c
}

func (m *mutelistImport) run(args []string) error {
	if len(args) != 1 {
		return usageError("one FILE is needed (see 'rollcall audit import-mutelist --help')")
	}
	for _, flag := range [][2]string{{"owner", m.owner}, {"ticket", m.ticket}, {"expires", m.expires}} {
		if flag[1] == "" {
			return usageError("--%s is needed: every exception has one", flag[0])
		}
	}
	expires, err := audit.ParseDate(m.expires)
	if err != nil {
		return usageError("--expires: %w", err)
	}
	if expires.String() < audit.DateOf(time.Now()).String() {
		return usageError("--expires %s is in the past: the exceptions would never apply", m.expires)
	}
	in := m.p.stdin
	if args[0] != "-" {
		f, err := os.Open(args[0])
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	got, err := audit.ImportMutelist(in,
		audit.ImportDefaults{Owner: m.owner, Ticket: m.ticket, Expires: expires, AllowWildcards: m.wildcards})
	if err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	for _, note := range got.Notes {
		m.p.tell("rollcall: %s\n", escape.Printable(note))
	}
	err = m.out.write(func(w io.Writer) error { return audit.WriteExceptions(w, got.Exceptions) })
	if err == nil && len(got.Exceptions) == 0 {
		err = fmt.Errorf("%s has no entry that could be converted", args[0])
	}
	return err
}
