package main

import (
	"errors"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rollcall/internal/audit"
)

// criteria holds the flags that say how to audit reports.
type criteria struct {
	benchmark          string
	controls           []string
	config, exceptions string // files
	wildcards          bool

	// Only some commands have these flags.
	statuses         []string
	asOf, management string
	top              int
}

// add adds the flags of every command that audits. otherwise says in words which
// benchmark is the default.
func (k *criteria) add(c *cobra.Command, otherwise string) {
	f := c.Flags()
	ids := audit.BenchmarkIDs()
	choose(c, &k.benchmark, "benchmark", "b", "",
		"audit against this `benchmark`: "+strings.Join(ids, ", ")+" (default "+otherwise+")", ids...)
	f.StringSliceVar(&k.controls, "control", nil, "audit only these `controls`, such as C5,key-age")
	f.StringVar(&k.config, "config", "", "YAML `file` with a profile, thresholds, classes of users and exceptions")
	f.StringVar(&k.exceptions, "exceptions", "", "YAML `file` of exceptions")
	f.BoolVar(&k.wildcards, "allow-wildcards", false, "allow wildcards in exceptions")
}

// options combines the flags and the files that they name. Flags take precedence
// over the configuration.
func (k *criteria) options() (audit.Options, error) {
	o := audit.Options{Top: k.top, ManagementAccount: k.management}
	if len(k.management) != len("123456789012") && k.management != "" ||
		strings.Trim(k.management, "0123456789") != "" {
		return o, usageError("--management-account %q is not an account number of twelve digits", k.management)
	}
	config := &audit.Config{}
	if k.config != "" {
		var err error
		if config, err = readAuditConfig(k.config, k.wildcards); err != nil {
			return o, err
		}
	}
	id := audit.Standard(k.benchmark)
	if id == "" {
		id = config.Profile
	}
	if id == "" {
		id = audit.DefaultBenchmark
	}
	var ok bool
	if o.Benchmark, ok = audit.FindBenchmark(id); !ok {
		return o, usageError("%s: profile %w", k.config, noneOf(string(id), audit.BenchmarkIDs()))
	}
	o.Benchmark = o.Benchmark.With(config)
	params := o.Benchmark.Params
	if k.config != "" {
		var err error
		if params, err = config.Params(o.Benchmark); err != nil {
			return o, usageError("%s: %w", k.config, err)
		}
	}
	o.Params, o.Classes, o.Exceptions = &params, config.Classes, config.Exceptions
	if k.exceptions != "" {
		if err := readYAML(k.exceptions, func(r io.Reader) error {
			more, err := audit.ReadExceptions(r, k.wildcards)
			o.Exceptions = append(o.Exceptions, more...)
			return err
		}); err != nil {
			return o, err
		}
	}
	return o, errors.Join(k.addControls(&o), k.addStatuses(&o), k.addAsOf(&o))
}

func readAuditConfig(file string, wildcards bool) (config *audit.Config, err error) {
	err = readYAML(file, func(r io.Reader) (err error) {
		config, err = audit.ReadConfig(r, wildcards)
		return err
	})
	return config, err
}

// readYAML reads a file that a flag names. Its errors count as an invalid command
// line, because a bad list of exceptions must not look like findings.
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

func (k *criteria) addControls(o *audit.Options) error {
	for _, name := range k.controls {
		c, ok := o.Benchmark.FindControl(strings.TrimSpace(name))
		if !ok {
			return usageError("--control %w", noControl(name, o.Benchmark.ControlList()))
		}
		o.Controls = append(o.Controls, c.ID)
	}
	return nil
}

func (k *criteria) addStatuses(o *audit.Options) error {
	for _, name := range k.statuses {
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

func (k *criteria) addAsOf(o *audit.Options) (err error) {
	switch k.asOf {
	case "":
		return nil
	case "now":
		o.AsOf = time.Now().UTC().Truncate(time.Second)
		return nil
	}
	o.AsOf, err = parseTime("as-of", k.asOf)
	return err
}
