package trail

import "github.com/google/uuid"

// NewEventID draws the id of an event. It begins with the time: the rows of an
// outbox that were added together lie together, so that a commit writes few
// pages. Ids at random would each change a page of its own.
func NewEventID() string { return uuid.Must(uuid.NewV7()).String() }
