package policy

import (
	"context"
	"errors"
)

// ErrTooCostly reports that a request was not decided because that would take
// too long. Policies and requests of ordinary size take a few thousand steps.
var ErrTooCostly = errors.New("deciding the request takes too many steps")

const (
	// maxSteps bounds the work of one evaluation. A step compares a value or
	// searches some bytes, and takes one to three nanoseconds.
	maxSteps = 1 << 25
	// stepsPerLook is the number of steps between two looks at the context.
	stepsPerLook = 1 << 16
)

// evaluation is one request on its way through documents, with the work that it
// has taken. Once err is set nothing matches, and earlier results mean nothing.
type evaluation struct {
	ctx      context.Context
	req      Request
	action   subject // in lower case where it is not ASCII
	resource subject

	key    string // the key that was requested last, and its values
	values Values

	left  int // steps until the next look at the context
	looks int
	err   error
}

// subject is a text that is compared with many patterns.
type subject struct {
	text string
	head uint64 // as headOf returns it
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

// on makes the evaluation continue with a resource.
func (e *evaluation) on(resource string) {
	e.resource = subject{text: resource, head: headOf(resource, false)}
}

// of returns a key's values. Statements often ask for the same one in turn.
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
