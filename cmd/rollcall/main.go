// Rollcall is the service, its operator commands, and the tool that reads
// credential reports, in one binary. Each subcommand has a small file with its
// flags and its actions.
//
// Commands reach their process only through a process value, which tests replace.
// They write results to standard output and everything else to standard error. An
// error is one line. exit.go has the exit codes.
package main

import (
	"cmp"
	"context"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"golang.org/x/term"

	"rollcall/internal/hashing"
	"rollcall/internal/ownfile"
)

// process holds the parts of the process that a command uses.
type process struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	env            func(string) string
	inputs         []string // the files and folders that the command line names
	unwritten      error    // of a help text, which cobra cannot return
}

func main() {
	hashing.Main()
	p := &process{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, env: os.Getenv}
	os.Exit(run(interruptible(), p, os.Args[1:]))
}

// interruptible returns a context that the first signal cancels. The second signal
// ends the process at once, because by then signals are no longer caught.
func interruptible() context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		got := <-signals
		signal.Stop(signals)
		cancel(caught{got})
	}()
	return ctx
}

// caught is the signal that has cancelled a context.
type caught struct{ os.Signal }

func (c caught) Error() string { return c.String() }
func (c caught) Unwrap() error { return context.Canceled }

// run runs one command line and returns its exit code.
func run(ctx context.Context, p *process, args []string) int {
	own := *p
	own.stdin = &input{ctx: ctx, from: p.stdin}
	p = &own
	root := commandFor(p, args)
	root.SetArgs(args)
	ctx = ownfile.WithNotice(ctx, func(text string) { p.tell("rollcall: %s\n", text) })
	ended := make(chan int, 1)
	go func() {
		err := root.ExecuteContext(ctx)
		ended <- p.exit(ctx, cmp.Or(err, p.unwritten))
	}()
	select {
	case code := <-ended:
		return code
	case <-ctx.Done():
	}
	if len(args) > 0 && slices.Contains(completing, args[0]) {
		return <-ended
	}
	select {
	case code := <-ended:
		return code
	case <-time.After(patience):
		return p.exit(ctx, ctx.Err())
	}
}

// completing are the commands that end by themselves after a signal, when what they
// have begun is complete. Another command may wait for something that no context
// ends, such as a named pipe that nobody writes to. It has patience to end.
var completing = []string{"serve", "dev", "demo", "account", "backup", "restore", "masterkey"}

const patience = 2 * time.Second

// width returns the number of columns of the terminal behind w. ok is false if w is
// not a terminal.
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
