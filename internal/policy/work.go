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
	ctx      context.Context
	req      Request
	action   subject // in lower case where it is not ASCII
	resource subject

	key    string // that was asked for last, and its values
	values Values

	left  int // steps until the context is looked at
	looks int
	err   error
}

// subject is a text that many patterns are held against.
type subject struct {
	text string
	head uint64 // as headOf has it
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

// on has the evaluation go on with a resource.
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
