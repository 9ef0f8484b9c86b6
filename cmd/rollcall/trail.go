package main

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"rollcall/internal/service"
	"rollcall/internal/trail"
	"rollcall/internal/words"
)

func trailCommand(p *process) *cobra.Command {
	return group(&cobra.Command{
		Use:     "trail",
		GroupID: "operate",
		Short:   "Search the audit trail, and prove that nobody changed it",
	}, trailQueryCommand(p), trailVerifyCommand(p), trailKeyCommand(p))
}

func trailKeyCommand(p *process) *cobra.Command {
	in := &install{p: p}
	c := &cobra.Command{
		Use:   "key",
		Short: "Print the public keys of the trail",
		Long: `Print the public keys that the trail is signed with, in PEM. They are not secret.
Anybody who has them can verify the trail with 'rollcall trail verify --key', without
the data and without the master key. There is one key for each data key, the
newest last.`,
		Example: `  rollcall trail key >trail-keys.pem
  rollcall trail verify --key trail-keys.pem trail.jsonl`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return in.with(cmd.Context(), false, func(s *service.Service) error {
				for _, key := range s.IAM.TrailKeys() {
					der, err := x509.MarshalPKIXPublicKey(key)
					if err != nil {
						return err
					}
					text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
					if _, err := fmt.Fprintf(p.stdout, "trail key %s\n%s", trail.KeyID(key), text); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	in.add(c)
	return c
}

// trailVerify is one run of 'rollcall trail verify'.
type trailVerify struct {
	install
	key      string
	unsigned bool
	heads    []string
	output   string
}

func trailVerifyCommand(p *process) *cobra.Command {
	v := &trailVerify{install: install{p: p}}
	c := &cobra.Command{
		Use:   "verify FILE...",
		Short: "Find records of the trail that were changed or taken away",
		Long: `Verify files of the trail, which are named in the order in which they were
written, the oldest first. They may be compressed by gzip or zstd; - is standard
input. Each record carries the hash of the previous one, and the service signs the
chain after every thousand records, and within a minute. The command prints each
record that was changed, inserted, moved or taken away.

The keys are those of the installation, or those in the file of --key, which
'rollcall trail key' prints. Nobody needs the key to cut off the end of a trail
after a signature. The database of the installation knows the last record of each
file, so without --key the command also finds that. With --key, note the head that
the command prints, in a place that others cannot write to, and name it with --head
the next time.

` + exitCodesHelp,
		Example: `  rollcall trail verify trail.jsonl.2.gz trail.jsonl.1 trail.jsonl
  rollcall trail verify --key trail-keys.pem --head eUq0hDCI:4711:J… trail.jsonl`,
		RunE: func(cmd *cobra.Command, args []string) error { return v.run(cmd.Context(), args) },
	}
	v.install.add(c)
	c.Flags().StringVar(&v.key, "key", "", "PEM `file` of the public keys")
	c.Flags().BoolVar(&v.unsigned, "unsigned", false,
		"compare the hashes only; anybody who can write the files could have replaced them")
	c.Flags().StringSliceVar(&v.heads, "head", nil, "`CHAIN:NUMBER:HASH` of a record that must be there; may be repeated")
	outputFlag(c, &v.output)
	must(c.MarkFlagFilename("key"))
	return c
}

func (t *trailVerify) run(ctx context.Context, files []string) error {
	v := &trail.Verifier{}
	var err error
	if v.Expect, err = parseHeads(t.heads); err != nil {
		return err
	}
	if err := t.known(ctx, v); err != nil {
		return err
	}
	for _, file := range files {
		if err := t.file(v, file); err != nil {
			return err
		}
	}
	report := v.Report()
	report.Problems, report.Notes = trail.Sorted(report.Problems), trail.Sorted(report.Notes)
	if t.output == "json" {
		err = writeJSON(t.p.stdout, report)
	} else {
		err = t.print(report)
	}
	if n := len(report.Problems) + report.More; err == nil && n > 0 {
		return &exitError{code: exitFindings, err: fmt.Errorf("the trail has %s", words.Count(n, "problem"))}
	}
	return err
}

func (t *trailVerify) file(v *trail.Verifier, file string) error {
	read := func() error {
		if file == "-" {
			in, err := trail.Unpacked(t.p.stdin)
			if err != nil {
				return err
			}
			return v.File(file, in)
		}
		r, err := trail.OpenFile(file)
		if err != nil {
			return err
		}
		defer r.Close()
		return v.File(file, r)
	}
	if err := read(); err != nil {
		return fmt.Errorf("read the trail %s: %w", file, err)
	}
	return nil
}

// known gives the verifier the public keys, and the heads that the database of
// the installation knows.
func (t *trailVerify) known(ctx context.Context, v *trail.Verifier) (err error) {
	switch {
	case t.unsigned:
		return nil
	case t.key != "":
		v.Keys, err = readTrailKeys(t.key)
		return err
	}
	v.Keys = map[string]ed25519.PublicKey{}
	err = t.with(ctx, false, func(s *service.Service) (err error) {
		for _, key := range s.IAM.TrailKeys() {
			v.Keys[trail.KeyID(key)] = key
		}
		v.MAC = s.IAM.TrailMAC
		v.Known, err = s.TrailHeads(ctx)
		return err
	})
	if err != nil {
		err = fmt.Errorf("%w (without the data, give --key, or --unsigned to compare the hashes only)", err)
	}
	return err
}

// readTrailKeys reads the file of --key.
func readTrailKeys(file string) (map[string]ed25519.PublicKey, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, usageError("read --key: %w", err)
	}
	keys := map[string]ed25519.PublicKey{}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		key, err := x509.ParsePKIXPublicKey(block.Bytes)
		public, ok := key.(ed25519.PublicKey)
		if err != nil || !ok {
			return nil, usageError("%s has a key that is not one of 'rollcall trail key'", file)
		}
		keys[trail.KeyID(public)] = public
	}
	if len(keys) == 0 {
		return nil, usageError("%s has no public key: write it with 'rollcall trail key'", file)
	}
	return keys, nil
}

func parseHeads(texts []string) (heads []trail.Head, err error) {
	for _, text := range texts {
		parts := strings.Split(text, ":")
		if len(parts) != 3 {
			return nil, usageError("--head %s: give CHAIN:NUMBER:HASH as 'rollcall trail verify' prints it", text)
		}
		seq, err := strconv.ParseUint(parts[1], 10, 64)
		if err != nil {
			return nil, usageError("--head %s: %s is not a number", text, parts[1])
		}
		heads = append(heads, trail.Head{Chain: parts[0], Seq: seq, Hash: parts[2]})
	}
	return heads, nil
}

// print prints the problems, the notes and the heads.
func (t *trailVerify) print(r *trail.VerifyReport) error {
	var text strings.Builder
	for _, f := range r.Problems {
		fmt.Fprintf(&text, "PROBLEM  %s\n", place(f))
	}
	if r.More > 0 {
		fmt.Fprintf(&text, "PROBLEM  and %d more\n", r.More)
	}
	for _, f := range r.Notes {
		fmt.Fprintf(&text, "note     %s\n", place(f))
	}
	for _, c := range r.Chains {
		h := c.Head
		fmt.Fprintf(&text, "head     %s:%d:%s\n", printable(h.Chain), h.Seq, printable(h.Hash))
	}
	if _, err := io.WriteString(t.p.stdout, text.String()); err != nil {
		return err
	}
	if len(r.Problems) == 0 {
		t.p.tell("The trail is whole: %s in %s.\n", words.Count(r.Records, "record"), words.Count(len(r.Chains), "chain"))
	}
	if r.Records == 0 {
		return errors.New("the files have no record of a chain")
	}
	return nil
}

func place(f trail.Finding) string {
	switch {
	case f.File == "":
		return printable(f.Text)
	case f.Line == 0:
		return printable(f.File + ": " + f.Text)
	}
	return printable(fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.Text))
}
