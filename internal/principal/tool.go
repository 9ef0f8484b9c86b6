package principal

import (
	"encoding/json"
	"fmt"

	"rollcall/internal/store"
)

// Tool holds what the session of a developer tool holds: store.ToolSession
// keeps it as its State.
type Tool struct {
	As Temporary `json:"s"`
	// Client is the tool, Redirect where its code was sent, and Challenge what it
	// must know to exchange the code.
	Client    string `json:"c"`
	Redirect  string `json:"r"`
	Challenge string `json:"h"`
}

// State returns what ReadTool reads.
func (t *Tool) State() []byte {
	text, err := json.Marshal(t)
	if err != nil {
		panic(err) // texts, numbers and dates
	}
	return text
}

// ReadTool reads what a tool's session holds, and as whom the tool acts.
func ReadTool(proof store.ToolProof) (*Tool, Caller, error) {
	t := &Tool{}
	if err := json.Unmarshal(proof.Session().State, t); err != nil {
		return nil, Caller{}, fmt.Errorf("read session of a tool: %w", err)
	}
	return t, t.As.caller(), nil
}
