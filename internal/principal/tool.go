package principal

import (
	"encoding/json"
	"fmt"

	"rollcall/internal/store"
)

// Tool holds the content of the session of a developer tool. store.ToolSession
// keeps it as its State.
type Tool struct {
	As Temporary `json:"s"`
	// Client is the tool, Redirect is the address that its code was sent to, and
	// Challenge is the hash of the verifier with which it exchanges the code.
	Client    string `json:"c"`
	Redirect  string `json:"r"`
	Challenge string `json:"h"`
}

// State returns the text that ReadTool reads.
func (t *Tool) State() []byte {
	text, err := json.Marshal(t)
	if err != nil {
		panic(err) // texts, numbers and dates
	}
	return text
}

// ReadTool reads the session of a tool, and returns the caller that the tool acts
// as.
func ReadTool(proof store.ToolProof) (*Tool, Caller, error) {
	t := &Tool{}
	if err := json.Unmarshal(proof.Session().State, t); err != nil {
		return nil, Caller{}, fmt.Errorf("read session of a tool: %w", err)
	}
	return t, t.As.caller(), nil
}
