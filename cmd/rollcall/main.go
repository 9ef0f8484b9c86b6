// Rollcall is the service, its operator commands, and the tool that reads
// credential reports, in one binary. One small file for each subcommand: its
// flags, then what it does with them.
//
// Commands see the world through a process value only, so that tests run them
// without one. They promise: results on standard output, everything else on
// standard error; an error is one line; the exit codes of exit.go.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"

	"rollcall/internal/hashing"
	"rollcall/internal/ownfile"
)

// process holds what a command sees of its process.
type process struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	env            func(string) string
}

func main() {
	hashing.Main()
	p := &process{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, env: os.Getenv}
	os.Exit(run(interruptible(), p, os.Args[1:]))
}

// interruptible is done at the first signal, which asks the command to end.
// The second ends it at once: signals are no longer caught from before anybody
// can see the first one's effect.
func interruptible() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		signal.Stop(signals)
		cancel()
	}()
	return ctx
}

// run runs one command line and returns its exit code.
func run(ctx context.Context, p *process, args []string) int {
	root := commandFor(p, args)
	root.SetArgs(args)
	ctx = ownfile.WithNotice(ctx, func(text string) { p.tell("rollcall: %s\n", text) })
	return p.exit(ctx, root.ExecuteContext(ctx))
}

// width returns how many columns the terminal behind w has; ok is false where w
// is no terminal.
func width(w io.Writer) (columns int, ok bool) {
	f, isFile := w.(*os.File)
	if !isFile || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	columns, _, err := term.GetSize(int(f.Fd()))
	if err != nil || columns <= 0 {
		columns = 80
	}
	return columns, true
}
