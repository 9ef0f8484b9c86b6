// Bench measures Rollcall as a real process on loopback, and prints one table:
// each figure, its goal, and the command that measures it again. If python3 has
// moto, the runs of moto and Rollcall alternate, so that a machine whose speed drifts
// is fair to both.
//
//	bench [-only name,...] [-users n] [-runs n] rollcall-binary
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"rollcall/internal/storetest"
)

// bench is one run of the program.
type bench struct {
	binary string
	dir    string
	users  int // number of users in the large report
	runs   int // number of repetitions of each measurement
	moto   bool
	table  table.Writer
	failed int
}

// measurements are the parts that -only names, in order.
var measurements = []struct {
	name string
	run  func(*bench, context.Context) error
}{
	{"start", (*bench).start},
	{"get-user", (*bench).getUser},
	{"get-user-postgres", (*bench).getUserPostgres},
	{"create", (*bench).create},
	{"contention", (*bench).contention},
	{"policies", (*bench).policies},
	{"assume-role", (*bench).assumeRole},
	{"sign-in", (*bench).signIn},
	{"console", (*bench).console},
	{"report", (*bench).report},
	{"report-moto", (*bench).reportMoto},
	{"report-postgres", (*bench).reportPostgres},
	{"flat", (*bench).flat},
	{"audit", (*bench).audit},
	{"diff", (*bench).diff},
	{"sizing", (*bench).sizing},
}

func main() {
	b := &bench{moto: hasMoto(), table: table.NewWriter()}
	only := flag.String("only", "",
		"measure only these, by name: start, get-user, get-user-postgres, create, contention, policies, assume-role, "+
			"sign-in, console, report, report-moto, report-postgres, flat, audit, diff, sizing")
	flag.IntVar(&b.users, "users", 1_000_000, "users of the large report")
	flag.IntVar(&b.runs, "runs", 3, "runs of each measurement; the median counts")
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(64)
	}
	b.binary = flag.Arg(0)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := b.all(ctx, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	if b.failed > 0 {
		fmt.Fprintf(os.Stderr, "bench: %d figures not reached\n", b.failed)
		os.Exit(1)
	}
}

func (b *bench) all(ctx context.Context, only string) (err error) {
	if b.dir, err = os.MkdirTemp("", "rollcall-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	if b.binary, err = installed(b.binary, b.dir); err != nil {
		return err
	}
	b.table.SetStyle(table.StyleLight)
	b.table.AppendHeader(table.Row{"figure", "measured", "to reach", "", "made by"})
	for _, m := range measurements {
		if only != "" && !slices.Contains(strings.Split(only, ","), m.name) {
			continue
		}
		fmt.Fprintf(os.Stderr, "measuring %s\n", m.name)
		start := time.Now()
		if err := m.run(b, ctx); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		fmt.Fprintf(os.Stderr, "  took %s\n", time.Since(start).Round(time.Second))
	}
	if !b.moto {
		fmt.Fprintln(os.Stderr, "moto is not installed: nothing to compare with")
	}
	fmt.Println(b.table.Render())
	return nil
}

// installed copies the program, as an installation does. The system keeps what the
// linker has just written in single pages, and maps them more slowly.
func installed(binary, dir string) (string, error) {
	content, err := os.ReadFile(binary)
	if err != nil {
		return "", err
	}
	to := filepath.Join(dir, filepath.Base(binary))
	return to, os.WriteFile(to, content, 0o700)
}

// row adds a figure. name is the measurement that produced it; goal is empty
// for figures that only inform.
func (b *bench) row(name, figure, measured, goal string, reached bool) {
	mark := ""
	if goal != "" {
		mark = "ok"
		if !reached {
			mark = "MISSED"
			b.failed++
		}
	}
	b.table.AppendRow(table.Row{figure, measured, goal, mark, "make bench ARGS='-only " + name + "'"})
}

// median returns the middle of several results.
func median[T ~int64 | ~float64](all []T) T {
	slices.Sort(all)
	return all[len(all)/2]
}

// several measures something runs times.
func several[T ~int64 | ~float64](b *bench, once func() (T, error)) (T, error) {
	var all []T
	for range b.runs {
		v, err := once()
		if err != nil {
			return 0, err
		}
		all = append(all, v)
	}
	return median(all), nil
}

// postgres starts a durable PostgreSQL server for a measurement.
func postgres(ctx context.Context) (*storetest.Server, error) {
	return storetest.StartServer(ctx, true)
}
