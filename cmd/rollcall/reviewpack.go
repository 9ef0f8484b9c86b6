package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rollcall/internal/escape"
	"rollcall/internal/ownfile"
	"rollcall/internal/review"
	"rollcall/internal/words"
)

func reviewPackCommand(p *process) *cobra.Command {
	var out, key string
	c := &cobra.Command{
		Use:   "pack REVIEW",
		Short: "Write the evidence: one page to print, and one ZIP file",
		Long: `Write the evidence of a review: a page that needs no network, to read and to print,
and a ZIP file with the page, the reports, the population, the decisions, the later
reports, and a list of their SHA-256. --sign signs the list with an SSH key, by
ssh-keygen.

` + exitCodesHelp,
		Example: `  rollcall review pack review/2026-Q4
  rollcall review pack review/2026-Q4 --sign ~/.ssh/id_ed25519 --out 2026-Q4.zip`,
		RunE: func(cmd *cobra.Command, args []string) error { return pack(cmd.Context(), p, args[0], out, key) },
	}
	c.Flags().StringVar(&out, "out", "", "write the ZIP `file` here (default REVIEW-evidence.zip in REVIEW)")
	c.Flags().StringVar(&key, "sign", "", "sign with the SSH `key` in this file")
	return c
}

func pack(ctx context.Context, p *process, dir, out, key string) error {
	r, err := review.Open(dir)
	if err != nil {
		return err
	}
	if out == "" {
		out = filepath.Join(dir, r.Manifest.Name+"-evidence.zip")
	}
	if err := p.spare(out); err != nil {
		return err
	}
	var packed *review.Pack
	err = ownfile.Write(out, func(w io.Writer) (err error) {
		packed, err = r.Pack(ctx, w, review.Packing{
			Program: "rollcall " + version(), Zip: filepath.Base(out), Now: time.Now(), Key: key,
		})
		return err
	})
	if err != nil {
		return err
	}
	signed := "not signed"
	if key != "" {
		signed = "signed with " + key
	}
	p.tell("rollcall: %s\n", escape.Printable(fmt.Sprintf("packed %s into %s, %s; the page is %s",
		words.Count(len(packed.Files), "file"), out, signed, filepath.Join(dir, "evidence.html"))))
	left, err := undecided(r)
	if left != "" {
		p.tell("rollcall: the evidence is of a review that is not finished: %s\n", left)
	}
	return err
}

func reviewCheckCommand(p *process) *cobra.Command {
	var output string
	var how review.Checking
	c := &cobra.Command{
		Use:   "check PACK|REVIEW",
		Short: "Verify a pack of evidence, or the folder of a review",
		Long: `Verify that nothing was altered since it was frozen, collected and packed: the
SHA-256 of every file, the signature, that the population has every user of the
reports as the reports have them, and that the decisions match it.

With --allowed-signers, a file as ssh-keygen reads it, the pack must be signed by
one of them; with --signer, by this one. Without the file, the command says which
key has signed, and not whose it is. The exit code is 1 if anything is wrong.

` + exitCodesHelp,
		Example: `  rollcall review check 2026-Q4-evidence.zip --allowed-signers signers`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if how.Signer != "" && how.AllowedSigners == "" {
				return usageError("--signer has no meaning without --allowed-signers, the file that has the signer's key")
			}
			if how.AllowedSigners != "" {
				if _, err := os.Stat(how.AllowedSigners); err != nil {
					return usageError("--allowed-signers: %w", err)
				}
			}
			checked, err := review.Inspect(cmd.Context(), args[0], how)
			if err != nil {
				return err
			}
			return tellChecked(p, checked, output)
		},
	}
	outputFlag(c, &output)
	c.Flags().StringVar(&how.AllowedSigners, "allowed-signers", "", "`file` of the keys that may sign")
	c.Flags().StringVar(&how.Signer, "signer", "", "`name` in that file of who must have signed")
	return c
}

func tellChecked(p *process, c *review.Checked, output string) error {
	if output == "json" {
		if err := writeJSON(p.stdout, c); err != nil {
			return err
		}
	} else {
		var b strings.Builder
		if c.Freeze != "" {
			fmt.Fprintf(&b, "Review     %s, freeze %s\n", c.Review, c.Freeze)
			fmt.Fprintf(&b, "Lines      %d, %d of them decided\n", c.Lines, c.Decided)
		}
		if c.Files > 0 {
			fmt.Fprintf(&b, "Files      %d\n", c.Files)
		}
		switch {
		case c.Signer != "":
			fmt.Fprintf(&b, "Signature  good, by %s, with %s\n", c.Signer, c.Signature)
		case c.Signature != "":
			fmt.Fprintf(&b, "Signature  good, with %s; whose key that is, --allowed-signers would tell\n", c.Signature)
		case !c.Signed && c.Files > 0:
			fmt.Fprintf(&b, "Signature  none\n")
		}
		for _, problem := range c.Problems {
			fmt.Fprintf(&b, "Problem    %s\n", problem)
		}
		if _, err := fmt.Fprint(p.stdout, escapeLines(b.String())); err != nil {
			return err
		}
	}
	if n := len(c.Problems); n > 0 {
		return &exitError{code: exitFindings, err: fmt.Errorf("%s found", words.Count(n, "problem"))}
	}
	if output != "json" {
		_, err := fmt.Fprintln(p.stdout, "Nothing was altered.")
		return err
	}
	return nil
}

func reviewCompareCommand(p *process) *cobra.Command {
	var output string
	var most int
	c := &cobra.Command{
		Use:   "compare OLD NEW",
		Short: "Compare two reviews: new, gone, and kept in a row",
		RunE: func(_ *cobra.Command, args []string) error {
			before, err := review.Open(args[0])
			if err != nil {
				return err
			}
			after, err := review.Open(args[1])
			if err != nil {
				return err
			}
			compared, err := review.Compare(before, after)
			if err != nil {
				return err
			}
			if output == "json" {
				return writeJSON(p.stdout, compared)
			}
			_, err = fmt.Fprint(p.stdout, escapeLines(compared.Text(most)))
			return err
		},
	}
	outputFlag(c, &output)
	c.Flags().IntVar(&most, "top", 20, "how many lines of each kind to list")
	return c
}
