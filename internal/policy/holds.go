package policy

// truth is the result of a condition. A broken one neither grants nor prevents
// a deny.
type truth uint8

const (
	unmet truth = iota
	met
	broken
)

func metIf(yes bool) truth {
	if yes {
		return met
	}
	return unmet
}

// holds reports whether a condition is met.
//
// IAM, condition operators and multivalued keys: an absent key fails a positive
// operator, meets a negated one and one with IfExists; meets ForAllValues;
// fails ForAnyValue, even with IfExists (tried on AWS by others). A key without
// values is absent. A key that is a list meets no operator without ForAllValues
// or ForAnyValue, not even a negated one: recorded.
func (e *evaluation) holds(c *condition) truth {
	values := e.of(c.folded)
	switch {
	case c.family == nullFamily:
		return metIf(e.isNull(c, len(values.Texts) == 0))
	case c.set != oneValue:
		return e.holdsOfSet(c, values)
	case len(values.Texts) == 0:
		return metIf(c.negate || c.ifExists)
	case values.isList():
		return unmet
	}
	return e.meets(c, values.Texts[0])
}

func (e *evaluation) isNull(c *condition, absent bool) bool {
	for i := range c.values {
		if c.values[i].yes == absent {
			return e.spend(i)
		}
	}
	return false
}

// holdsOfSet checks the request's values one after the other. The first
// decisive one ends it.
func (e *evaluation) holdsOfSet(c *condition, values Values) truth {
	for _, s := range values.Texts {
		switch t := e.meets(c, s); {
		case t == broken, t == unmet && c.set == forAllValues, t == met && c.set == forAnyValue:
			return t
		}
	}
	return metIf(c.set == forAllValues)
}

// meets reports whether one value of the request meets the operator. A value
// that is not an address, or not an ARN, meets no operator on those, not even a
// negated one. A value that is not a number or a date meets a negated operator,
// except NumericNotEquals in a simulation. Recorded.
func (e *evaluation) meets(c *condition, s string) truth {
	if !e.spend(1 + len(s)/16) {
		return unmet
	}
	switch c.family {
	case boolFamily:
		return metIf(e.equalsBool(c, s))
	case numericFamily:
		n, ok := parseNumber(s)
		if !ok && e.req.Simulated {
			return unmet
		}
		return e.compared(c, func(v *value) bool { return ok && c.orders(n.compare(v.number)) })
	case dateFamily:
		t, ok := parseInstant(s)
		return e.compared(c, func(v *value) bool { return ok && c.orders(t.compare(v.instant)) })
	case addressFamily:
		addr, ok := parseRequestAddress(s)
		if !ok {
			return unmet
		}
		return e.compared(c, func(v *value) bool { return v.prefix.Contains(addr) })
	case binaryFamily:
		b, ok := decodeBinary(s)
		return e.compared(c, func(v *value) bool { return ok && b == v.binary })
	case arnFamily:
		return e.meetsARN(c, s)
	}
	return metIf(e.equalsText(c, s) != c.negate)
}

// compared compares with one value after the other. An unreadable value equals
// nothing. In a simulation, a value that is not an address ends the comparison
// when it is reached. Recorded.
func (e *evaluation) compared(c *condition, equal func(v *value) bool) truth {
	t := metIf(c.negate)
	for i := range c.values {
		if !e.spend(1) {
			return unmet
		}
		v := &c.values[i]
		if v.unreadable && c.family == addressFamily && e.req.Simulated {
			t = broken
			break
		}
		if !v.unreadable && equal(v) {
			t = metIf(!c.negate)
			break
		}
	}
	return t
}

// orders reports whether the result of a comparison is one that matches.
func (o *operator) orders(outcome int) bool {
	return outcome < 0 && o.less || outcome == 0 && o.equal || outcome > 0 && o.greater
}

func (e *evaluation) equalsText(c *condition, s string) bool {
	if c.text.fold && !isASCII(s) {
		s = toLower(s)
	}
	if c.listed == nil {
		if !e.spend(len(c.values) / 4) {
			return false
		}
		head := headOf(s, c.text.fold)
		for i := range c.values {
			if p := &c.values[i].pattern; head&p.mask == p.head && e.match(p, s) {
				return true
			}
		}
		return false
	}
	if c.text.fold && c.listed[toLower(s)] || c.listed[s] {
		return true
	}
	for _, i := range c.unlisted {
		if e.match(&c.values[i].pattern, s) {
			return true
		}
	}
	return false
}

// equalsBool compares truth values. Any text that is not true is false, on both
// sides.
func (e *evaluation) equalsBool(c *condition, s string) bool {
	yes := isTrue(s)
	for i := range c.values {
		v := &c.values[i]
		wanted, ok := v.yes, true
		if v.pattern.vars {
			var text string
			text, ok = e.text(&v.pattern)
			wanted = isTrue(text)
		}
		if !e.spend(1) {
			return false
		}
		if ok && wanted == yes {
			return true
		}
	}
	return false
}

// meetsARN compares with one value after the other. A value that is not an ARN
// ends the comparison when it is reached.
func (e *evaluation) meetsARN(c *condition, s string) truth {
	if !isARN(s) {
		return unmet
	}
	for i := range c.values {
		v := &c.values[i]
		parts, found := v.arn, s
		if v.pattern.vars {
			// A variable may hold several parts, even a whole ARN.
			tokens, ok := e.resolve(nil, &v.pattern)
			if !ok {
				continue
			}
			parts = splitARN(tokens)
		}
		if parts == nil {
			return broken
		}
		if v.pattern.units {
			found = toUnits(s)
		}
		if !e.spend(1+len(s)/16) || e.matchARN(parts, found) {
			return metIf(!c.negate)
		}
	}
	return metIf(c.negate)
}
