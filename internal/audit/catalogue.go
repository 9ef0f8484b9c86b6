package audit

// DefaultBenchmark is the one used where none is named: the newest of CIS.
const DefaultBenchmark = CIS70

// Controls returns every control, in their order. What it returns is shared
// and not to be changed.
func Controls() []*Control { return nil }

// FindControl returns a control by its id or name, in any letter case.
func FindControl(idOrName string) (*Control, bool) { return nil, false }

// Benchmarks returns every benchmark, in their order. What it returns is shared
// and not to be changed.
func Benchmarks() []*Benchmark { return nil }

// FindBenchmark returns a benchmark by its id.
func FindBenchmark(id Standard) (*Benchmark, bool) { return nil, false }
