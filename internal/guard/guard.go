// Package guard keeps a panic from ending the process, which serves everybody.
package guard

import (
	"fmt"
	"runtime/debug"
)

// Panic is a panic of guarded work.
type Panic struct {
	Value any
	Stack []byte
}

func (p *Panic) Error() string { return fmt.Sprintf("panic: %v\n%s", p.Value, p.Stack) }

// Run calls work, and returns a panic of it as a *Panic. Every goroutine needs it
// that works on the data of one caller, because nothing above the goroutine can
// recover.
func Run(work func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &Panic{p, debug.Stack()}
		}
	}()
	return work()
}
