package automaton

import (
	"regexp/syntax"
	"slices"
)

// The states of every automaton. The first three are never left.
const (
	dead    = iota // nothing can match any more
	matched        // there is a match, whatever follows
	beyond         // the text is not ASCII
	start
)

// The limits of what is built. Package regexp does the rest.
const (
	maxStates       = 200
	maxInstructions = 500
	// maxWork limits the instructions that are followed, to some milliseconds.
	maxWork = 200_000
)

// beyondASCII is the first byte that is not ASCII.
const beyondASCII = 0x80

// builder makes a deterministic automaton of a program of package syntax, by the
// construction of subsets.
type builder struct {
	program  *syntax.Prog
	anywhere bool // a match may begin at any place
	asserted syntax.EmptyOp
	classes  [256]uint8 // the class of each byte; the last one is that of all beyond ASCII
	chars    []rune     // an example of each class in ASCII
	states   []state
	numbers  map[string]int // of the states
	added    []int          // the round in which an instruction was added to a set
	round    int
	work     int
}

// state is the set of instructions that may come next. Assertions in it are decided
// by the next byte.
type state struct {
	set    []uint32
	before rune    // stands for the last byte, as far as assertions distinguish it
	next   []uint8 // by class
	ends   bool    // the end of the text completes a match
}

// build returns the builder with the automaton, or nil if it would be too large.
func build(program *syntax.Prog) *builder {
	b := &builder{
		program: program, numbers: map[string]int{}, added: make([]int, len(program.Inst)),
		anywhere: program.StartCond()&syntax.EmptyBeginText == 0,
	}
	if len(program.Inst) > maxInstructions {
		return nil
	}
	b.classify()
	for fixed := range start {
		next := slices.Repeat([]uint8{uint8(fixed)}, len(b.chars)+1)
		b.states = append(b.states, state{next: next, ends: fixed == matched})
	}
	b.round++
	b.number(b.add(nil, uint32(program.Start)), b.seen(-1))
	for from := start; from < len(b.states); from++ {
		for _, c := range b.chars {
			next := b.step(from, c)
			if len(b.states) > maxStates || b.work > maxWork {
				return nil
			}
			b.states[from].next = append(b.states[from].next, uint8(next))
		}
		b.states[from].next = append(b.states[from].next, beyond)
		b.states[from].ends = b.step(from, -1) == matched
	}
	return b
}

// next returns the state after a byte.
func (b *builder) next(from int, c byte) uint8 { return b.states[from].next[b.classes[c]] }

// classify finds the assertions, and the classes of bytes that no instruction and no
// assertion distinguishes.
func (b *builder) classify() {
	for i := range b.program.Inst {
		if in := &b.program.Inst[i]; in.Op == syntax.InstEmptyWidth {
			b.asserted |= syntax.EmptyOp(in.Arg)
		}
	}
	known := map[string]uint8{}
	for c := range rune(beyondASCII) {
		sign := []byte{byte(b.seen(c))}
		for i := range b.program.Inst {
			if in := &b.program.Inst[i]; consumes(in) && in.MatchRune(c) {
				sign = append(sign, byte(i), byte(i>>8))
			}
		}
		class, ok := known[string(sign)]
		if !ok {
			class = uint8(len(b.chars))
			known[string(sign)] = class
			b.chars = append(b.chars, c)
		}
		b.classes[c] = class
	}
	for c := beyondASCII; c < len(b.classes); c++ {
		b.classes[c] = uint8(len(b.chars))
	}
}

// consumes reports whether an instruction reads a character.
func consumes(in *syntax.Inst) bool {
	return in.Op == syntax.InstRune || in.Op == syntax.InstRune1 || in.Op == syntax.InstRuneAny ||
		in.Op == syntax.InstRuneAnyNotNL
}

// seen returns what assertions distinguish of a character, or of -1, the beginning
// of the text.
func (b *builder) seen(c rune) rune {
	const words, lines = syntax.EmptyWordBoundary | syntax.EmptyNoWordBoundary, syntax.EmptyBeginLine | syntax.EmptyEndLine
	switch {
	case c < 0 && b.asserted&(syntax.EmptyBeginText|lines) != 0, c == '\n' && b.asserted&lines != 0:
		return c
	case c >= 0 && syntax.IsWordChar(c) && b.asserted&words != 0:
		return 'a'
	}
	return ' '
}

// step returns the state after a character, or at the end of the text, which is -1.
func (b *builder) step(from int, c rune) int {
	s := &b.states[from]
	is := syntax.EmptyOpContext(s.before, c)
	b.round++
	var now []uint32
	for _, at := range s.set {
		now = b.addWhere(now, at, is)
	}
	b.work += len(now) + 1
	if b.matches(now) {
		return matched
	}
	if c < 0 {
		return dead
	}
	b.round++
	var next []uint32
	for _, at := range now {
		if in := &b.program.Inst[at]; consumes(in) && in.MatchRune(c) {
			next = b.add(next, in.Out)
		}
	}
	if b.anywhere {
		next = b.add(next, uint32(b.program.Start))
	}
	return b.number(next, b.seen(c))
}

// matches reports whether a set has the instruction that ends a match.
func (b *builder) matches(set []uint32) bool {
	return slices.ContainsFunc(set, func(at uint32) bool { return b.program.Inst[at].Op == syntax.InstMatch })
}

// number returns the state of a set, which may be a new one.
func (b *builder) number(set []uint32, before rune) int {
	switch {
	case len(set) == 0 && len(b.states) > start:
		return dead
	case b.matches(set) && len(b.states) > start:
		return matched
	}
	slices.Sort(set)
	key := []byte{byte(before)}
	for _, at := range set {
		key = append(key, byte(at), byte(at>>8))
	}
	n, ok := b.numbers[string(key)]
	if !ok {
		n = len(b.states)
		b.numbers[string(key)] = n
		b.states = append(b.states, state{set: set, before: before})
	}
	return n
}

// add adds to a set an instruction, and those that follow without a character. It
// adds assertions without what follows them.
func (b *builder) add(set []uint32, at uint32) []uint32 { return b.follow(set, at, 0, false) }

// addWhere is add where some assertions hold. It adds what follows them.
func (b *builder) addWhere(set []uint32, at uint32, is syntax.EmptyOp) []uint32 {
	return b.follow(set, at, is, true)
}

func (b *builder) follow(set []uint32, at uint32, is syntax.EmptyOp, decided bool) []uint32 {
	if b.added[at] == b.round {
		return set
	}
	b.added[at] = b.round
	switch in := &b.program.Inst[at]; in.Op {
	case syntax.InstFail:
		return set
	case syntax.InstAlt, syntax.InstAltMatch:
		return b.follow(b.follow(set, in.Out, is, decided), in.Arg, is, decided)
	case syntax.InstCapture, syntax.InstNop:
		return b.follow(set, in.Out, is, decided)
	case syntax.InstEmptyWidth:
		if !decided {
			return append(set, at)
		}
		if syntax.EmptyOp(in.Arg)&^is == 0 {
			return b.follow(set, in.Out, is, decided)
		}
		return set
	}
	return append(set, at)
}
