package identity

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// A request of 1 MiB can name so many actions, resources and statements that
// the whole answer would be gigabytes. A page ends when its answer is large
// enough or its time is over, but after at least one action. An action that is
// too large on its own is refused.
const (
	// simulationBytes limits the size of resources, statements and keys in an
	// answer.
	simulationBytes = 2 << 20
	// simulationTime is the time after which a page begins no further action.
	// simulationLimit is the maximum time for one action.
	simulationTime  = 500 * time.Millisecond
	simulationLimit = 2 * time.Second
)

// errSimulationTooLarge refuses a request that is too large for Rollcall. AWS
// has no known limit.
var errSimulationTooLarge = fail("InvalidInput",
	"The simulation is too large. Ask for fewer resources, or with fewer statements, at a time.")

// answerRoom is the space that remains in an answer.
type answerRoom struct {
	bytes int
	until time.Time
}

// take counts the answer for one resource. It returns false if the answer does
// not fit.
func (r *answerRoom) take(action, resource string, s simulated) bool {
	const element = 300 // bytes of the tags around a result
	r.bytes -= element + xmlLength(action) + 2*xmlLength(resource) + 100*len(s.details)
	for _, st := range s.matched {
		r.bytes -= 2 * (element + xmlLength(*st.SourcePolicyId)) // it may be in the union as well
	}
	for _, key := range s.missing {
		r.bytes -= 2 * (len("<member></member>") + xmlLength(key))
	}
	return r.bytes >= 0 && time.Now().Before(r.until)
}

// xmlLength estimates the length of a text in an answer.
func xmlLength(s string) int {
	n := len(s)
	for _, special := range []string{"&", "<", ">", "\"", "'", "\n", "\r", "\t"} {
		n += 5 * strings.Count(s, special)
	}
	return n
}

// errSimulationMarker refuses a marker that no simulation created.
var errSimulationMarker = fail("InvalidInput", "Invalid marker for pagination.")

// simulateAll simulates a page of the actions of a request. MaxItems counts
// actions, whatever the number of resources. Recorded.
func simulateAll(
	ctx context.Context, p page, sim *simulation, actions, resources []string,
) (results []types.EvaluationResult, truncated bool, marker *string, err error) {
	before, _ := strconv.Atoi(p.after)
	actions = actions[min(before, len(actions)):]
	began := time.Now()
	sim.room = answerRoom{bytes: simulationBytes, until: began.Add(simulationLimit)}
	ctx, cancel := context.WithDeadlineCause(ctx, sim.room.until, errSimulationTooLarge)
	defer cancel()
	results = []types.EvaluationResult{}
	for i, action := range actions {
		full := i > 0 && (i >= p.limit || time.Since(began) > simulationTime)
		var result types.EvaluationResult
		if !full {
			result, err = sim.result(ctx, action, resources)
			full = i > 0 && errors.Is(err, errSimulationTooLarge)
		}
		if full {
			return results, true, p.marker(strconv.Itoa(before + i)), nil
		}
		if err != nil {
			return nil, false, nil, err
		}
		results = append(results, result)
	}
	return results, false, nil, nil
}
