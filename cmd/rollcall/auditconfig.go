package main

import (
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rollcall/internal/audit"
	"rollcall/internal/render"
)

// check refuses what has no meaning, before anything is read or asked.
func (a *auditing) check(cmd *cobra.Command, args []string) error {
	if a.findingsCode < 1 || a.findingsCode > 125 || a.findingsCode == exitIncomplete || a.findingsCode == exitUsage {
		return usageError("--findings-exit-code must be 1 to 125, and neither %d nor %d, which mean something else",
			exitIncomplete, exitUsage)
	}
	if a.top < 1 {
		return usageError("--top must be at least 1")
	}
	if err := a.checkQuery(); err != nil {
		return err
	}
	if a.enrich != "" {
		kinds, err := parseKinds(a.enrich)
		if err != nil {
			return err
		}
		a.kinds = kinds
	}
	if a.at != "" {
		at, err := parseTime("at", a.at)
		if err != nil {
			return err
		}
		a.atAt = at
	}
	return a.checkSources(cmd, args)
}

func (a *auditing) checkQuery() error {
	if a.query == "" {
		return nil
	}
	if err := render.CheckQuery(a.query); err != nil {
		return usageError("--query %w", err)
	}
	specs, err := parseOutputs(a.outputs)
	if err == nil && !slices.ContainsFunc(specs, func(s outputSpec) bool { return s.format == "json" }) {
		return usageError("--query has no meaning without --output json")
	}
	return err
}

func (a *auditing) checkSources(cmd *cobra.Command, args []string) error {
	if a.maxAge < 0 || a.timeout <= 0 {
		return usageError("--max-age and --timeout cannot be negative")
	}
	only, when := []string{"at"}, "without a folder"
	if len(args) > 0 {
		only, when = []string{"enrich", "max-age", "timeout", "profile", "endpoint-url", "ca-bundle", "allow-http", "no-session-cache"}, "with a file: nothing is fetched"
	}
	for _, name := range only {
		if a.carried && len(args) > 0 && (name == "profile" || name == "endpoint-url") {
			continue
		}
		if name == "enrich" && cmd.Flags().Changed(name) {
			return usageError("--enrich has no meaning %s; what 'rollcall report --into FOLDER --enrich' kept is used", when)
		}
		if cmd.Flags().Changed(name) {
			return usageError("--%s has no meaning %s", name, when)
		}
	}
	seen := map[string]bool{}
	for _, arg := range args {
		if seen[arg] {
			return usageError("%s is there twice", arg)
		}
		seen[arg] = true
	}
	return nil
}

// options put the flags and the files they name together. A flag wins over the
// configuration.
func (a *auditing) options() (audit.Options, error) {
	o := audit.Options{Top: a.top, ManagementAccount: a.management}
	if len(a.management) != len("123456789012") && a.management != "" || strings.Trim(a.management, "0123456789") != "" {
		return o, usageError("--management-account %q is no account number of twelve digits", a.management)
	}
	config := &audit.Config{}
	if a.config != "" {
		if err := readYAML(a.config, func(r io.Reader) (err error) {
			config, err = audit.ReadConfig(r, a.wildcards)
			return err
		}); err != nil {
			return o, err
		}
	}
	id := audit.Standard(a.benchmark)
	if id == "" {
		id = config.Profile
	}
	if id == "" {
		id = audit.DefaultBenchmark
	}
	var ok bool
	if o.Benchmark, ok = audit.FindBenchmark(id); !ok {
		return o, usageError("%s: profile %w", a.config, noneOf(string(id), benchmarkIDs()))
	}
	params := o.Benchmark.Params
	if a.config != "" {
		var err error
		if params, err = config.Params(o.Benchmark); err != nil {
			return o, usageError("%s: %w", a.config, err)
		}
	}
	o.Params, o.Classes, o.Exceptions = &params, config.Classes, config.Exceptions
	if a.exceptions != "" {
		if err := readYAML(a.exceptions, func(r io.Reader) error {
			more, err := audit.ReadExceptions(r, a.wildcards)
			o.Exceptions = append(o.Exceptions, more...)
			return err
		}); err != nil {
			return o, err
		}
	}
	return o, errors.Join(a.addControls(&o), a.addStatuses(&o), a.addAsOf(&o))
}

// readYAML reads a file that was given by a flag. What is wrong with it is a
// wrong command line: a bad list of exceptions must not look like findings.
func readYAML(file string, read func(io.Reader) error) error {
	f, err := os.Open(file)
	if err != nil {
		return usageError("%w", err)
	}
	defer f.Close()
	if err := read(f); err != nil {
		return usageError("%s: %w", file, err)
	}
	return nil
}

func (a *auditing) addControls(o *audit.Options) error {
	for _, name := range a.controls {
		c, ok := audit.FindControl(strings.TrimSpace(name))
		if !ok {
			return usageError("--control %w", noControl(name))
		}
		o.Controls = append(o.Controls, c.ID)
	}
	return nil
}

func (a *auditing) addStatuses(o *audit.Options) error {
	for _, name := range a.statuses {
		if strings.EqualFold(name, "all") {
			o.Statuses = audit.AllStatuses
			continue
		}
		s, err := audit.ParseStatus(strings.ToUpper(strings.ReplaceAll(strings.TrimSpace(name), "-", "_")))
		if err != nil {
			return usageError("--status %w", noneOf(name, statusNames()))
		}
		o.Statuses |= audit.SetOf(s)
	}
	return nil
}

func (a *auditing) addAsOf(o *audit.Options) (err error) {
	switch a.asOf {
	case "":
		return nil
	case "now":
		o.AsOf = time.Now().UTC().Truncate(time.Second)
		return nil
	}
	o.AsOf, err = parseTime("as-of", a.asOf)
	return err
}
