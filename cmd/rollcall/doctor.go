package main

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rollcall/internal/doctor"
	"rollcall/internal/grid"
	"rollcall/internal/store"
	"rollcall/internal/sts"
	"rollcall/internal/words"
)

// examineRun is one run of 'rollcall doctor'.
type examineRun struct {
	serveRun
	environment string
	strict      bool
	output      string
	colour      string
}

func doctorCommand(p *process) *cobra.Command {
	d := &examineRun{serveRun: serveRun{install: install{p: p}}}
	c := &cobra.Command{
		Use:     "doctor",
		GroupID: "operate",
		Short:   "Find what is wrong with an installation, and say what to do",
		Long: `Check the settings, the files, the database, the master key, the trail, the
clock, the disk, the addresses and the limits of an installation, and print one
table of what was found and what to do. The flags are those of 'rollcall serve':
give the same ones. The command changes nothing, and the service may be running.

A warning is about something that will or may become a fault. With
--fail-on-warnings it counts as one.

` + exitCodesHelp,
		Example: `  rollcall doctor
  sudo -u rollcall rollcall doctor --env-file /etc/rollcall/rollcall.env
  rollcall doctor --store env://DATABASE_URL --output json`,
		RunE: func(cmd *cobra.Command, _ []string) error { return d.run(cmd) },
	}
	d.install.add(c)
	d.addFlags(c.Flags())
	f := c.Flags()
	f.StringVar(&d.environment, "env-file", "",
		"read settings from this `file` too, such as the service's /etc/rollcall/rollcall.env")
	f.BoolVar(&d.strict, "fail-on-warnings", false, "exit with 1 for a warning too")
	choose(c, &d.output, "output", "o", "table", "table or json", "table", "json")
	colourFlag(c, &d.colour)
	must(c.MarkFlagFilename("tls-cert"))
	must(c.MarkFlagFilename("tls-key"))
	must(c.MarkFlagFilename("env-file"))
	return c
}

func (d *examineRun) run(cmd *cobra.Command) error {
	if err := d.readEnvironment(cmd); err != nil {
		return err
	}
	findings := doctor.Examine(cmd.Context(), d.config())
	if err := d.print(findings); err != nil {
		return err
	}
	faults, warnings := 0, 0
	for _, f := range findings {
		switch f.Result {
		case doctor.Fault:
			faults++
		case doctor.Warning:
			warnings++
		}
	}
	if faults > 0 || d.strict && warnings > 0 {
		return &exitError{code: exitFindings, err: fmt.Errorf("found %s and %s", words.Count(faults, "fault"),
			words.Count(warnings, "warning"))}
	}
	return nil
}

// readEnvironment takes settings from --env-file. The command line and the
// environment take precedence.
func (d *examineRun) readEnvironment(cmd *cobra.Command) error {
	if d.environment == "" {
		return nil
	}
	f, err := os.Open(d.environment)
	if err != nil {
		return usageError("read --env-file: %w", err)
	}
	defer f.Close()
	values := map[string]string{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		name, value, ok := strings.Cut(line, "=")
		if ok && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, ";") {
			values[strings.TrimSpace(name)] = unquoted(strings.TrimSpace(value))
		}
	}
	if err := lines.Err(); err != nil {
		return usageError("read --env-file: %w", err)
	}
	own := d.p.env
	d.p.env = func(name string) string {
		if value := own(name); value != "" {
			return value
		}
		return values[name]
	}
	return fromEnvironment(cmd, d.p.env)
}

// unquoted returns a value without the quotes around it, as systemd reads it.
func unquoted(value string) string {
	for _, quote := range []string{`"`, "'"} {
		if len(value) > 1 && strings.HasPrefix(value, quote) && strings.HasSuffix(value, quote) {
			return value[1 : len(value)-1]
		}
	}
	return value
}

// config returns the installation that the flags describe. Settings that the
// service would refuse become findings.
func (d *examineRun) config() doctor.Config {
	if d.serveRun.trail == "" {
		d.serveRun.trail = filepath.Join(d.data, "trail.jsonl")
	}
	c := doctor.Config{
		Data: d.data, Store: store.Config{Path: filepath.Join(d.data, "rollcall.db"), AllowPlain: d.allowPlain},
		MasterFile: d.masterFile(), Trail: d.serveRun.trail,
		Certificate: d.tlsCert, Key: d.tlsKey, Listen: d.listen, Admin: d.adminListen, Root: os.DirFS("/"),
	}
	for _, err := range d.refused(&c) {
		c.Settings = append(c.Settings, doctor.Finding{Check: "settings", Result: doctor.Fault, Found: err.Error(),
			Do: "change the setting; 'rollcall serve --help' explains it"})
	}
	if c.Settings == nil && d.allowHTTP && d.tlsCert == "" && beyondLoopback(d.listen) {
		c.Settings = []doctor.Finding{{Check: "settings", Result: doctor.Warning,
			Found: "the API is plain HTTP on " + d.listen + ": others may read new secrets in answers",
			Do:    "let only a proxy that ends TLS reach the address, or give --tls-cert and --tls-key"}}
	}
	return c
}

// refused returns the errors for which the service would not start.
func (d *examineRun) refused(c *doctor.Config) (all []error) {
	_, keys := sts.ParseWebIdentityKeys(d.providers)
	_, public := publicURL(d.publicURL, d.allowHTTP)
	_, judged := d.auditBy()
	var link error
	if d.store != "" {
		c.Store.Path = ""
		c.Store.URL, link = d.storeURL()
	}
	var plain error
	if d.tlsCert == "" && !d.allowHTTP && beyondLoopback(d.listen) {
		plain = errors.New("--listen " + d.listen + " would be plain HTTP beyond this machine: give --tls-cert and " +
			"--tls-key, or --allow-http")
	}
	for _, err := range []error{d.check(), keys, public, judged, link, plain} {
		if err != nil {
			all = append(all, err)
		}
	}
	return all
}

// beyondLoopback reports whether other machines could reach an address.
func beyondLoopback(addr string) bool {
	at, err := net.ResolveTCPAddr("tcp", addr)
	return err == nil && !at.IP.IsLoopback()
}

func (d *examineRun) print(findings []doctor.Finding) error {
	if d.output == "json" {
		return writeJSON(d.p.stdout, findings)
	}
	g := grid.Grid{Titles: []string{"CHECK", "RESULT", "FOUND AND WHAT TO DO"}, Wrap: true}
	styles := map[doctor.Result]grid.Style{doctor.OK: grid.Good, doctor.Warning: grid.Odd, doctor.Fault: grid.Bad}
	for _, f := range findings {
		text := f.Found
		if f.Do != "" {
			text += ". To do: " + f.Do
		}
		result := grid.Text(string(f.Result))
		result.Style = styles[f.Result]
		g.Add(grid.Text(f.Check), result, grid.Text(text))
	}
	out := bufio.NewWriter(d.p.stdout)
	look := tableOptions(d.p, d.p.stdout, d.colour, time.Time{})
	g.Write(out, look.Width, look.Colour)
	return out.Flush()
}
