package policy

import (
	"context"
	"errors"
)

// ErrTooCostly says that a request was not decided because that would take too
// long. Policies and requests of ordinary size take a few thousand steps.
var ErrTooCostly = errors.New("deciding the request takes too many steps")

const (
	// maxSteps bounds the work of one evaluation: a step is a value that is
	// compared or some bytes that are searched, one to three nanoseconds.
	maxSteps = 1 << 25
	// stepsPerLook is how many steps are taken before the context is looked at.
	stepsPerLook = 1 << 16
)

// evaluation is one request on its way through documents, with the work that
// it has taken. Once err is set nothing matches and what was found means
// nothing.
type evaluation struct {
	ctx        context.Context
	req        Request
	action     string // in lower case where it is not ASCII
	actionHead uint64
	left       int // steps until the context is looked at
	looks      int
	err        error
}

func begin(ctx context.Context, req Request) evaluation {
	e := evaluation{ctx: ctx, req: req, action: req.Action, left: stepsPerLook}
	if !isASCII(e.action) {
		e.action = toLower(e.action)
	}
	e.actionHead = headOf(e.action, true)
	return e
}

// spend counts steps, and reports whether there may be more.
func (e *evaluation) spend(steps int) bool {
	e.left -= steps
	return e.left > 0 || e.look()
}

func (e *evaluation) look() bool {
	if e.err != nil {
		return false
	}
	e.looks += 1 - e.left/stepsPerLook
	e.left = stepsPerLook
	if e.ctx.Err() != nil {
		e.err = context.Cause(e.ctx)
	} else if e.looks > maxSteps/stepsPerLook {
		e.err = ErrTooCostly
	}
	if e.err != nil {
		e.left = 0
	}
	return e.err == nil
}
