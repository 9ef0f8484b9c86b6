package trail

import "github.com/google/uuid"

// NewEventID returns a new id of an event. It begins with the time. So rows of
// an outbox that were added together are next to each other, and a commit
// writes few pages. Random ids would each change a separate page.
func NewEventID() string { return uuid.Must(uuid.NewV7()).String() }
