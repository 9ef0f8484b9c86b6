package policy

import (
	"context"
	"errors"
)

// ErrTooCostly reports that a request was not decided because that would take
// too long. Policies and requests of ordinary size take a few thousand steps.
var ErrTooCostly = errors.New("deciding the request takes too many steps")

const (
	// maxSteps limits the work of one evaluation. A step compares a value or
	// searches some bytes, and takes one to three nanoseconds.
	maxSteps = 1 << 25
	// stepsPerLook is the number of steps between two checks of the context.
	stepsPerLook = 1 << 16
)

// evaluation is the evaluation of one request, with the number of steps so far.
// Once err is set nothing matches, and earlier results are invalid.
type evaluation struct {
	ctx      context.Context
	req      Request
	action   subject // in lower case if it is not ASCII
	resource subject

	key    string // the key that was requested last, and its values
	values Values

	left  int // steps until the next check of the context
	looks int
	err   error
}

// subject is a text that is compared with many patterns.
type subject struct {
	text string
	head uint64 // in headOf's form
}

func begin(ctx context.Context, req Request) evaluation {
	e := evaluation{ctx: ctx, req: req, left: stepsPerLook}
	e.action.text = req.Action
	if !isASCII(req.Action) {
		e.action.text = toLower(req.Action)
	}
	e.action.head = headOf(e.action.text, true)
	return e
}

// on continues the evaluation with a resource.
func (e *evaluation) on(resource string) {
	e.resource = subject{text: resource, head: headOf(resource, false)}
}

// of returns a key's values. Statements often use the same key in turn.
func (e *evaluation) of(key string) Values {
	if e.key != key {
		e.key, e.values = key, e.req.Context.values(key)
	}
	return e.values
}

// spend counts steps, and reports whether more are allowed.
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
